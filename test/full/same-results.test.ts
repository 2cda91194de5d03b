/** The real sets through both buses with one and two label workers. Needs TOCSIN_DATASETS. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { expectSameResults, runArchive } from '../support/equality-suite.ts';
import { tocsinOk } from '../support/tocsin.ts';

const datasets = process.env['TOCSIN_DATASETS'];

const rows = (path: string): number => readFileSync(path, 'utf8').split('\n').filter(Boolean).length - 1;

it.each([
  ['Hurricane Harvey', 'crisismmd/hurricane_harvey.tsv', (): number => 3_992, 0],
  [
    'MediaEval with its pictures',
    'mediaeval-verification',
    (dir: string): number => rows(join(dir, 'mediaeval-verification/posts.tsv')),
    16_545,
  ],
])('%s gives the same results everywhere', async (_name, path, count, pictures) => {
  if (!datasets) throw new Error('The long suites need TOCSIN_DATASETS, the folder of the real data sets.');
  const archive = join(datasets, path);
  const posts = count(datasets);
  await tocsinOk(['replay', archive, '--dry-run']);
  const results = [];
  for (const bus of ['embedded', 'kafka'] as const)
    for (const labelWorkers of [1, 2])
      results.push(await runArchive(bus, { archive, posts, labelWorkers, brokers: inject('kafkaBrokers') }));
  expectSameResults(results);
  expect(results[0]?.ledger).toMatchObject({ received: posts, pictures: { ready: pictures, refused: 0 } });
  console.log(JSON.stringify(results[0]?.ledger));
});

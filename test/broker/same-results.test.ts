/** Both buses, one and two label workers: an archive gives the same labels, claims and books. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { expectSameResults, runArchive } from '../support/equality-suite.ts';
import { ROOT } from '../support/tocsin.ts';

const SAMPLE = join(ROOT, 'sample');
interface Scored {
  readonly rumour: { readonly status: string };
}

const datasets = process.env['TOCSIN_DATASETS'];

describe('the same archive gives the same results', () => {
  it('for the sample, on both buses, with one and with two label workers', async () => {
    const posts = readFileSync(join(SAMPLE, 'posts.jsonl'), 'utf8').split('\n').filter(Boolean).length;
    const brokers = inject('kafkaBrokers');
    const results = [];
    for (const bus of ['embedded', 'kafka'] as const)
      for (const labelWorkers of [1, 2])
        results.push(await runArchive(bus, { archive: SAMPLE, posts, labelWorkers, scorer: true, brokers }));
    expectSameResults(results);
    expect(results[0]?.ledger.pictures.ready).toBeGreaterThan(0);
    expect(results[0]?.ledger.pictures.refused).toBeGreaterThan(0);
    const claims = Object.values(results[0]?.claims ?? {}) as Scored[];
    expect(claims.length).toBeGreaterThan(0);
    expect(claims.filter(({ rumour }) => rumour.status !== 'scored')).toEqual([]);
  }, 600_000);

  // The real set is there or it is not; the summary of npm test says which.
  if (datasets)
    it('for the tweets of Hurricane Harvey', async () => {
      const archive = join(datasets, 'crisismmd', 'hurricane_harvey.tsv');
      const brokers = inject('kafkaBrokers');
      const results = [
        await runArchive('embedded', { archive, posts: 3_992, labelWorkers: 1, brokers }),
        await runArchive('kafka', { archive, posts: 3_992, labelWorkers: 2, brokers }),
      ];
      expectSameResults(results);
      expect(results[0]?.ledger.labelled).toBe(3_992);
    }, 600_000);
});

/** Swaps of real networks while they score: every slice is of one model, threads and tensors come back. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLog } from '../../../../src/base/log.ts';
import type { ModelVersion } from '../../../../src/event/records.ts';
import { createMetrics } from '../../../../src/metrics/metrics.ts';
import { type Artefact, loadArtefact } from '../../../../src/models/artefact.ts';
import { openEngine } from '../../../../src/models/engine/engine.ts';
import type { Tf } from '../../../../src/models/engine/tf.ts';
import type { ScoreInput } from '../../../../src/models/port.ts';
import { createHandle } from '../../../../src/models/serving/handle.ts';
import { createLineUps, type LineUp } from '../../../../src/models/serving/line-up.ts';
import { openScorer } from '../../../../src/models/serving/scorer.ts';
import { loadWords } from '../../../../src/models/words.ts';
import { buildMmn, MMN_DEFAULTS } from '../../../../src/models/zoo/mmn.ts';
import { stateOf } from '../../../support/registry.ts';
import { writeTestArtefact } from '../../../support/test-artefact.ts';
import { until } from '../../../support/until.ts';

let tf: Tf;
let folder: string;
const artefacts: Artefact[] = [];
const SWAPS = 6;

beforeAll(async () => {
  tf = await openEngine();
  folder = await mkdtemp(join(tmpdir(), 'tocsin-swap-'));
  for (const seed of [1, 2]) {
    const mmn = buildMmn(tf, MMN_DEFAULTS, { kind: 'sigmoid', outputs: 1 }, seed);
    artefacts.push(await writeTestArtefact(tf, mmn, join(folder, String(seed)), { image: 'untrained' }));
    mmn.dispose();
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const threads = (): number => Number(/Threads:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

it('scores each slice with one model, and gives threads and tensors back after each swap', async () => {
  const words = loadWords();
  const options = { threads: 1, words: [words], metrics: createMetrics({ bare: true }), log: silentLog };
  const versionOf = ({ manifest, digest }: Artefact): ModelVersion => ({ ...manifest, digest });
  const lineUps = createLineUps({
    informative: {
      first: versionOf(artefacts[0] as Artefact),
      open: async ({ digest }) => {
        const { dir } = artefacts.find((one) => one.digest === digest) as Artefact;
        return openScorer({ ...options, dir, artefact: await loadArtefact(dir) });
      },
    },
  });
  type Lines = LineUp<{ informative: Awaited<ReturnType<typeof openScorer>> }>;
  const posts: ScoreInput[] = ['flood in town', 'bridge is closed', 'fire'].map((text) => ({
    words: words.vocabulary.encode(text),
    pixels: null,
  }));
  const handle = createHandle<Lines>(await lineUps.make(null));
  const answers = async (lineUp: Lines): Promise<string> =>
    JSON.stringify(await lineUp.on('informative', 0).answers.score(posts));
  const wanted = [await answers(handle.current())];

  let isOver = false;
  const seen = new Set<string>();
  const scoring = (async () => {
    while (!isOver) {
      const { value, release } = handle.lease();
      // Two questions of one slice, with a swap between them as likely as not.
      const slice = [value.sequence % 2, await answers(value), await answers(value)];
      release();
      seen.add(JSON.stringify(slice));
    }
  })();
  const before = { threads: threads(), tensors: tf.memory().numTensors };
  for (let sequence = 1; sequence <= SWAPS; sequence += 1) {
    const state = stateOf(sequence, versionOf(artefacts[sequence % 2] as Artefact));
    const next = await lineUps.make({
      ...state,
      kind: 'DesiredState',
      keyId: '',
      signature: new Uint8Array(),
    });
    wanted[sequence % 2] = await answers(next);
    await handle.swap(next);
    await until(
      () => threads() === before.threads,
      () => `${threads()} threads after swap ${sequence}, ${before.threads} before`,
    );
  }
  isOver = true;
  await scoring;
  await handle.close();
  expect(wanted[0]).not.toBe(wanted[1]);
  expect([...seen].sort()).toEqual([0, 1].map((i) => JSON.stringify([i, wanted[i], wanted[i]])).sort());
  expect(tf.memory().numTensors).toBe(before.tensors);
});

/** The training loop learns, repeats itself exactly, goes on after a kill, and stops early. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import { buildMmn, MMN_DEFAULTS } from '../../../src/models/mmn.ts';
import { type CheckpointStore, type EpochReport, openCheckpoints } from '../../../src/training/checkpoint.ts';
import {
  predictRows,
  TRAINING_DEFAULTS,
  type TrainingResult,
  type TrainingRow,
  trainMmn,
} from '../../../src/training/train-mmn.ts';
import { drawnPictures } from '../../support/drawn-pictures.ts';

const WORDS = 40;
let tf: Tf;
let folder: string;

/** Word vectors by rule; words of the upper half lean one way in every dimension. */
const table = (() => {
  const random = seededRandom(1);
  return Float32Array.from({ length: (WORDS + 1) * 100 }, (_, i) =>
    i < 100 ? 0 : random() - 0.5 + (i > (WORDS / 2) * 100 ? 0.25 : 0),
  );
})();

/** Posts whose label shows in their words, with a little noise. */
function textRows(n: number, seed: number): TrainingRow[] {
  const random = seededRandom(seed);
  return Array.from({ length: n }, (_, i) => {
    const label = (i % 3 === 0 ? 1 : 0) as 0 | 1;
    const half = random() < 0.9 ? label : 1 - label;
    const words = Int32Array.from({ length: 15 }, (_, k) =>
      k < 8 ? 1 + Math.floor(random() * (WORDS / 2)) + half * (WORDS / 2) : 0,
    );
    return { words, pixels: null, label };
  });
}

const data = { train: textRows(96, 1), dev: textRows(48, 2) };
const options = { ...TRAINING_DEFAULTS, seed: 5, maxEpochs: 4, learningRate: 3e-3 };

interface Run {
  readonly result: TrainingResult;
  readonly logits: Float32Array;
}

async function train(
  more: { checkpoints?: CheckpointStore; report?: (r: EpochReport) => void; patience?: number } = {},
): Promise<Run> {
  const mmn = buildMmn(tf, MMN_DEFAULTS, 5);
  try {
    const { checkpoints = null, report = () => {}, patience = 5 } = more;
    const result = await trainMmn(tf, mmn, table, data, { ...options, patience }, { checkpoints, report });
    return { result, logits: predictRows(tf, mmn, table, data.dev, ['text']) };
  } finally {
    mmn.dispose();
  }
}

beforeAll(async () => {
  tf = await openEngine();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-train-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('trainMmn', () => {
  it('learns from words, leaves no tensor behind and repeats itself bit for bit', async () => {
    const before = tf.memory().numTensors;
    const first = await train();
    expect(tf.memory().numTensors).toBe(before);
    const [begin, end] = [first.result.history[0], first.result.history.at(-1)];
    expect(end?.devLoss).toBeLessThan((begin?.devLoss as number) * 0.9);
    expect(end?.devMacroF1).toBeGreaterThan(0.75);
    expect(await train()).toEqual(first);
  });

  it('goes on from its checkpoint after a kill with the result of an undisturbed run', async () => {
    const whole = await train();
    const checkpoints = openCheckpoints(folder, options);
    const killed = train({
      checkpoints,
      report: ({ epoch }) => {
        if (epoch === 2) throw new Error('killed');
      },
    });
    await expect(killed).rejects.toThrow('killed');
    const epochs: number[] = [];
    const resumed = await train({ checkpoints, report: ({ epoch }) => epochs.push(epoch) });
    expect(epochs).toEqual([3, 4]);
    expect(resumed).toEqual(whole);
  });

  it('starts over when the checkpoint is torn or of another run', async () => {
    await train({ checkpoints: openCheckpoints(folder, options) });
    expect(await openCheckpoints(folder, { ...options, seed: 6 }).load()).toBeNull();
    expect((await openCheckpoints(folder, options).load())?.epoch).toBe(4);
    const file = join(folder, 'checkpoint.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.slice(0, -100));
    expect(await openCheckpoints(folder, options).load()).toBeNull();
  });

  it('stops when the dev loss no longer falls and keeps the best epoch', async () => {
    const { result } = await train({ patience: 1 });
    const best = result.history.reduce((a, b) => (b.devLoss < a.devLoss ? b : a));
    expect(result.bestEpoch).toBe(best.epoch);
    expect(result.epochs === options.maxEpochs || result.epochs === result.bestEpoch + 1).toBe(true);
  });

  it('trains both branches on pairs, and tells drawn pictures apart without any word', async () => {
    const pixels = drawnPictures(16);
    const pairs = Array.from(
      { length: 16 },
      (_, i): TrainingRow => ({
        words: new Int32Array(15),
        pixels: pixels.subarray(i * 12_288, (i + 1) * 12_288),
        label: (i % 2) as 0 | 1,
      }),
    );
    const mmn = buildMmn(tf, MMN_DEFAULTS, 2);
    const before = tf.memory().numTensors;
    const result = await trainMmn(
      tf,
      mmn,
      table,
      { train: pairs, dev: pairs },
      { ...options, batch: 8 },
      { checkpoints: null, report: () => {} },
    );
    expect(tf.memory().numTensors).toBe(before);
    expect(result.modalities).toEqual(['text', 'image']);
    const logits = predictRows(tf, mmn, table, pairs, ['text', 'image']);
    expect(pairs.every(({ label }, i) => (logits[i] as number) > 0 === (label === 1))).toBe(true);
    mmn.dispose();
  });
});

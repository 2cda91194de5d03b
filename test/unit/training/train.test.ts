/** The training loop learns, repeats itself exactly, goes on after a kill, stops early and leaves no tensor behind. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor2D } from '@tensorflow/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import { saveNetwork, setWeights } from '../../../src/models/network-files.ts';
import type { Dims, Head, Network } from '../../../src/models/zoo/contract.ts';
import { buildMmn, MMN_DEFAULTS } from '../../../src/models/zoo/mmn.ts';
import { textCnn } from '../../../src/models/zoo/text-cnn.ts';
import { openCheckpoints, type Snapshot } from '../../../src/training/checkpoint.ts';
import { type ColumnSource, type Labelled, tableOf } from '../../../src/training/table.ts';
import {
  predict,
  rateOf,
  TRAINING_DEFAULTS,
  type TrainingHooks,
  type TrainingOptions,
  type TrainingResult,
  train,
} from '../../../src/training/train.ts';
import { drawnPictures } from '../../support/drawn-pictures.ts';

const SIGMOID: Head = { kind: 'sigmoid', outputs: 1 };
const NO_DIMS: Dims = { tokens: 0, text: 0, imageLogits: 0, imageFeatures: 0, events: 0 };
const OPTIONS: TrainingOptions = { ...TRAINING_DEFAULTS, seed: 5, maxEpochs: 4, learningRate: 3e-3 };
const QUIET: TrainingHooks = { checkpoints: null, report: () => {} };

let tf: Tf;
let folder: string;
let before: number;

beforeAll(async () => {
  tf = await openEngine();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-train-'));
  before = tf.memory().numTensors;
});
afterEach(async () => {
  expect(tf.memory().numTensors).toBe(before);
  await rm(folder, { recursive: true, force: true });
});

const classOf = (i: number, classes: number): number => (i % 3 === 0 ? 1 : i % classes === 2 ? 2 : 0);

/** Texts of eight words by rule: words of class k lean one way in every k-th dimension; one text in ten lies. */
const texts = (classes: number, seed: number): ColumnSource => ({
  shape: [15, 100],
  write: (index, out) => {
    const random = seededRandom(seed * 10_000 + index);
    const shown = random() < 0.9 ? classOf(index, classes) : 0;
    for (let k = 0; k < 800; k += 1) out[k] = random() - 0.5 + ((k % 100) % classes === shown ? 0.4 : 0);
  },
});

function labelled(n: number, head: Head, seed: number): Labelled {
  const classes = Math.max(2, head.outputs);
  const labels = new Float32Array(n * head.outputs);
  for (let i = 0; i < n; i += 1)
    for (let k = 0; k < head.outputs; k += 1)
      labels[i * head.outputs + k] = Number(
        head.outputs === 1 ? classOf(i, classes) === 1 : classOf(i, classes) === k,
      );
  return { table: tableOf(n, { words: texts(classes, seed) }), labels };
}

interface Run {
  readonly result: TrainingResult;
  readonly logits: Float32Array;
}

async function run(
  options: Partial<TrainingOptions> = {},
  hooks: Partial<TrainingHooks> = {},
  head = SIGMOID,
): Promise<Run> {
  const data = { train: labelled(96, head, 1), dev: labelled(48, head, 2) };
  const network = textCnn.build(tf, textCnn.defaults, NO_DIMS, head, 5);
  try {
    const result = await train(tf, network, head, data, { ...OPTIONS, ...options }, { ...QUIET, ...hooks });
    return { result, logits: predict(tf, network, head, data.dev.table) };
  } finally {
    network.dispose();
  }
}

describe('train', () => {
  it('learns from words and repeats itself bit for bit', async () => {
    const first = await run();
    const [begin, end] = [first.result.history[0], first.result.history.at(-1)];
    expect(end?.devLoss).toBeLessThan((begin?.devLoss as number) * 0.9);
    expect(end?.devMacroF1).toBeGreaterThan(0.75);
    expect(await run()).toEqual(first);
    expect((await run({ seed: 6 })).logits).not.toEqual(first.logits);
  });

  it.each<[string, Head]>([
    ['softmax', { kind: 'softmax', outputs: 3 }],
    ['multi-label sigmoid', { kind: 'sigmoid', outputs: 3 }],
  ])('learns three classes under a %s head', async (_, head) => {
    const { result, logits } = await run({ maxEpochs: 8, patience: 8 }, {}, head);
    expect(logits).toHaveLength(48 * 3);
    expect(result.history[result.bestEpoch - 1]?.devMacroF1).toBeGreaterThan(0.75);
  });

  it('goes on from its checkpoint after a kill with the result of an undisturbed run', async () => {
    const craft: TrainingHooks['craft'] = ({ batch, labels }, { seed }) => ({
      batch: { words: tf.add(batch.words as Tensor2D, tf.randomUniform([1], 0, 0.1, 'float32', seed)) },
      labels,
    });
    const whole = await run({}, { craft });
    const checkpoints = openCheckpoints(folder, OPTIONS);
    const killed = run(
      {},
      {
        craft,
        checkpoints,
        report: ({ epoch }) => {
          if (epoch === 2) throw new Error('killed');
        },
      },
    );
    await expect(killed).rejects.toThrow('killed');
    const epochs: number[] = [];
    const resumed = await run({}, { craft, checkpoints, report: ({ epoch }) => epochs.push(epoch) });
    expect(epochs).toEqual([3, 4]);
    expect(resumed).toEqual(whole);
  });

  it('starts over when the checkpoint is torn or of another run', async () => {
    await run({}, { checkpoints: openCheckpoints(folder, OPTIONS) });
    expect(await openCheckpoints(folder, { ...OPTIONS, seed: 6 }).load()).toBeNull();
    expect((await openCheckpoints(folder, OPTIONS).load())?.epoch).toBe(4);
    const file = join(folder, 'checkpoint.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.slice(0, -100));
    expect(await openCheckpoints(folder, OPTIONS).load()).toBeNull();
  });

  it.each(['loss', 'macroF1', 'balancedAccuracy'] as const)(
    'stops when the dev %s gets no better and keeps the best epoch',
    async (stopOn) => {
      const dev: Labelled = {
        ...labelled(48, SIGMOID, 2),
        labels: labelled(48, SIGMOID, 2).labels.map((y) => 1 - y),
      };
      const data = { train: labelled(96, SIGMOID, 1), dev };
      const network = textCnn.build(tf, textCnn.defaults, NO_DIMS, SIGMOID, 5);
      const seen: Snapshot[] = [];
      const checkpoints = {
        save: async (s: Snapshot) => void seen.push(s),
        load: async () => null,
        clear: async () => {},
      };
      // Learning makes the turned dev labels worse and worse.
      const options = { ...OPTIONS, maxEpochs: 9, patience: 2, stopOn };
      const result = await train(tf, network, SIGMOID, data, options, { ...QUIET, checkpoints });
      expect(result.epochs).toBe(result.bestEpoch + 2);
      expect(result.epochs).toBeLessThan(9);
      const kept = network.layers.weights.map((weight) => weight.read().dataSync());
      expect(kept).toEqual(seen[result.bestEpoch - 1]?.weights);
      expect(kept).not.toEqual(seen.at(-1)?.weights);
      network.dispose();
    },
  );

  it('trains on what `craft` makes of a batch, however many rows that has', async () => {
    const steps: number[] = [];
    const turned = await run(
      { maxEpochs: 3 },
      {
        craft: ({ batch, labels }, step) => {
          steps.push(step.done);
          expect(step.total).toBe(9);
          const words = batch.words as Tensor2D;
          return {
            batch: { words: tf.concat([words, words, words]) },
            labels: tf.concat([labels, tf.sub(1, labels), tf.sub(1, labels)]),
          };
        },
      },
    );
    expect(steps).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    // Two of three labels say the opposite, so it learns the opposite.
    expect(turned.result.history[turned.result.epochs - 1]?.devMacroF1).toBeLessThan(0.4);
  });

  it('lowers the rate as EANN does', async () => {
    const [constant, lowered] = [await run({ maxEpochs: 2 }), await run({ maxEpochs: 2, schedule: 'eann' })];
    expect(lowered.result.history[0]).toEqual(constant.result.history[0]);
    expect(lowered.result.history[1]).not.toEqual(constant.result.history[1]);
    // The second epoch of a rate of its own, r / 1.1^0.75, from the same state.
    const checkpoints = openCheckpoints(folder, 'eann');
    await run({ maxEpochs: 1 }, { checkpoints });
    const second = await run(
      { maxEpochs: 2, learningRate: OPTIONS.learningRate / 1.1 ** 0.75 },
      { checkpoints },
    );
    expect(second.logits).toEqual(lowered.logits);
  });

  it('lowers the rate step by step to almost nothing', () => {
    const rates = [1, 2, 5].map((epoch) =>
      rateOf({ learningRate: 1, schedule: 'linear', maxEpochs: 5 }, epoch),
    );
    expect(rates.map((rate) => rate.toFixed(3))).toEqual(['1.000', '0.800', '0.200']);
  });

  it('keeps moving averages in checkpoint and best weights', async () => {
    const build = (): Network => {
      const input = tf.input({ shape: [15, 100] });
      const norm = tf.layers.batchNormalization({ name: 'norm' });
      const dense = tf.layers.dense({
        units: 1,
        kernelInitializer: tf.initializers.glorotUniform({ seed: 3 }),
      });
      const flat = tf.layers.flatten();
      const layers = tf.model({
        inputs: input,
        outputs: dense.apply(norm.apply(flat.apply(input))) as never,
      });
      return {
        layers,
        forward: (batch, step) =>
          tf.tidy(() => {
            const x = norm.apply(flat.apply(batch.words as Tensor2D) as Tensor2D, {
              training: step !== undefined,
            });
            return dense.apply(x as Tensor2D) as Tensor2D;
          }),
        dispose: () => layers.dispose(),
      };
    };
    const data = { train: labelled(96, SIGMOID, 1), dev: labelled(48, SIGMOID, 2) };
    const checkpoints = openCheckpoints(folder, 'norm');
    const whole = build();
    await train(tf, whole, SIGMOID, data, { ...OPTIONS, maxEpochs: 2 }, QUIET);
    const first = build();
    await train(tf, first, SIGMOID, data, { ...OPTIONS, maxEpochs: 1 }, { ...QUIET, checkpoints });
    const resumed = build();
    await train(tf, resumed, SIGMOID, data, { ...OPTIONS, maxEpochs: 2 }, { ...QUIET, checkpoints });
    const logits = (network: Network): Float32Array => predict(tf, network, SIGMOID, data.dev.table);
    expect(logits(resumed)).toEqual(logits(whole));
    expect(logits(first)).not.toEqual(logits(whole));
    for (const network of [whole, first, resumed]) network.dispose();
  });

  it('trains both branches of MMN on pairs, and leaves the picture branch alone where there are no pictures', async () => {
    const pixels = drawnPictures(16);
    const none: ColumnSource = { shape: [15, 100], write: () => {} };
    const pictured: ColumnSource = {
      shape: [64, 64, 3],
      write: (i, out) =>
        pixels.subarray(i * 12_288, (i + 1) * 12_288).forEach((value, k) => {
          out[k] = value / 255;
        }),
    };
    const labels = Float32Array.from({ length: 16 }, (_, i) => i % 2);
    const pairs: Labelled = { table: tableOf(16, { words: none, pixels: pictured }), labels };
    const alone: Labelled = { table: tableOf(16, { words: none }), labels };
    const network = buildMmn(tf, MMN_DEFAULTS, SIGMOID, 2);
    const image = (): Float32Array =>
      network.layers.getLayer('image_dense').getWeights()[0]?.dataSync().slice() as Float32Array;
    const fresh = image();
    await train(tf, network, SIGMOID, { train: alone, dev: alone }, { ...OPTIONS, maxEpochs: 1 }, QUIET);
    expect(image()).toEqual(fresh);
    await train(tf, network, SIGMOID, { train: pairs, dev: pairs }, { ...OPTIONS, batch: 8 }, QUIET);
    expect(image()).not.toEqual(fresh);
    const logits = predict(tf, network, SIGMOID, pairs.table);
    expect([...labels].every((label, i) => (logits[i] as number) > 0 === (label === 1))).toBe(true);
    network.dispose();
  });

  it('leaves no tensor behind in 200 steps and 200 load and dispose cycles', async () => {
    await run({ batch: 12, maxEpochs: 25, patience: 25 });
    expect(tf.memory().numTensors).toBe(before);
    const saved = textCnn.build(tf, textCnn.defaults, NO_DIMS, SIGMOID, 1);
    const files = await saveNetwork(tf, saved.layers);
    saved.dispose();
    for (let i = 0; i < 200; i += 1) {
      const network = textCnn.build(tf, textCnn.defaults, NO_DIMS, SIGMOID, 2);
      setWeights(tf, network.layers, files);
      network.dispose();
    }
    expect(tf.memory().numTensors).toBe(before);
  });
});

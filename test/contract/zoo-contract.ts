/** What every architecture of the zoo keeps, on every engine: one suite. */
import { createHash } from 'node:crypto';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Tf } from '../../src/models/engine/tf.ts';
import { saveNetwork, setWeights } from '../../src/models/network-files.ts';
import {
  type Architecture,
  type Batch,
  type Head,
  type Network,
  type Step,
  trainingPass,
} from '../../src/models/zoo/contract.ts';
import { ZOO } from '../../src/models/zoo/zoo.ts';
import { crossEntropy } from '../../src/training/objective.ts';
import { TINY_DIMS, tinyBatch, tinyLabels } from '../support/tiny-encoder.ts';

const HEADS: readonly Head[] = [
  { kind: 'sigmoid', outputs: 1 },
  { kind: 'softmax', outputs: 2 },
];
/** Steps that eight samples may take; most networks need about twenty. */
const OVERFIT_STEPS = 200;
const SMALL_LOSS = 0.1;

const rowsOf = (tf: Tf, batch: Batch, from: number, size: number): Batch =>
  Object.fromEntries(
    Object.entries(batch).map(([column, x]) => [
      column,
      tf.slice(x as Tensor, [from, ...x.shape.slice(1).map(() => 0)], [size, ...x.shape.slice(1)]),
    ]),
  );

const weightsOf = (network: Network): Float32Array[] =>
  network.layers.weights.map((weight) => weight.read().dataSync() as Float32Array);

/** Large arrays compare far faster by their hash. */
const hashOf = (network: Network): string => {
  const hash = createHash('sha256');
  for (const values of weightsOf(network)) hash.update(values);
  return hash.digest('hex');
};

const largestGap = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);
};

/** Registers the suite. @param open opens the engine that all of it runs on */
export function zooContract(engine: string, open: () => Promise<Tf>): void {
  let tf: Tf;
  let before: number;

  beforeAll(async () => {
    tf = await open();
  });
  beforeEach(() => {
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });

  /** Builds, hands over network and batch, and disposes of all of it. */
  const using = async <T>(
    row: Architecture,
    head: Head,
    seed: number,
    work: (network: Network, batch: Batch, labels: Tensor2D) => T | Promise<T>,
  ): Promise<T> => {
    const network = row.build(tf, row.defaults, TINY_DIMS, head, seed);
    const batch = tinyBatch(tf, row.columns(row.defaults), 8);
    const labels = tinyLabels(tf, head, 8);
    try {
      return await work(network, batch, labels);
    } finally {
      tf.dispose([batch, labels] as never);
      network.dispose();
    }
  };

  /** Trains in place. `enough` looks at the network after every fifth step. Returns the losses. */
  const trainSteps = (
    head: Head,
    { network, batch, labels }: { network: Network; batch: Batch; labels: Tensor2D },
    steps: number,
    enough: () => boolean = () => false,
  ): number[] => {
    const optimiser = tf.train.adam(3e-3);
    const losses: number[] = [];
    for (let done = 0; done < steps && !(done % 5 === 0 && enough()); done += 1) {
      const step: Step = { seed: 1 + done, done, total: steps };
      const loss = optimiser.minimize(
        () => {
          const { logits, auxiliary } = trainingPass(network, batch, labels, step);
          const main = crossEntropy(tf, head, logits, labels, null);
          return auxiliary ? tf.add(main, auxiliary) : main;
        },
        true,
        network.trainable?.(),
      );
      losses.push(loss?.dataSync()[0] as number);
      loss?.dispose();
    }
    optimiser.dispose();
    return losses;
  };

  describe.each(ZOO.map((row) => [row.name, row] as const))(`%s on ${engine}`, (_, row) => {
    it.each(HEADS)('gives one finite logit a row and output, with a $kind head of $outputs', (head) =>
      using(row, head, 3, (network, batch) => {
        const logits = tf.tidy(() => {
          const result = network.forward(batch);
          expect(result.shape).toEqual([8, head.outputs]);
          return result.dataSync();
        });
        expect(logits.every(Number.isFinite)).toBe(true);
      }),
    );

    it('has the same weights for the same seed, others for another', async () => {
      const head = HEADS[0] as Head;
      const [first, again, other] = [
        await using(row, head, 3, hashOf),
        await using(row, head, 3, hashOf),
        await using(row, head, 4, hashOf),
      ];
      expect(again).toEqual(first);
      expect(other).not.toEqual(first);
    });

    it.each(HEADS)('trains two steps, the same way each time, with a $kind head', async (head) => {
      const run = (): Promise<{ fresh: string; losses: number[]; trained: string }> =>
        using(row, head, 3, (network, batch, labels) => {
          const fresh = hashOf(network);
          const losses = trainSteps(head, { network, batch, labels }, 2);
          expect(weightsOf(network).every((values) => values.every(Number.isFinite))).toBe(true);
          return { fresh, losses, trained: hashOf(network) };
        });
      const first = await run();
      expect(first.losses.every(Number.isFinite)).toBe(true);
      expect(first.trained).not.toBe(first.fresh);
      expect(await run()).toEqual(first);
    });

    it('gives the same loss and gradients in one training pass as in two', () =>
      using(row, HEADS[1] as Head, 3, (network, batch) => {
        const labels = tinyLabels(tf, HEADS[1] as Head, 8);
        const step: Step = { seed: 5, done: 1, total: 4 };
        const { both: _, ...twice } = network;
        const [once, apart] = [network, twice].map((way) =>
          tf.tidy(() => {
            const { value, grads } = tf.variableGrads(() => {
              const { logits, auxiliary } = trainingPass(way, batch, labels, step);
              const main = crossEntropy(tf, HEADS[1] as Head, logits, labels, null);
              return auxiliary ? tf.add(main, auxiliary) : main;
            }, network.trainable?.() ?? undefined);
            return [value, ...Object.values(grads)].flatMap((x) => Array.from(x.dataSync()));
          }),
        );
        labels.dispose();
        expect(largestGap(once as number[], apart as number[])).toBeLessThan(1e-5);
      }));

    it.each(HEADS)('overfits eight samples with a $kind head', (head) =>
      using(row, head, 3, (network, batch, labels) => {
        const judge = (): { loss: number; right: number } =>
          tf.tidy(() => {
            const logits = network.forward(batch);
            const loss = crossEntropy(tf, head, logits, labels, null).dataSync()[0] as number;
            const guess = head.kind === 'softmax' ? tf.argMax(logits, 1) : tf.greater(logits.flatten(), 0);
            const truth = head.kind === 'softmax' ? tf.argMax(labels, 1) : labels.flatten();
            return {
              loss,
              right: tf.sum(tf.equal(guess.cast('int32'), truth.cast('int32'))).dataSync()[0] as number,
            };
          });
        trainSteps(head, { network, batch, labels }, OVERFIT_STEPS, () => judge().loss < SMALL_LOSS);
        const { loss, right } = judge();
        expect(right).toBe(8);
        expect(loss).toBeLessThan(SMALL_LOSS);
      }),
    );

    it('gives a row the same logits whoever its neighbours are, and each time', () =>
      using(row, HEADS[1] as Head, 3, (network, batch, labels) => {
        trainSteps(HEADS[1] as Head, { network, batch, labels }, 2);
        tf.tidy(() => {
          const whole = network.forward(batch).dataSync();
          expect(network.forward(batch).dataSync()).toEqual(whole);
          for (const [from, size] of [
            [0, 1],
            [5, 1],
            [2, 3],
          ] as const) {
            const part = network.forward(rowsOf(tf, batch, from, size)).dataSync();
            expect(largestGap(part, whole.slice(2 * from, 2 * (from + size)))).toBeLessThan(1e-5);
          }
        });
      }));

    it('has the same logits after save and load into a network of another seed', () =>
      using(row, HEADS[0] as Head, 3, async (network, batch, labels) => {
        trainSteps(HEADS[0] as Head, { network, batch, labels }, 2);
        const files = await saveNetwork(tf, network.layers);
        const loaded = row.build(tf, row.defaults, TINY_DIMS, HEADS[0] as Head, 99);
        const logits = (of: Network): Float32Array =>
          tf.tidy(() => of.forward(batch).dataSync()) as Float32Array;
        expect(logits(loaded)).not.toEqual(logits(network));
        setWeights(tf, loaded.layers, files);
        expect(logits(loaded)).toEqual(logits(network));
        loaded.dispose();
      }));

    it('cannot be given the weights of another network', () =>
      using(row, HEADS[0] as Head, 3, async (network) => {
        const other = row.build(tf, row.defaults, TINY_DIMS, { kind: 'softmax', outputs: 3 }, 3);
        const files = await saveNetwork(tf, other.layers);
        other.dispose();
        expect(() => setWeights(tf, network.layers, files)).toThrow(/weights of its files/);
      }));

    it('says where it comes from, and has a config that JSON keeps', () => {
      expect(row.source.length).toBeGreaterThan(20);
      expect(JSON.parse(JSON.stringify(row.defaults))).toEqual(row.defaults);
    });
  });
}

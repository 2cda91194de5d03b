/** CAFE-lite: ambiguity from Gaussians, pairs that do not belong together, and a loss that tells them from the others. */
import type { Scalar, Tensor, Tensor2D, Variable } from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { ambiguity, cafeLite, mismatch } from '../../../../src/models/zoo/cafe-lite.ts';
import type { Batch, Network } from '../../../../src/models/zoo/contract.ts';
import { zooOnWasm } from '../../../support/zoo-on-wasm.ts';

const zoo = zooOnWasm();
const alignment = (network: Network, batch: Batch, labels: number[], seed = 1): number =>
  network
    .auxiliaryLoss?.(batch, zoo.tf.tensor2d(labels, [8, 1]), { seed, done: 0, total: 1 })
    .dataSync()[0] as number;

it('is least ambiguous where text and picture have the same Gaussian', () => {
  const { tf } = zoo;
  tf.tidy(() => {
    const at = (x: number) => ({ mean: tf.tensor2d([[x, 0]]), logVariance: tf.zeros([1, 2]) as never });
    const values = [0, 0.5, 1, 3].map((x) => ambiguity(tf, at(0), at(x)).dataSync()[0] as number);
    expect(values[0]).toBeCloseTo(0.5, 6);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(values[3]).toBeGreaterThan(0.98);
  });
});

it('pairs nobody with its own picture, and needs two posts', () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const rows = [1, 4, 5, 7];
    const others = mismatch(rows, seed);
    expect(others.every((other, i) => other !== rows[i])).toBe(true);
    expect([...others].sort()).toEqual(rows);
  }
  expect(mismatch([3], 1)).toEqual([]);
});

it('aligns true posts only: none, or one, gives no loss', () => {
  zoo.using(cafeLite, (network, batch) => {
    expect(alignment(network, batch, [1, 1, 1, 1, 1, 1, 1, 1])).toBe(0);
    expect(alignment(network, batch, [1, 1, 0, 1, 1, 1, 1, 1])).toBe(0);
    expect(alignment(network, batch, [0, 0, 0, 0, 1, 1, 1, 1])).toBeGreaterThan(0);
  });
});

it('does not push a text away from a picture that is its own', () => {
  const sure = { ...cafeLite, defaults: { ...cafeLite.defaults, dropout: 0 } };
  zoo.using(sure, (network, batch) => {
    const { tf } = zoo;
    const one = tf.tile(tf.slice(batch.imageFeatures as Tensor, [0, 0], [1, 12]), [8, 1]);
    // Equal pictures are normalised to zero, so each pair costs 1; were the others counted too, the mean would be 0.5.
    expect(alignment(network, { ...batch, imageFeatures: one }, Array(8).fill(0))).toBeCloseTo(1, 3);
    expect(alignment(network, batch, Array(8).fill(0))).toBeLessThan(0.9);
  });
});

it('learns which text and picture belong together', () => {
  zoo.using(cafeLite, (network, batch) => {
    const { tf } = zoo;
    const optimiser = tf.train.adam(3e-3);
    const labels = tf.zeros([8, 1]) as Tensor2D;
    const losses = Array.from(
      { length: 40 },
      (_, done) =>
        optimiser
          .minimize(
            () => network.auxiliaryLoss?.(batch, labels, { seed: 1, done, total: 40 }) as Scalar,
            true,
            network.layers.trainableWeights
              .filter(({ name }) => /^(text|image)_(narrow|shared|aligned)/.test(name))
              .map((weight) => weight.read() as Variable),
          )
          ?.dataSync()[0],
    ) as number[];
    optimiser.dispose();
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 2);
  });
});

/** Divergences against figures worked out by hand, and draws that have the mean and the variance asked for. */
import { expect, it } from 'vitest';
import {
  divergence,
  divergenceFromStandard,
  type Gaussian,
  sample,
  symmetricDivergence,
} from '../../../../src/models/zoo/gaussians.ts';
import { zooOnWasm } from '../../../support/zoo-on-wasm.ts';

const zoo = zooOnWasm();
const gaussian = (mean: number[], variance: number[]): Gaussian => ({
  mean: zoo.tf.tensor2d([mean]),
  logVariance: zoo.tf.log(zoo.tf.tensor2d([variance])),
});

it('is zero for equal Gaussians and positive for others, in both directions', () => {
  const { tf } = zoo;
  tf.tidy(() => {
    const p = gaussian([1, -2], [0.5, 3]);
    const q = gaussian([0, -2], [2, 3]);
    expect(divergence(tf, p, gaussian([1, -2], [0.5, 3])).dataSync()[0]).toBeCloseTo(0, 6);
    // ½ (σp²/σq² + (μp - μq)²/σq² - 1 + ln σq²/σp²) of the first dimension; the second adds nothing
    expect(divergence(tf, p, q).dataSync()[0]).toBeCloseTo(0.5 * (0.25 + 0.5 - 1 + Math.log(4)), 5);
    expect(divergence(tf, q, p).dataSync()[0]).toBeCloseTo(0.5 * (4 + 2 - 1 - Math.log(4)), 5);
    expect(symmetricDivergence(tf, p, q).dataSync()[0]).toBeCloseTo(0.5 * (0.5 * 0.75 + 0.5 * 4), 5);
  });
});

it('is zero for the standard Gaussian and 0.5 a dimension for one that lies one deviation off', () => {
  const { tf } = zoo;
  tf.tidy(() => {
    expect(divergenceFromStandard(tf, gaussian([0, 0, 0], [1, 1, 1])).dataSync()[0]).toBeCloseTo(0, 6);
    expect(divergenceFromStandard(tf, gaussian([1, -1, 0], [1, 1, 1])).dataSync()[0]).toBeCloseTo(1, 5);
  });
});

it('draws around the mean, as wide as the variance says, the same for the same seed', () => {
  const { tf } = zoo;
  tf.tidy(() => {
    const wide = { mean: tf.fill([2_000, 1], 5), logVariance: tf.fill([2_000, 1], Math.log(4)) } as Gaussian;
    const drawn = sample(tf, wide, 7);
    const { mean, variance } = tf.moments(drawn);
    expect(mean.dataSync()[0]).toBeCloseTo(5, 0);
    expect(Math.sqrt(variance.dataSync()[0] as number)).toBeCloseTo(2, 0);
    expect(sample(tf, wide, 7).dataSync()).toEqual(drawn.dataSync());
    expect(sample(tf, wide, 8).dataSync()).not.toEqual(drawn.dataSync());
  });
});

/** Crafting pictures inside a training step: FGSM and PGD from a random start (Madry et al. 2018; Wong et al. 2020). */
import type { Scalar, Tensor4D } from '@tensorflow/tfjs';
import { lossPerPost } from '../adversarial/victim.ts';
import { seededRandom } from '../base/random.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Head, Network } from '../models/zoo/contract.ts';
import type { LabelledBatch } from './train.ts';

export interface PixelClimb {
  /** Largest change of a pixel, pixels being in [0, 1]. */
  readonly epsilon: number;
  readonly steps: number;
  /** Change of a pixel per step. */
  readonly stepSize: number;
}

/** MMAT's bound, 25.5/255: visibly noisy. */
export const PAPER_EPSILON = 0.1;
/** The field's bound, and the one that pictures are trained against. */
export const FIELD_EPSILON: number = 8 / 255;

/** One step of five quarters of the bound (Wong et al. 2020, "Fast is better than free"). */
export const fgsmClimb = (epsilon: number): PixelClimb => ({ epsilon, steps: 1, stepSize: 1.25 * epsilon });
/** Seven steps of a quarter (Madry et al. 2018). */
export const pgdClimb = (epsilon: number): PixelClimb => ({ epsilon, steps: 7, stepSize: epsilon / 4 });

/** What is climbed against. */
interface Climbed {
  readonly tf: Tf;
  readonly network: Network;
  readonly head: Head;
}

/**
 * The pictures of a batch after sign steps up the loss from a random start, within the bound and [0, 1]. Dropout is off.
 * [b, 64, 64, 3]
 * @param seed of the start
 */
export function climbPixels(
  { tf, network, head }: Climbed,
  { batch, labels }: LabelledBatch,
  { epsilon, steps, stepSize }: PixelClimb,
  seed: number,
): Tensor4D {
  const clean = batch.pixels as Tensor4D;
  const lowest = tf.maximum(tf.sub(clean, epsilon), 0);
  const highest = tf.minimum(tf.add(clean, epsilon), 1);
  const bounded = (pixels: Tensor4D): Tensor4D => tf.maximum(tf.minimum(pixels, highest), lowest);
  const slope = tf.grad((pixels) =>
    tf.sum<Scalar>(lossPerPost(tf, head, network.forward({ ...batch, pixels: pixels as Tensor4D }), labels)),
  );
  let now = bounded(tf.add(clean, noise(tf, clean.shape, epsilon, seed)));
  for (let step = 0; step < steps; step += 1)
    now = bounded(tf.add(now, tf.mul(tf.sign(slope(now)), stepSize)));
  return now;
}

/** Uniform within ± epsilon. */
function noise(tf: Tf, shape: Tensor4D['shape'], epsilon: number, seed: number): Tensor4D {
  const random = seededRandom(seed);
  const values = new Float32Array(shape.reduce((product, side) => product * side, 1));
  for (let i = 0; i < values.length; i += 1) values[i] = epsilon * (2 * random() - 1);
  return tf.tensor4d(values, shape);
}

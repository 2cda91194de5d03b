/** Dropped units that a seed decides: the same seed drops the same units, on every backend. */
import type { Tensor } from '@tensorflow/tfjs';
import type { Tf } from '../engine/tf.ts';

/**
 * Sets a share of the units to zero and scales the others up, so that the expected sum stays. Keras' Dropout layer would
 * draw one mask for ever from a fixed seed (decision 10), so networks drop in `forward` with this.
 * @param rate share of the units that are dropped
 * @param seed of this place in this step: `step.seed` with something added that no other place of the network adds
 */
export function dropUnits<T extends Tensor>(tf: Tf, x: T, rate: number, seed: number): T {
  return (rate === 0 ? x : tf.dropout(x, rate, undefined, seed)) as T;
}

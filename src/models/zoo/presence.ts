/** A modality that a post has not: its representation is zero, whatever stands in its columns. */
import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import type { Tf } from '../engine/tf.ts';

/** Columns of `present`. */
const PLACE = { text: 0, image: 1 } as const;

/** 1 for a row that has the modality, 0 for one that has not. [b, 2] → [b, 1] */
export const has = (tf: Tf, present: Tensor | undefined, modality: keyof typeof PLACE): Tensor2D =>
  tf.slice(present as Tensor2D, [0, PLACE[modality]], [-1, 1]);

/**
 * `present` with one modality of some pairs hidden, so that the network knows posts that lack one; a row that has only one
 * keeps it. [b, 2]
 * @param share of the pairs that lose their text, and as many that lose their picture
 */
export function hideModalities(tf: Tf, present: Tensor, share: number, seed: number): Tensor {
  const chance = tf.randomUniform([present.shape[0] as number, 1], 0, 1, 'float32', seed);
  const kept = tf.cast(tf.concat([tf.greaterEqual(chance, share), tf.less(chance, 1 - share)], 1), 'float32');
  const pair = tf.prod(present, 1, true); // [b, 1]
  return tf.mul(present, tf.sub(1, tf.mul(pair, tf.sub(1, kept))));
}

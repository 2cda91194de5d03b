/** What is read from a sequence of words: which positions count, their mean, the last of them. */
import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import type { Tf } from '../engine/tf.ts';

/** 1 for a known word, 0 for padding and unknown words, whose vectors are zero. [b, t, d] → [b, t] */
export const knownWords = (tf: Tf, words: Tensor3D): Tensor2D =>
  tf.cast(tf.any(tf.notEqual(words, 0), 2), 'float32');

/** Mean of the states that count; zero where none does. [b, t, n], [b, t] → [b, n] */
export function maskedMean(tf: Tf, states: Tensor3D, mask: Tensor2D): Tensor2D {
  const sum = tf.sum(tf.mul(states, tf.expandDims(mask, 2)), 1);
  return tf.div(sum, tf.maximum(tf.sum(mask, 1, true), 1));
}

/** The last state that counts; zero where none does. [b, t, n], [b, t] → [b, n] */
export function lastState(tf: Tf, states: Tensor3D, mask: Tensor2D): Tensor2D {
  const [, length] = mask.shape;
  const position = tf.mul(mask, tf.range(1, length + 1)); // 0 where it does not count
  const isLast = tf.mul(mask, tf.cast(tf.equal(position, tf.max(position, 1, true)), 'float32'));
  return tf.sum(tf.mul(states, tf.expandDims(isLast, 2)), 1);
}

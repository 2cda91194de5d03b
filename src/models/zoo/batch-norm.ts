/** Batch normalisation in batches where some rows have nothing to normalise. */
import type { layers, Tensor, Tensor2D, Variable } from '@tensorflow/tfjs';
import type { Tf } from '../engine/tf.ts';

/** Torch's defaults, as the public code of the papers' family has them. */
export const NORM_EPSILON = 1e-5;
const NORM_MOMENTUM = 0.9;

/**
 * Batch normalisation whose statistics come from the rows that count only: a post without a picture must not pull the mean of
 * the pictures to zero. Training uses the batch's statistics and moves the stored ones; serving uses the stored ones.
 * x [b, n], counted [b, 1] → [b, n]
 */
export function normalise(
  tf: Tf,
  layer: layers.Layer,
  x: Tensor2D,
  counted: Tensor2D | undefined,
  training: boolean,
): Tensor2D {
  const [gamma, beta, mean, variance] = layer.weights.map((weight) => weight.read() as Variable) as [
    Variable,
    Variable,
    Variable,
    Variable,
  ];
  const epsilon = layer.getConfig()['epsilon'] as number;
  const apply = (m: Tensor, v: Tensor): Tensor2D =>
    tf.add(tf.mul(tf.mul(tf.sub(x, m), tf.rsqrt(tf.add(v, epsilon))), gamma), beta);
  if (!training) return apply(mean, variance);
  const weight = counted ?? (tf.ones([x.shape[0], 1]) as Tensor2D);
  const rows = tf.sum(weight);
  const atLeastOne = tf.maximum(rows, 1);
  const batchMean = tf.div(tf.sum(tf.mul(x, weight), 0), atLeastOne);
  const batchVariance = tf.div(tf.sum(tf.mul(tf.square(tf.sub(x, batchMean)), weight), 0), atLeastOne);
  const others = tf.sub(rows, 1);
  const rate = tf.mul(1 - NORM_MOMENTUM, tf.clipByValue(others, 0, 1)); // one row has no variance: nothing moves
  const unbiased = tf.mul(batchVariance, tf.div(rows, tf.maximum(others, 1)));
  mean.assign(tf.add(mean, tf.mul(rate, tf.sub(batchMean, mean))));
  variance.assign(tf.add(variance, tf.mul(rate, tf.sub(unbiased, variance))));
  return apply(batchMean, batchVariance);
}

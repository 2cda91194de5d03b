/** What training minimises: the cross-entropy that belongs to a head. */
import type { Scalar, Tensor2D } from '@tensorflow/tfjs';
import type { Tf } from '../models/engine/tf.ts';
import type { Head } from '../models/zoo/contract.ts';

/**
 * Weights of the classes. Sigmoid: [for a 0, for a 1] of each output. Softmax: one number for each class in `[0]`.
 */
export type ClassWeights = readonly (readonly number[])[];

/**
 * Mean cross-entropy of a batch, weighted by class.
 * @param logits [b, outputs]
 * @param labels sigmoid: 0 or 1 for each output; softmax: one-hot. [b, outputs]
 */
export function crossEntropy(
  tf: Tf,
  head: Head,
  logits: Tensor2D,
  labels: Tensor2D,
  classWeights: ClassWeights | null,
): Scalar {
  return tf.tidy(() => {
    if (head.kind === 'softmax') {
      const weights = classWeights ? tf.sum(tf.mul(labels, tf.tensor1d([...(classWeights[0] ?? [])])), 1) : 1;
      return tf.losses.softmaxCrossEntropy(
        labels,
        logits,
        weights as Tensor2D,
        0,
        tf.Reduction.MEAN,
      ) as Scalar;
    }
    if (!classWeights)
      return tf.losses.sigmoidCrossEntropy(labels, logits, undefined, 0, tf.Reduction.MEAN) as Scalar;
    const weightOf = (value: 0 | 1): Tensor2D =>
      tf.tensor2d([classWeights.map((pair) => pair[value] as number)]);
    const weights = tf.add(tf.mul(labels, weightOf(1)), tf.mul(tf.sub(1, labels), weightOf(0)));
    return tf.losses.sigmoidCrossEntropy(labels, logits, weights, 0, tf.Reduction.MEAN) as Scalar;
  });
}

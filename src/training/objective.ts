/** What training minimises and watches: the cross-entropy that belongs to a head, class weights, macro-F1. */
import type { Scalar, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import type { Tf } from '../models/engine/tf.ts';
import type { Head } from '../models/zoo/contract.ts';

/** Softmax: a weight for each class. Sigmoid: for each output the weights of 0 and of 1. */
export type ClassWeights =
  | { readonly kind: 'softmax'; readonly weights: readonly number[] }
  | { readonly kind: 'sigmoid'; readonly weights: readonly (readonly [number, number])[] };

/** Weights under which every class counts the same in sum, whatever its size; those of an absent class are never used. */
export function balancedWeights(head: Head, labels: Float32Array): ClassWeights {
  const rows = labels.length / head.outputs;
  const positives = Array.from({ length: head.outputs }, (_, k) => {
    let sum = 0;
    for (let i = k; i < labels.length; i += head.outputs) sum += labels[i] as number;
    return sum;
  });
  const weight = (size: number, classes: number): number => rows / (classes * Math.max(1, size));
  return head.kind === 'softmax'
    ? { kind: 'softmax', weights: positives.map((size) => weight(size, head.outputs)) }
    : {
        kind: 'sigmoid',
        weights: positives.map((size) => [weight(rows - size, 2), weight(size, 2)] as const),
      };
}

/**
 * Mean cross-entropy of a batch, weighted by class.
 * @param logits [b, outputs]
 * @param labels 0 or 1, one-hot under a softmax head. [b, outputs]
 */
export function crossEntropy(
  tf: Tf,
  head: Head,
  logits: Tensor2D,
  labels: Tensor2D,
  classWeights: ClassWeights | null,
): Scalar {
  const { softmaxCrossEntropy, sigmoidCrossEntropy } = tf.losses;
  const { MEAN } = tf.Reduction;
  return tf.tidy(() => {
    if (head.kind === 'softmax') {
      const weights =
        classWeights?.kind === 'softmax'
          ? tf.sum<Tensor1D>(tf.mul(labels, tf.tensor1d([...classWeights.weights])), 1)
          : undefined;
      return softmaxCrossEntropy(labels, logits, weights, 0, MEAN) as Scalar;
    }
    const weightsOf = (value: 0 | 1): Tensor2D =>
      tf.tensor2d([classWeights?.kind === 'sigmoid' ? classWeights.weights.map((pair) => pair[value]) : [1]]);
    const weights = tf.add(tf.mul(labels, weightsOf(1)), tf.mul(tf.sub(1, labels), weightsOf(0)));
    return sigmoidCrossEntropy(labels, logits, weights, 0, MEAN) as Scalar;
  });
}

/**
 * Weighted cross-entropy per row, macro-F1 over all classes (of all outputs) and balanced accuracy (mean recall of the
 * classes that occur), answers being the likelier ones.
 */
export function judge(
  head: Head,
  logits: Float32Array,
  labels: Float32Array,
  classWeights: ClassWeights | null,
): { loss: number; macroF1: number; balancedAccuracy: number } {
  const { outputs } = head;
  const rows = labels.length / outputs;
  const counts = Array.from({ length: outputs }, () => ({ tp: 0, fp: 0, fn: 0, tn: 0 }));
  let loss = 0;
  for (let i = 0; i < rows; i += 1) {
    const z = logits.subarray(i * outputs, (i + 1) * outputs);
    const y = labels.subarray(i * outputs, (i + 1) * outputs);
    loss += head.kind === 'softmax' ? softmaxLoss(z, y, classWeights) : sigmoidLoss(z, y, classWeights);
    const top = z.indexOf(Math.max(...z));
    counts.forEach((count, k) => {
      const said = head.kind === 'softmax' ? k === top : (z[k] as number) >= 0;
      const truth = y[k] === 1;
      count[said ? (truth ? 'tp' : 'fp') : truth ? 'fn' : 'tn'] += 1;
    });
  }
  const f1 = (hits: number, wrong: number): number => (hits === 0 ? 0 : (2 * hits) / (2 * hits + wrong));
  const scores = counts.flatMap(({ tp, fp, fn, tn }) =>
    head.kind === 'softmax' ? [f1(tp, fp + fn)] : [f1(tp, fp + fn), f1(tn, fp + fn)],
  );
  const recalls = counts
    .flatMap(({ tp, fp, fn, tn }) =>
      head.kind === 'softmax'
        ? [[tp, tp + fn]]
        : [
            [tp, tp + fn],
            [tn, tn + fp],
          ],
    )
    .flatMap(([hits = 0, size = 0]) => (size === 0 ? [] : [hits / size]));
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return { loss: loss / Math.max(1, rows), macroF1: mean(scores), balancedAccuracy: mean(recalls) };
}

function softmaxLoss(z: Float32Array, y: Float32Array, classWeights: ClassWeights | null): number {
  const truth = y.indexOf(1);
  const highest = Math.max(...z);
  const logSum = highest + Math.log(z.reduce((sum, value) => sum + Math.exp(value - highest), 0));
  const weight = classWeights?.kind === 'softmax' ? (classWeights.weights[truth] as number) : 1;
  return weight * (logSum - (z[truth] as number));
}

function sigmoidLoss(z: Float32Array, y: Float32Array, classWeights: ClassWeights | null): number {
  let sum = 0;
  z.forEach((value, k) => {
    const truth = y[k] as 0 | 1;
    const weight = classWeights?.kind === 'sigmoid' ? (classWeights.weights[k]?.[truth] as number) : 1;
    sum += weight * (Math.max(value, 0) - value * truth + Math.log1p(Math.exp(-Math.abs(value))));
  });
  return sum / z.length;
}

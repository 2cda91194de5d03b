/** Where a network's answer tips from no to yes: found on dev by one rule; and its answers with that (decision 36). */
import { sigmoid } from '../measure.ts';

/** Halvings of the range of logits, which leave nothing of it that a float32 could tell. */
const HALVINGS = 40;

/**
 * The logit from which on the answer is to be yes, so that both classes are answered equally well: the mean probability of yes
 * over the positives is that of no over the negatives. That is where the cross-entropy with balanced class weights is least; it
 * moves less from sample to sample than equal recalls do, which hang on the few posts near it. 0 where a class is absent.
 */
export function tippingPoint(logits: Float32Array, labels: Float32Array): number {
  const [positives, negatives] = [1, 0].map((answer) => logits.filter((_, i) => labels[i] === answer)) as [
    Float32Array,
    Float32Array,
  ];
  if (positives.length === 0 || negatives.length === 0) return 0;
  let [low, high] = [Math.min(...logits), Math.max(...logits)];
  for (let step = 0; step < HALVINGS; step += 1) {
    const point = (low + high) / 2;
    if (meanYes(positives, point) > 1 - meanYes(negatives, point)) low = point;
    else high = point;
  }
  return (low + high) / 2;
}

const meanYes = (logits: Float32Array, point: number): number =>
  logits.reduce((sum, z) => sum + sigmoid(z - point), 0) / logits.length;

/**
 * Probabilities of yes of a network whose bias moves that logit to 0. What attacks look at, signs and orders within a post, is the
 * same with either bias, and so are the posts that they craft.
 */
export const tippedAt = (probability: readonly number[], point: number): number[] =>
  probability.map((p) => p / (p + (1 - p) * Math.exp(point)));

/** Whether one model is better than another, and how much of it is chance. */
import { seededRandom } from '../base/random.ts';
import { resampler } from './measure.ts';

/** A difference of means with its 95 % interval. */
export interface Difference {
  readonly value: number;
  readonly interval: readonly [number, number];
}

const RESAMPLES = 2_000;

/**
 * Paired bootstrap of the mean of a − b over the same posts.
 * @param a one figure a post, such as 1 for right and 0 for wrong
 * @param clusters the claim of each post: whole claims are drawn
 */
export function pairedBootstrap(
  a: readonly number[],
  b: readonly number[],
  seed: number,
  clusters?: Int32Array,
): Difference {
  const gap = a.map((value, i) => value - (b[i] as number));
  const random = seededRandom(seed);
  const draw = resampler(gap.length, clusters);
  const mean = (weights: Float64Array): number => {
    let [sum, total] = [0, 0];
    weights.forEach((weight, i) => {
      sum += weight * (gap[i] as number);
      total += weight;
    });
    return sum / Math.max(1, total);
  };
  const drawn = Float64Array.from({ length: RESAMPLES }, () => mean(draw(random))).sort();
  const at = (q: number): number => drawn[Math.round(q * (RESAMPLES - 1))] as number;
  return { value: mean(new Float64Array(gap.length).fill(1)), interval: [at(0.025), at(0.975)] };
}

/**
 * McNemar's exact test, two-sided: the chance of so uneven a division of the posts on which exactly one of two models is
 * right, were both equally good.
 */
export function mcnemar(a: readonly boolean[], b: readonly boolean[]): number {
  const onlyA = a.filter((right, i) => right && !b[i]).length;
  const onlyB = b.filter((right, i) => right && !a[i]).length;
  const n = onlyA + onlyB;
  let tail = 0;
  let logTerm = -n * Math.LN2; // log of C(n, k) / 2^n
  for (let k = 0; k <= Math.min(onlyA, onlyB); k += 1) {
    tail += Math.exp(logTerm);
    logTerm += Math.log(n - k) - Math.log(k + 1);
  }
  return Math.min(1, 2 * tail);
}

/** Student's t at 97.5 % for 1 to 30 degrees of freedom. */
const T = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** The mean over seeds, the standard deviation of one run, and the mean's 95 % t-interval (null for a single run). */
export function overSeeds(values: readonly number[]): {
  readonly mean: number;
  readonly sd: number | null;
  readonly interval: readonly [number, number] | null;
} {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, n);
  if (n < 2) return { mean, sd: null, interval: null };
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  const half = ((T[n - 2] ?? 1.96) * sd) / Math.sqrt(n);
  return { mean, sd, interval: [mean - half, mean + half] };
}

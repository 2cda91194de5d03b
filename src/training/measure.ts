/** How good predictions are: figures with intervals, calibration, thresholds. Pure functions of scores and labels. */

import { type Random, seededRandom } from '../base/random.ts';
import type { Calibration, Measured, Metrics } from '../models/manifest.ts';
import { membersOf } from './groups.ts';

/** Predictions beside the truth, in the same order. */
export interface Scored {
  /** Probability of class 1. */
  readonly probability: readonly number[];
  readonly label: readonly (0 | 1)[];
}

const Z = 1.959964;
const RESAMPLES = 500;
/** Bins of the calibration error and of the reliability curve. */
export const BINS = 15;
const BOOTSTRAP_SEED = 20_240_501;

/** Wilson's 95 % interval of a share. */
export function wilson(hits: number, n: number): readonly [number, number] {
  if (n === 0) return [0, 1];
  const p = hits / n;
  const middle = (p + (Z * Z) / (2 * n)) / (1 + (Z * Z) / n);
  const half = (Z / (1 + (Z * Z) / n)) * Math.sqrt((p * (1 - p)) / n + (Z * Z) / (4 * n * n));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

/**
 * All figures at the threshold 0.5. Accuracy has Wilson's interval, the others that of a seeded bootstrap over posts.
 * @param clusters the cluster of every post (its claim): then all intervals come from a bootstrap over clusters, because
 *   posts of one cluster are right and wrong together
 */
export function measure({ probability, label }: Scored, clusters?: Int32Array): Metrics {
  const n = label.length;
  const order = Int32Array.from(probability.keys()).sort(
    (a, b) => (probability[a] as number) - (probability[b] as number),
  );
  const weights = new Float64Array(n).fill(1);
  const all = figures(probability, label, order, weights);
  const random = seededRandom(BOOTSTRAP_SEED);
  const draw = resampler(n, clusters);
  const samples = Array.from({ length: n === 0 ? 0 : RESAMPLES }, () =>
    figures(probability, label, order, draw(random)),
  );
  const interval = (of: (f: Figures) => number): Measured => {
    const sorted = samples.map(of).sort((a, b) => a - b);
    const at = (q: number): number => rounded(sorted[Math.round(q * (sorted.length - 1))] ?? 0);
    return { value: rounded(of(all)), interval: [at(0.025), at(0.975)] };
  };
  const { tp, tn } = all;
  const accuracy = n === 0 ? 0 : (tp + tn) / n;
  const [low, high] = clusters
    ? interval(({ tp, tn, fp, fn }) => (tp + tn) / (tp + tn + fp + fn)).interval
    : wilson(tp + tn, n);
  return {
    n,
    positives: label.filter((y) => y === 1).length,
    accuracy: { value: rounded(accuracy), interval: [rounded(low), rounded(high)] },
    balancedAccuracy: interval((f) => f.balanced),
    macroF1: interval((f) => f.macroF1),
    auroc: interval((f) => f.auroc),
    ece: rounded(calibrationError({ probability, label })),
    confusion: { tp, fp: all.fp, fn: all.fn, tn },
  };
}

interface Figures {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly tn: number;
  readonly balanced: number;
  readonly macroF1: number;
  readonly auroc: number;
}

/** @param order indexes by rising probability; weights say how often each counts */
function figures(
  probability: readonly number[],
  label: readonly (0 | 1)[],
  order: Int32Array,
  weights: Float64Array,
): Figures {
  let [tp, fp, fn, tn] = [0, 0, 0, 0];
  let below = 0; // negatives with a lower score
  let wins = 0;
  for (let i = 0; i < order.length; ) {
    const score = probability[order[i] as number] as number;
    let [positives, negatives] = [0, 0];
    for (; i < order.length && probability[order[i] as number] === score; i += 1) {
      const weight = weights[order[i] as number] as number;
      if (label[order[i] as number] === 1) positives += weight;
      else negatives += weight;
    }
    wins += positives * (below + negatives / 2);
    below += negatives;
    if (score >= 0.5) {
      tp += positives;
      fp += negatives;
    } else {
      fn += positives;
      tn += negatives;
    }
  }
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  return {
    tp,
    fp,
    fn,
    tn,
    balanced: (share(tp, tp + fn) + share(tn, tn + fp)) / 2,
    macroF1: (share(2 * tp, 2 * tp + fp + fn) + share(2 * tn, 2 * tn + fp + fn)) / 2,
    auroc: share(wins, (tp + fn) * (tn + fp)),
  };
}

/** Draws clusters with replacement and gives how often each post counts. Without clusters each post is its own. */
export function resampler(n: number, clusters?: Int32Array): (random: Random) => Float64Array {
  const members = membersOf(clusters ?? Int32Array.from({ length: n }, (_, i) => i));
  return (random) => {
    const weights = new Float64Array(n);
    for (let i = 0; i < members.length; i += 1)
      for (const post of members[Math.floor(random() * members.length)] as number[])
        weights[post] = (weights[post] as number) + 1;
    return weights;
  };
}

/** Expected calibration error: mean gap between probability and share of positives over 15 bins of equal size. */
export function calibrationError({ probability, label }: Scored): number {
  const order = [...probability.keys()].sort(
    (a, b) => (probability[a] as number) - (probability[b] as number),
  );
  let error = 0;
  for (let bin = 0; bin < BINS; bin += 1) {
    const members = order.slice(
      Math.floor((bin * order.length) / BINS),
      Math.floor(((bin + 1) * order.length) / BINS),
    );
    const gap = members.reduce((sum, i) => sum + (probability[i] as number) - (label[i] as number), 0);
    error += Math.abs(gap) / Math.max(1, order.length);
  }
  return error;
}

/** A model never says the contrary of its logits; where they mean nothing it says the same of everything. */
const LEAST_SCALE = 1e-3;

/**
 * Scale (1 / temperature) and bias that make logits into probabilities, by maximum likelihood (Platt 1999). The bias is
 * there because class weights shift all logits; temperature alone could not take that back.
 */
export function calibrate(logits: readonly number[], label: readonly (0 | 1)[]): Calibration {
  let [scale, bias] = [1, 0];
  for (let step = 0; step < 50; step += 1) {
    // Newton on the cross-entropy, with a touch of ridge so that separable data stay finite.
    let [ga, gb, haa, hab, hbb] = [1e-3 * (scale - 1), 1e-3 * bias, 1e-3, 0, 1e-3];
    logits.forEach((z, i) => {
      const p = sigmoid(scale * z + bias);
      const gap = p - (label[i] as number);
      const w = p * (1 - p);
      ga += gap * z;
      gb += gap;
      haa += w * z * z;
      hab += w * z;
      hbb += w;
    });
    const determinant = haa * hbb - hab * hab;
    let [da, db] = [(hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant];
    // Logits that mean the contrary: the scale stays at its least and the bias is found alone.
    if (scale === LEAST_SCALE && ga > 0) [da, db] = [0, gb / hbb];
    const pace = Math.min(1, 1 / Math.max(Math.abs(da), Math.abs(db), 1e-12));
    scale = Math.max(LEAST_SCALE, scale - pace * da);
    bias -= pace * db;
    if (Math.abs(da) + Math.abs(db) < 1e-9) break;
  }
  return { scale, bias };
}

export const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

/**
 * The widest `yes` (at or above) and `no` (at or below) whose answers are right at least `target` of the time; between
 * them is `unsure`. Where no threshold reaches the target the bounds are 1 and 0, so that everything is unsure.
 * @param least answers that such a figure must rest on
 */
export function chooseThresholds(
  { probability, label }: Scored,
  target: number,
  least = 1,
): { yes: number; no: number } {
  const falling = [...probability.keys()].sort(
    (a, b) => (probability[b] as number) - (probability[a] as number),
  );
  const widest = (order: readonly number[], wanted: 0 | 1, limit: (p: number) => boolean): number | null => {
    let right = 0;
    let found: number | null = null;
    order.forEach((index, i) => {
      const p = probability[index] as number;
      if (label[index] === wanted) right += 1;
      if (!limit(p)) return;
      const next = order[i + 1];
      const closed = next === undefined || probability[next] !== p;
      if (closed && i + 1 >= least && right / (i + 1) >= target) found = p;
    });
    return found;
  };
  return {
    yes: rounded(widest(falling, 1, (p) => p >= 0.5) ?? 1),
    no: rounded(widest([...falling].reverse(), 0, (p) => p < 0.5) ?? 0),
  };
}

/** Five decimals: what a reader needs, and equal on all machines that agree that far. */
export function rounded(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}

/**
 * Whether the labels are still what they were (robustness.md §12): the mix of answers by its population stability index,
 * scores and words by the Kolmogorov–Smirnov distance between a reference (the first events) and a sliding window. Words
 * are looked at as a few fixed random projections of a post's mean word vector, so that another disaster shows although
 * its scores may look the same.
 */
import { seededRandom } from '../base/random.ts';
import type { Decision } from '../event/records.ts';

/** What a label says, as far as drift is concerned. */
export interface Observed {
  readonly decision: Decision;
  readonly probability: number;
  /** Rows of the word table; 0 = padding or unknown. */
  readonly words: ArrayLike<number>;
}

export interface DriftOptions {
  /** Events that the reference is made of. */
  readonly reference: number;
  /** Events that are compared with it. */
  readonly window: number;
  /** Events between two comparisons. */
  readonly every: number;
  /** Least population stability index that is an alarm. */
  readonly psi: number;
  /** Least Kolmogorov–Smirnov distance that is an alarm. */
  readonly ks: number;
}

/**
 * For windows of 1,000 against 10,000: a distance of .1 comes by chance about once in 10⁷ comparisons, and a stability
 * index of .05 more rarely still. What came out on 20 streams stands in docs/operations.md and is measured in the test.
 */
export const DRIFT_DEFAULTS: DriftOptions = {
  reference: 10_000,
  window: 1_000,
  every: 100,
  psi: 0.05,
  ks: 0.1,
};

/** The largest distances of one comparison. */
export interface DriftFigures {
  readonly psi: number;
  readonly ksScores: number;
  readonly ksWords: number;
}

export interface DriftDetector {
  /** Takes one event; gives the figures when they are an alarm. After an alarm the reference is learnt anew. */
  observe(event: Observed): DriftFigures | null;
  /** Of the last comparison; null before the first. */
  figures(): DriftFigures | null;
}

const DIRECTIONS = 12;
const DIRECTION_SEED = 12;
const DECISIONS: readonly Decision[] = ['yes', 'no', 'unsure'];
/** Cuts of a reference distribution at which distances are taken. */
const CUTS = 64;

/**
 * The word table along fixed random directions. [rows, 12]
 * @param vectors [rows, dimensions]
 */
export function projectWords(vectors: Float32Array, dimensions: number): Float32Array {
  const random = seededRandom(DIRECTION_SEED);
  // Sums of uniform numbers are close enough to normal for a direction without preference.
  const directions = Float32Array.from(
    { length: DIRECTIONS * dimensions },
    () => random() + random() + random() - 1.5,
  );
  const rows = vectors.length / dimensions;
  const projected = new Float32Array(rows * DIRECTIONS);
  for (let row = 0; row < rows; row += 1)
    for (let k = 0; k < DIRECTIONS; k += 1) {
      let sum = 0;
      for (let d = 0; d < dimensions; d += 1)
        sum += (vectors[row * dimensions + d] as number) * (directions[k * dimensions + d] as number);
      projected[row * DIRECTIONS + k] = sum;
    }
  return projected;
}

/** @param projected as `projectWords` gives it */
export function createDriftDetector(
  projected: Float32Array,
  options: DriftOptions = DRIFT_DEFAULTS,
): DriftDetector {
  const features = 1 + DIRECTIONS;
  const values = new Float64Array(features);
  let samples = createSamples(features, options);
  let last: DriftFigures | null = null;

  return {
    figures: () => last,
    observe({ decision, probability, words }) {
      values.fill(0);
      let known = 0;
      for (let i = 0; i < words.length; i += 1) {
        const row = words[i] as number;
        if (row === 0) continue;
        known += 1;
        for (let k = 0; k < DIRECTIONS; k += 1)
          values[k + 1] = (values[k + 1] as number) + (projected[row * DIRECTIONS + k] as number);
      }
      for (let k = 1; k < features; k += 1) values[k] = (values[k] as number) / Math.max(1, known);
      values[0] = probability;
      const found = samples.add(DECISIONS.indexOf(decision), values);
      if (!found) return null;
      last = found;
      if (found.psi < options.psi && Math.max(found.ksScores, found.ksWords) < options.ks) return null;
      samples = createSamples(features, options);
      return found;
    },
  };
}

/** Reference and window of all features. */
function createSamples(
  features: number,
  { reference, window, every }: DriftOptions,
): { add(decision: number, values: Float64Array): DriftFigures | null } {
  const learnt = Array.from({ length: features }, () => new Float64Array(reference));
  const referenceMix = new Float64Array(DECISIONS.length);
  const mix = new Float64Array(DECISIONS.length);
  /** By feature: the cuts, the reference's share below each, the window's counts between them. */
  let cuts: Float64Array[] = [];
  let below: Float64Array[] = [];
  const counts = Array.from({ length: features }, () => new Int32Array(CUTS + 1));
  /** What the window holds, so that it can leave again: the decision, then a bin for each feature. */
  const ring = new Uint8Array(window * (features + 1));
  let seen = 0;

  const move = (place: number, by: 1 | -1): void => {
    const at = place * (features + 1);
    const decision = ring[at] as number;
    mix[decision] = (mix[decision] as number) + by;
    for (let f = 0; f < features; f += 1) {
      const bins = counts[f] as Int32Array;
      const bin = ring[at + 1 + f] as number;
      bins[bin] = (bins[bin] as number) + by;
    }
  };

  return {
    add(decision, values) {
      if (seen < reference) {
        for (let f = 0; f < features; f += 1) (learnt[f] as Float64Array)[seen] = values[f] as number;
        referenceMix[decision] = (referenceMix[decision] as number) + 1;
        seen += 1;
        if (seen === reference) {
          for (const sample of learnt) sample.sort();
          cuts = learnt.map((sample) =>
            Float64Array.from(
              { length: CUTS },
              (_, k) => sample[Math.floor(((k + 1) * reference) / (CUTS + 1))] as number,
            ),
          );
          below = learnt.map((sample, f) =>
            (cuts[f] as Float64Array).map((cut) => placeOf(sample, cut, true) / reference),
          );
        }
        return null;
      }
      const watched = seen - reference;
      const place = watched % window;
      if (watched >= window) move(place, -1);
      ring[place * (features + 1)] = decision;
      for (let f = 0; f < features; f += 1)
        ring[place * (features + 1) + 1 + f] = placeOf(cuts[f] as Float64Array, values[f] as number);
      move(place, 1);
      seen += 1;
      if (watched + 1 < window || (watched + 1) % every !== 0) return null;
      const distances = counts.map((bins, f) => distance(bins, below[f] as Float64Array, window));
      return {
        psi: stability(referenceMix, reference, mix, window),
        ksScores: distances[0] as number,
        ksWords: Math.max(...distances.slice(1)),
      };
    },
  };
}

/** How many of the sorted numbers are below `value`, or not above it. */
function placeOf(sorted: Float64Array, value: number, orEqual = false): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = sorted[middle] as number;
    if (at < value || (orEqual && at === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Largest difference of the two cumulative shares over all cuts. */
function distance(bins: Int32Array, below: Float64Array, window: number): number {
  let most = 0;
  let sum = 0;
  for (let k = 0; k < below.length; k += 1) {
    // A value in bin k is above k cuts, so those of bins 0 … k are not above cut k.
    sum += bins[k] as number;
    most = Math.max(most, Math.abs(sum / window - (below[k] as number)));
  }
  return most;
}

/** Σ (p − q) ln(p / q); half an event stands for none. */
function stability(a: Float64Array, n: number, b: Float64Array, m: number): number {
  let sum = 0;
  for (let k = 0; k < a.length; k += 1) {
    const p = Math.max(0.5, a[k] as number) / n;
    const q = Math.max(0.5, b[k] as number) / m;
    sum += (p - q) * Math.log(p / q);
  }
  return sum;
}

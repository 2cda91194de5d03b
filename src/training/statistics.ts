/** Figures of answers under weights, and how sure a difference of two models on the same posts is. Pure functions. */
import { seededRandom } from '../base/random.ts';
import { resampler } from './measure.ts';

/** Answers of a model beside the truth, both zeros and ones. Rows are posts. [n, classes] */
export interface Answers {
  readonly classes: number;
  /** 2 · truth + answer. [n · classes] */
  readonly outcomes: Uint8Array;
}

export function answersOf(
  targets: readonly (readonly number[])[],
  answers: readonly (readonly number[])[],
): Answers {
  const classes = targets[0]?.length ?? 0;
  const outcomes = Uint8Array.from(
    targets.flatMap((row, i) => row.map((truth, k) => 2 * truth + (answers[i]?.[k] as number))),
  );
  return { classes, outcomes };
}

/** How often each post counts. [n] */
type Weights = Float64Array;
/** A figure of answers. */
export type Figure = (answers: Answers, weights: Weights) => number;

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

/** Weighted counts of one class. */
function count({ classes, outcomes }: Answers, weights: Weights, k: number) {
  const sums = [0, 0, 0, 0];
  for (let i = 0; i < weights.length; i += 1) {
    const outcome = outcomes[i * classes + k] as number;
    sums[outcome] = (sums[outcome] as number) + (weights[i] as number);
  }
  const [tn, fp, fn, tp] = sums as [number, number, number, number];
  return { tn, fp, fn, tp };
}

const meanOver =
  (classes: readonly number[], figure: (k: number) => Figure): Figure =>
  (answers, weights) =>
    share(
      classes.reduce((sum, k) => sum + figure(k)(answers, weights), 0),
      classes.length,
    );

/** F1 of one class. */
export const f1 =
  (k: number): Figure =>
  (answers, weights) => {
    const { tp, fp, fn } = count(answers, weights, k);
    return share(2 * tp, 2 * tp + fp + fn);
  };

/** Share of the posts of a class that get it. */
export const recall =
  (k: number): Figure =>
  (answers, weights) => {
    const { tp, fn } = count(answers, weights, k);
    return share(tp, tp + fn);
  };

/** Mean of recall and of the share of right noes, of one class. */
const balanced =
  (k: number): Figure =>
  (answers, weights) => {
    const { tp, fp, fn, tn } = count(answers, weights, k);
    return (share(tp, tp + fn) + share(tn, tn + fp)) / 2;
  };

export const macroF1 = (classes: readonly number[]): Figure => meanOver(classes, f1);
export const macroBalanced = (classes: readonly number[]): Figure => meanOver(classes, balanced);

/** F1 over all pairs of a post and a class. Where every post has exactly one class this is accuracy. */
export const microF1: Figure = (answers, weights) => {
  let [tp, fp, fn] = [0, 0, 0];
  for (let k = 0; k < answers.classes; k += 1) {
    const of = count(answers, weights, k);
    tp += of.tp;
    fp += of.fp;
    fn += of.fn;
  }
  return share(2 * tp, 2 * tp + fp + fn);
};

/** A figure, or a difference of figures, with its bootstrap standard error. */
export interface Estimate {
  readonly value: number;
  readonly error: number;
}

export const lower = ({ value, error }: Estimate, level: number): number => value - quantile(level) * error;
export const upper = ({ value, error }: Estimate, level: number): number => value + quantile(level) * error;

const RESAMPLES = 400;

/**
 * A figure of resampled posts.
 * @param of the figure under weights of `n` posts
 * @param clusters posts that are right and wrong together are drawn together
 */
export function estimate(
  n: number,
  of: (weights: Float64Array) => number,
  seed: number,
  clusters?: Int32Array,
): Estimate {
  const random = seededRandom(seed);
  const draw = resampler(n, clusters);
  const drawn = Array.from({ length: RESAMPLES }, () => of(draw(random)));
  const mean = drawn.reduce((sum, value) => sum + value, 0) / RESAMPLES;
  const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (RESAMPLES - 1);
  return { value: of(new Float64Array(n).fill(1)), error: Math.sqrt(variance) };
}

/** Level of each of `count` comparisons, so that all of them together keep the level (Bonferroni). */
export const amongst = (level: number, count: number): number => 1 - (1 - level) / Math.max(1, count);

/** Standard normal quantile of a level above one half (Abramowitz and Stegun 26.2.23, error below 4.5e-4). */
export function quantile(level: number): number {
  const t = Math.sqrt(-2 * Math.log(1 - level));
  return (
    t -
    (2.515517 + 0.802853 * t + 0.010328 * t * t) /
      (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t)
  );
}

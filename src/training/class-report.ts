/** Every figure of a task with several classes, with intervals from one bootstrap over the posts. */
import { seededRandom } from '../base/random.ts';
import type { Measured, Metrics } from '../models/manifest.ts';
import { calibrationError, resampler, rounded } from './measure.ts';
import { type ClassFigures, measureClasses, type ScoredClasses } from './measure-classes.ts';

const RESAMPLES = 300;
const BOOTSTRAP_SEED = 20_240_502;

export interface ClassReport {
  readonly metrics: Metrics;
  readonly meanAveragePrecision: Measured;
  /** Share of posts with every class right. */
  readonly exactMatch: number;
  readonly byClass: Readonly<Record<string, ClassFigures & { readonly auroc: number; readonly ece: number }>>;
}

/**
 * @param answers zeros and ones [n, classes], from `oneOfAnswers` or `anyOfAnswers`
 * @param kind decides what accuracy counts: posts (one-of) or pairs of post and class (any-of)
 */
export function reportClasses(
  kind: 'one-of' | 'any-of',
  scored: ScoredClasses,
  answers: readonly (readonly number[])[],
): ClassReport {
  const { classes, scores, targets } = scored;
  const n = targets.length;
  const columns = classes.map((_, k) => columnOf(scored, answers, k));
  const figures = (weights: Float64Array): Figures => figuresOf(kind, columns, answers, targets, weights);
  const all = figures(new Float64Array(n).fill(1));
  const random = seededRandom(BOOTSTRAP_SEED);
  const draw = resampler(n);
  const samples = Array.from({ length: n === 0 ? 0 : RESAMPLES }, () => figures(draw(random)));
  const measured = (of: (f: Figures) => number): Measured => {
    const sorted = samples.map(of).sort((a, b) => a - b);
    const at = (q: number): number => rounded(sorted[Math.round(q * (sorted.length - 1))] ?? 0);
    return { value: rounded(of(all)), interval: [at(0.025), at(0.975)] };
  };
  const plain = measureClasses(scored, answers);
  const eces = classes.map((_, k) =>
    calibrationError({
      probability: scores.map((row) => row[k] as number),
      label: targets.map((row) => (row[k] === 1 ? 1 : 0)),
    }),
  );
  const sum = (of: (c: Counts) => number): number => all.classes.reduce((total, one) => total + of(one), 0);
  return {
    metrics: {
      n,
      positives: sum(({ tp, fn }) => tp + fn),
      accuracy: measured((f) => f.accuracy),
      balancedAccuracy: measured((f) => mean(f.classes.map((c) => c.balanced))),
      macroF1: measured((f) => mean(f.classes.map((c) => c.f1))),
      auroc: measured((f) => mean(f.classes.filter(occurs).map((c) => c.auroc))),
      ece: rounded(mean(eces)),
      confusion: {
        tp: sum(({ tp }) => tp),
        fp: sum(({ fp }) => fp),
        fn: sum(({ fn }) => fn),
        tn: sum(({ tn }) => tn),
      },
    },
    meanAveragePrecision: measured((f) => mean(f.classes.filter(occurs).map((c) => c.averagePrecision))),
    exactMatch: rounded(plain.exactMatch),
    byClass: Object.fromEntries(
      classes.map((name, k) => [
        name,
        {
          ...(plain.byClass[name] as ClassFigures),
          auroc: rounded(all.classes[k]?.auroc ?? 0),
          ece: rounded(eces[k] as number),
        },
      ]),
    ),
  };
}

interface Counts {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly tn: number;
  readonly f1: number;
  readonly balanced: number;
  readonly auroc: number;
  readonly averagePrecision: number;
}

interface Figures {
  readonly accuracy: number;
  readonly classes: readonly Counts[];
}

/** Posts by falling score, cut where the score changes. */
interface Column {
  readonly order: Int32Array;
  readonly ends: readonly number[];
  readonly has: readonly boolean[];
  readonly said: readonly boolean[];
}

function columnOf(
  { scores, targets }: ScoredClasses,
  answers: readonly (readonly number[])[],
  k: number,
): Column {
  const score = (i: number): number => scores[i]?.[k] as number;
  const order = Int32Array.from(scores.keys()).sort((a, b) => score(b) - score(a));
  const ends = [...order.keys()].filter(
    (at) => at === order.length - 1 || score(order[at] as number) !== score(order[at + 1] as number),
  );
  return {
    order,
    ends: ends.map((at) => at + 1),
    has: targets.map((row) => row[k] === 1),
    said: answers.map((row) => row[k] === 1),
  };
}

function figuresOf(
  kind: 'one-of' | 'any-of',
  columns: readonly Column[],
  answers: readonly (readonly number[])[],
  targets: readonly (readonly number[])[],
  weights: Float64Array,
): Figures {
  const classes = columns.map((column) => countsOf(column, weights));
  if (kind === 'any-of')
    return {
      accuracy: mean(classes.map(({ tp, tn, fp, fn }) => share(tp + tn, tp + tn + fp + fn))),
      classes,
    };
  let [right, total] = [0, 0];
  weights.forEach((weight, i) => {
    total += weight;
    if (answers[i]?.indexOf(1) === targets[i]?.indexOf(1)) right += weight;
  });
  return { accuracy: share(right, total), classes };
}

function countsOf({ order, ends, has, said }: Column, weights: Float64Array): Counts {
  let [tp, fp, fn, tn, wins, precisionSum, at] = [0, 0, 0, 0, 0, 0, 0];
  let [positives, negatives] = [0, 0];
  for (const end of ends) {
    let [here, others] = [0, 0];
    for (; at < end; at += 1) {
      const post = order[at] as number;
      const weight = weights[post] as number;
      if (has[post]) {
        here += weight;
        if (said[post]) tp += weight;
        else fn += weight;
      } else {
        others += weight;
        if (said[post]) fp += weight;
        else tn += weight;
      }
    }
    wins += others * (positives + here / 2);
    positives += here;
    negatives += others;
    precisionSum += here * share(positives, positives + negatives);
  }
  return {
    tp,
    fp,
    fn,
    tn,
    f1: share(2 * tp, 2 * tp + fp + fn),
    balanced: (share(tp, tp + fn) + share(tn, tn + fp)) / 2,
    auroc: share(wins, positives * negatives),
    averagePrecision: share(precisionSum, positives),
  };
}

const occurs = ({ tp, fn }: Counts): boolean => tp + fn > 0;
const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
const mean = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0) / Math.max(1, values.length);

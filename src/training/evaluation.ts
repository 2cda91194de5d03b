/** What an artefact reports about itself beyond the manifest: subgroups, answers, events left out. */
import type { Metrics } from '../models/manifest.ts';
import { perClaim } from './claims.ts';
import type { ClassReport } from './class-report.ts';
import type { Example } from './dataset.ts';
import type { Comparison } from './fit.ts';
import type { ClassComparison } from './fit-classes.ts';
import { measure, type Scored, wilson } from './measure.ts';
import type { ScoredClasses } from './measure-classes.ts';

/** A subgroup needs this many test posts to be reported on its own. */
const MIN_GROUP = 30;

export interface Answers {
  /** Share of test posts that get the answer. */
  readonly share: number;
  /** Share of the answers that are right, with Wilson's interval. */
  readonly right: number;
  readonly interval: readonly [number, number];
}

/** Figures of rumours: posts with intervals over claims, and one answer a claim. */
export interface ClaimFigures {
  readonly count: number;
  readonly posts: Metrics;
  readonly perClaim: Metrics;
}

/** Clean and attacked, each event by a model that did not see it. */
export interface Robust {
  readonly clean: Metrics;
  readonly attacked: Metrics;
  readonly byEvent: Readonly<Record<string, { readonly clean: Metrics; readonly attacked: Metrics }>>;
}

/** What calibration and thresholds rest on where they come from events that no model had seen (unseen.ts). */
export interface UnseenFigures {
  readonly folds: number;
  readonly events: number;
  readonly posts: number;
  /** Of rumours a claim counts once, else a post. */
  readonly unit: 'claim' | 'post';
  readonly perClaim: Metrics;
  /** Posts of each event, the model calibrated by the other events alone. */
  readonly byEvent: Readonly<Record<string, Comparison>>;
  readonly answers: Evaluation['answers'];
  /** Under the adaptive word attack; null where it does not apply. */
  readonly robust: Robust | null;
}

export interface Evaluation {
  readonly test: Comparison;
  readonly dev: Metrics;
  readonly answers: { readonly yes: Answers; readonly no: Answers; readonly unsure: number };
  readonly byLanguage: Readonly<Record<string, Metrics>>;
  readonly byEvent: Readonly<Record<string, Metrics>>;
  /** One model a row, trained without that event and tested on it. */
  readonly leftOut: Readonly<Record<string, Comparison>>;
  /** Of the test, for rumours. */
  readonly claims: (ClaimFigures & { readonly answers: Evaluation['answers'] }) | null;
  readonly unseen: UnseenFigures | null;
}

export function claimsOf(scored: Scored, claims: Int32Array): ClaimFigures {
  const single = perClaim(scored, claims);
  return { count: single.label.length, posts: measure(scored, claims), perClaim: measure(single) };
}

/** The same for a task with several classes. */
export interface ClassEvaluation {
  readonly test: ClassComparison;
  readonly dev: ClassReport;
  readonly byLanguage: Readonly<Record<string, ClassReport>>;
  readonly byEvent: Readonly<Record<string, ClassReport>>;
  readonly leftOut: Readonly<Record<string, ClassComparison>>;
}

/** Metrics of every subgroup that is large enough, the largest first. */
export const bySubgroup = (
  scored: Scored,
  examples: readonly Example[],
  of: (example: Example) => string,
): Record<string, Metrics> =>
  perGroup(examples, of, (indexes) =>
    measure({
      probability: indexes.map((i) => scored.probability[i] as number),
      label: indexes.map((i) => scored.label[i] as 0 | 1),
    }),
  );

/** The same for a task with several classes. */
export const classSubgroups = (
  { classes, scores, targets }: ScoredClasses,
  examples: readonly Example[],
  of: (example: Example) => string,
  report: (scored: ScoredClasses) => ClassReport,
): Record<string, ClassReport> =>
  perGroup(examples, of, (indexes) =>
    report({
      classes,
      scores: indexes.map((i) => scores[i] as readonly number[]),
      targets: indexes.map((i) => targets[i] as readonly number[]),
    }),
  );

function perGroup<T>(
  examples: readonly Example[],
  of: (example: Example) => string,
  judge: (indexes: readonly number[]) => T,
): Record<string, T> {
  const members = new Map<string, number[]>();
  examples.forEach((example, i) => {
    members.set(of(example), [...(members.get(of(example)) ?? []), i]);
  });
  return Object.fromEntries(
    [...members]
      .filter(([, indexes]) => indexes.length >= MIN_GROUP)
      .sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
      .map(([name, indexes]) => [name, judge(indexes)]),
  );
}

/** How often the thresholds answer, and how often they are right. */
export function answersOf(
  { probability, label }: Scored,
  thresholds: { readonly yes: number; readonly no: number },
): Evaluation['answers'] {
  const answer = (given: (p: number) => boolean, wanted: 0 | 1): Answers => {
    const indexes = [...probability.keys()].filter((i) => given(probability[i] as number));
    const right = indexes.filter((i) => label[i] === wanted).length;
    return {
      share: indexes.length / Math.max(1, label.length),
      right: right / Math.max(1, indexes.length),
      interval: wilson(right, indexes.length),
    };
  };
  const yes = answer((p) => p >= thresholds.yes, 1);
  const no = answer((p) => p <= thresholds.no, 0);
  return { yes, no, unsure: 1 - yes.share - no.share };
}

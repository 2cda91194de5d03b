/** Judges an artefact with several classes on labelled posts, over the classes that these data tell apart. */
import { TocsinError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { createMetrics } from '../metrics/metrics.ts';
import type { Artefact } from '../models/artefact.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Measured, Metrics, ServedClass } from '../models/manifest.ts';
import { openClassScorer } from '../models/serving/class-scorer.ts';
import { type ClassReport, reportClasses } from './class-report.ts';
import type { Dataset, Example } from './dataset.ts';
import type { Encoders } from './encoders.ts';
import { type Choice, choose, type EvaluationFacts, scoreInputs, withNetwork, wordsOf } from './evaluate.ts';
import { type ClassEvaluation, classSubgroups } from './evaluation.ts';
import { classAnswers, severalOf } from './fit-classes.ts';
import { rounded, wilson } from './measure.ts';
import type { ScoredClasses } from './measure-classes.ts';
import { openPictures } from './pictures.ts';
import { classScores, show } from './score.ts';
import { type Task, targetOf } from './tasks.ts';

type Interval = Measured['interval'];

export interface ClassArtefactEvaluation extends EvaluationFacts {
  readonly task: Task;
  /** Those of the model that the data tell apart; every figure is over these. */
  readonly classes: readonly string[];
  readonly n: number;
  /** Any-of: over pairs of a post and a class. One-of: over posts. */
  readonly accuracy: number;
  /** The following four are means over classes. */
  readonly balancedAccuracy: number;
  readonly macroF1: number;
  readonly auroc: number;
  readonly ece: number;
  readonly meanAveragePrecision: number;
  /** Share of posts with every class right. */
  readonly exactMatch: number;
  /** Accuracy of always answering what most of these posts have. */
  readonly majority: number;
  /** Share of pairs of a post and a class that get yes or no, not unsure. */
  readonly coverage: number;
  readonly intervals: Readonly<
    Record<
      | 'accuracy'
      | 'balancedAccuracy'
      | 'macroF1'
      | 'auroc'
      | 'meanAveragePrecision'
      | 'majority'
      | 'coverage',
      Interval
    >
  >;
  /** Posts without one known word have no score and count as having no class. */
  readonly unscored: number;
  readonly metrics: Metrics;
  readonly byClass: ClassReport['byClass'];
  readonly byLanguage: ClassEvaluation['byLanguage'];
  readonly byEvent: ClassEvaluation['byEvent'];
}

/** Probabilities of the model's classes; null for a post that it gives no score. */
export type ScoreClasses = (examples: readonly Example[]) => Promise<readonly (readonly number[] | null)[]>;

/** Throws BAD_USAGE when no post is chosen, or when the data tell none of the model's classes apart. */
export async function evaluateClasses(
  artefact: Artefact,
  data: Dataset,
  choice: Choice,
  score: ScoreClasses,
): Promise<ClassArtefactEvaluation> {
  const { manifest } = artefact;
  const served = manifest.classes ?? [];
  const { examples, facts } = await choose(artefact, data, choice, openPictures());
  const kept = served.flatMap(({ name }, k) => (data.classes.includes(name) ? [k] : []));
  const judged = kept.map((k) => served[k] as ServedClass);
  const classes = judged.map(({ name }) => name);
  if (classes.length === 0)
    throw new TocsinError(
      'BAD_USAGE',
      `Evaluating ${manifest.name} on ${data.name}: the data have none of its classes.`,
    );
  const given = await score(examples);
  const scored: ScoredClasses = {
    classes,
    scores: given.map((row) => kept.map((k) => row?.[k] ?? 0)),
    targets: examples.map(({ labels }) => targetOf(labels, data.task, classes) ?? classes.map(() => 0)),
  };
  const kind = severalOf(data);
  const report = (some: ScoredClasses): ClassReport =>
    reportClasses(kind, some, classAnswers(kind, some.scores, judged));
  const { metrics, meanAveragePrecision, exactMatch, byClass } = report(scored);
  const pairs = examples.length * classes.length;
  const sizes = Object.values(byClass).map(({ positives }) => positives);
  const usual =
    kind === 'one-of'
      ? Math.max(...sizes)
      : sizes.reduce((sum, size) => sum + Math.max(size, examples.length - size), 0);
  const answers = kind === 'one-of' ? examples.length : pairs;
  const decided = scored.scores.reduce(
    (sum, row) =>
      sum + judged.filter(({ yes, no }, k) => (row[k] as number) >= yes || (row[k] as number) <= no).length,
    0,
  );
  return {
    task: data.task,
    classes,
    n: metrics.n,
    accuracy: metrics.accuracy.value,
    balancedAccuracy: metrics.balancedAccuracy.value,
    macroF1: metrics.macroF1.value,
    auroc: metrics.auroc.value,
    ece: metrics.ece,
    meanAveragePrecision: meanAveragePrecision.value,
    exactMatch,
    majority: rounded(usual / answers),
    coverage: rounded(decided / pairs),
    intervals: {
      accuracy: metrics.accuracy.interval,
      balancedAccuracy: metrics.balancedAccuracy.interval,
      macroF1: metrics.macroF1.interval,
      auroc: metrics.auroc.interval,
      meanAveragePrecision: meanAveragePrecision.interval,
      majority: wilson(usual, answers),
      coverage: wilson(decided, pairs),
    },
    ...facts,
    unscored: given.filter((row) => row === null).length,
    metrics,
    byClass,
    byLanguage: classSubgroups(scored, examples, ({ language }) => language, report),
    byEvent: classSubgroups(scored, examples, ({ event }) => event, report),
  };
}

/** Scores with ONNX Runtime, as the label worker does. */
export const servedClassScores =
  (artefact: Artefact, log: Log): ScoreClasses =>
  async (examples) => {
    const { dir } = artefact;
    const words = wordsOf(artefact);
    const metrics = createMetrics({ bare: true });
    const scorer = await openClassScorer({ dir, words: [words], threads: 1, metrics, log });
    try {
      return (await scorer.score(await scoreInputs(examples, words.vocabulary))).map(
        ({ probabilities }) => probabilities,
      );
    } finally {
      await scorer.close();
    }
  };

/** Scores with the network itself. Throws MODEL_INVALID as `withNetwork` does. */
export const networkClassScores =
  (tf: Tf, artefact: Artefact, encoders: Encoders): ScoreClasses =>
  (examples) =>
    withNetwork(tf, artefact, encoders, async (scoring) =>
      classScores(scoring, artefact.manifest.classes ?? [], await show(examples, [], openPictures())),
    );

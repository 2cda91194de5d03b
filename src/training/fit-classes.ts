/** One training run on one split for a task with several classes: fit, calibrate, set thresholds, judge on test. */

import { classProbabilities } from '../models/class-probabilities.ts';
import type { ServedClass } from '../models/manifest.ts';
import type { Dims, Network } from '../models/zoo/contract.ts';
import { type ClassReport, reportClasses } from './class-report.ts';
import { chooseClassThresholds, temperatureScale } from './class-thresholds.ts';
import type { Dataset, Example } from './dataset.ts';
import {
  type CalibrationRow,
  calibrationRows,
  type FitDeps,
  type Loaded,
  type Model,
  perBasis,
  type TrainedNetwork,
  trainNetwork,
} from './fit-network.ts';
import type { DefendedOptions } from './harden.ts';
import { trainLogistic } from './logistic.ts';
import { calibrate } from './measure.ts';
import { anyOfAnswers, oneOfAnswers, type ScoredClasses } from './measure-classes.ts';
import { trainNaiveBayes } from './naive-bayes.ts';
import { classScores } from './score.ts';
import type { Split } from './splits.ts';
import { TASKS } from './tasks.ts';
import type { TrainingResult } from './train.ts';

/** The model and the plain models on the same test posts. Plain models have thresholds of their own, from dev too. */
export interface ClassComparison {
  readonly model: ClassReport;
  readonly naiveBayes: ClassReport;
  readonly logistic: ClassReport;
  /** What most training posts have: of each class (any-of), or the largest class (one-of). */
  readonly majority: ClassReport;
}

export interface FittedClasses {
  /** The caller disposes of it. */
  readonly network: Network;
  readonly dims: Dims;
  readonly learnt: TrainedNetwork['learnt'];
  readonly result: TrainingResult;
  readonly classes: readonly ServedClass[];
  /** The posts that calibrated, each as it would be served. */
  readonly dev: ScoredClasses;
  readonly test: ScoredClasses;
  readonly testExamples: readonly Example[];
  readonly comparison: ClassComparison;
}

/** `fitModel` for tasks with several classes. Throws BAD_USAGE as that does. */
export async function fitClasses(
  deps: FitDeps,
  model: Model,
  data: Dataset,
  split: Split,
  options: DefendedOptions,
): Promise<FittedClasses> {
  const kind = severalOf(data);
  const trained = await trainNetwork(deps, model, data, split, options);
  const { network, dims, learnt, result, scoring, test, testExamples } = trained;
  try {
    const rows = await calibrationRows(trained, trained.dev);
    const calibrations = data.classes.map((name, k) => ({
      name,
      calibration: perBasis(rows, (some) =>
        kind === 'one-of'
          ? { scale: temperatureScale(some), bias: 0 }
          : calibrate(
              some.map(({ logits }) => logits[k] as number),
              some.map(({ target }) => (target[k] === 1 ? 1 : 0)),
            ),
      ),
    }));
    const own = rows.filter((row) => row.own);
    const dev: ScoredClasses = {
      classes: data.classes,
      scores: own.map(
        ({ basis, logits }) => classProbabilities(model.head, calibrations, basis, logits) ?? [],
      ),
      targets: own.map(({ target }) => target),
    };
    const classes = calibrations.map((one, k): ServedClass => ({ ...one, ...thresholdsOf(dev, k) }));
    const scored: ScoredClasses = {
      classes: data.classes,
      scores: await classScores(scoring, classes, test),
      targets: test.map(({ target }) => target),
    };
    return {
      network,
      dims,
      learnt,
      result,
      classes,
      dev,
      test: scored,
      testExamples,
      comparison: compare(kind, scored, classes, trained),
    };
  } catch (thrown) {
    network.dispose();
    throw thrown;
  }
}

/** The kind of a task with several classes. */
export const severalOf = ({ task }: Pick<Dataset, 'task'>): 'one-of' | 'any-of' =>
  TASKS[task].kind === 'one-of' ? 'one-of' : 'any-of';

/** Answers as they are judged: at each class's `yes`, or the likeliest class. */
export const classAnswers = (
  kind: 'one-of' | 'any-of',
  scores: ScoredClasses['scores'],
  classes: readonly Pick<ServedClass, 'yes'>[],
): number[][] =>
  kind === 'one-of'
    ? oneOfAnswers(scores)
    : anyOfAnswers(
        scores,
        classes.map(({ yes }) => yes),
      );

const thresholdsOf = ({ scores, targets }: ScoredClasses, k: number): { yes: number; no: number } =>
  chooseClassThresholds(
    scores.map((row) => row[k] as number),
    targets.map((row) => row[k] === 1),
  );

function compare(
  kind: 'one-of' | 'any-of',
  scored: ScoredClasses,
  classes: readonly ServedClass[],
  { train, dev, test }: TrainedNetwork,
): ClassComparison {
  const { targets } = scored;
  const names = scored.classes;
  const report = (scores: ScoredClasses['scores'], answers: number[][]): ClassReport =>
    reportClasses(kind, { classes: names, scores, targets }, answers);
  const judged = (learn: typeof trainNaiveBayes): ClassReport => {
    const models = names.map((_, k) => learn(binaryRows(train, k)));
    const score = (posts: readonly Loaded[]): number[][] =>
      posts.map(({ text }) => models.map((predict) => predict(text)));
    const tuned = { classes: names, scores: score(dev), targets: dev.map(({ target }) => target) };
    const scores = score(test);
    return report(
      scores,
      classAnswers(
        kind,
        scores,
        names.map((_, k) => thresholdsOf(tuned, k)),
      ),
    );
  };
  const shares = names.map(
    (_, k) => train.filter(({ target }) => target[k] === 1).length / Math.max(1, train.length),
  );
  const constant = test.map(() => shares);
  return {
    model: report(scored.scores, classAnswers(kind, scored.scores, classes)),
    naiveBayes: judged(trainNaiveBayes),
    logistic: judged(trainLogistic),
    majority: report(
      constant,
      classAnswers(
        kind,
        constant,
        names.map(() => ({ yes: 0.5 })),
      ),
    ),
  };
}

const binaryRows = (
  posts: readonly Pick<Loaded & CalibrationRow, 'target' | 'text'>[],
  k: number,
): { text: string; label: 0 | 1 }[] =>
  posts.map(({ text, target }) => ({ text, label: target[k] === 1 ? 1 : 0 }));

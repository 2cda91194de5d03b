/** A model with several classes as it is shipped: calibration, thresholds, figures, card. */
import { TocsinError } from '../base/errors.ts';
import { writeClassCard } from './card-classes.ts';
import { type ClassReport, reportClasses } from './class-report.ts';
import { type ClassEvaluation, classSubgroups } from './evaluation.ts';
import { type ClassComparison, classAnswers, fitClasses, severalOf } from './fit-classes.ts';
import type { FitOn, JudgedArtefact, Judging } from './judging.ts';
import type { ScoredClasses } from './measure-classes.ts';
import { splitBy } from './splits.ts';

/** Throws BAD_USAGE where calibration on unseen events is asked for: that is for yes-or-no tasks. */
export async function judgeClasses(fitOn: FitOn, judging: Judging): Promise<JudgedArtefact> {
  const { data, split, hashes } = judging;
  if (judging.unseenFolds > 0)
    throw new TocsinError(
      'BAD_USAGE',
      `Training for ${data.task}: calibration on unseen events is for tasks with two answers.`,
    );
  const fitted = await fitOn(fitClasses, split);
  const { classes, dev, test, testExamples, comparison } = fitted;
  const leftOut: Record<string, ClassComparison> = {};
  try {
    for (const event of judging.leaveOut) {
      const other = await fitOn(fitClasses, splitBy(data, `event:${event}`, split.seed, hashes));
      leftOut[event] = other.comparison;
      other.network.dispose();
    }
  } catch (thrown) {
    fitted.network.dispose();
    throw thrown;
  }
  const kind = severalOf(data);
  const report = (scored: ScoredClasses): ClassReport =>
    reportClasses(kind, scored, classAnswers(kind, scored.scores, classes));
  const evaluation: ClassEvaluation = {
    test: comparison,
    dev: report(dev),
    byLanguage: classSubgroups(test, testExamples, ({ language }) => language, report),
    byEvent: classSubgroups(test, testExamples, ({ event }) => event, report),
    leftOut,
  };
  return {
    fitted,
    answers: {
      classes,
      calibration: { text: null, image: null, both: null },
      thresholds: { name: 'dev-f1', yes: 1, no: 0 },
      metrics: { dev: evaluation.dev.metrics, test: comparison.model.metrics },
    },
    evaluation,
    card: (manifest, source) => writeClassCard(manifest, evaluation, source),
  };
}

/** MODEL_CARD.md of a model with several classes. */
import { type Described, limits, opening } from './card.ts';
import { percent, row, table, withInterval } from './card-tables.ts';
import type { ClassReport } from './class-report.ts';
import type { ClassEvaluation } from './evaluation.ts';
import type { ClassComparison } from './fit-classes.ts';

const COLUMNS = ['accuracy', 'macro-F1', 'mean average precision', 'AUROC', 'calibration error'];
const cells = ({ metrics, meanAveragePrecision }: ClassReport): string[] => [
  withInterval(metrics.accuracy),
  withInterval(metrics.macroF1),
  withInterval(meanAveragePrecision),
  withInterval(metrics.auroc),
  percent(metrics.ece),
];

const comparison = (name: string, { model, naiveBayes, logistic, majority }: ClassComparison): string =>
  table(
    ['model', ...COLUMNS],
    [
      row(`**${name}**`, ...cells(model)),
      row('naive Bayes', ...cells(naiveBayes)),
      row('logistic regression', ...cells(logistic)),
      row('majority', ...cells(majority).slice(0, -1), '–'),
    ],
  );

const classes = ({ byClass }: ClassReport, manifest: Described): string =>
  table(
    [
      'class',
      'posts',
      'precision',
      'recall',
      'F1',
      'average precision',
      'AUROC',
      'calibration error',
      'yes ≥',
      'no ≤',
    ],
    Object.entries(byClass).map(([name, c]) => {
      const asked = manifest.classes?.find((one) => one.name === name);
      return row(
        `\`${name}\``,
        c.positives,
        percent(c.precision),
        percent(c.recall),
        percent(c.f1),
        c.averagePrecision === null ? '–' : percent(c.averagePrecision),
        percent(c.auroc),
        percent(c.ece),
        asked?.yes ?? '–',
        asked?.no ?? '–',
      );
    }),
  );

const subgroups = (name: string, groups: Readonly<Record<string, ClassReport>>): string =>
  table(
    [name, 'posts', ...COLUMNS],
    Object.entries(groups).map(([group, report]) => row(group, report.metrics.n, ...cells(report))),
  );

const leftOut = (name: string, events: ClassEvaluation['leftOut']): string => {
  const entries = Object.entries(events);
  const mean = (of: (c: ClassComparison) => number): string =>
    percent(entries.reduce((sum, [, c]) => sum + of(c), 0) / entries.length);
  return table(
    [
      'event left out',
      'posts',
      `${name} macro-F1`,
      'naive Bayes macro-F1',
      'logistic regression macro-F1',
      `${name} mean average precision`,
      'logistic regression mean average precision',
      `${name} calibration error`,
    ],
    [
      ...entries.map(([event, c]) =>
        row(
          event,
          c.model.metrics.n,
          withInterval(c.model.metrics.macroF1),
          withInterval(c.naiveBayes.metrics.macroF1),
          withInterval(c.logistic.metrics.macroF1),
          withInterval(c.model.meanAveragePrecision),
          withInterval(c.logistic.meanAveragePrecision),
          percent(c.model.metrics.ece),
        ),
      ),
      row(
        '**mean**',
        '',
        mean((c) => c.model.metrics.macroF1.value),
        mean((c) => c.naiveBayes.metrics.macroF1.value),
        mean((c) => c.logistic.metrics.macroF1.value),
        mean((c) => c.model.meanAveragePrecision.value),
        mean((c) => c.logistic.meanAveragePrecision.value),
        mean((c) => c.model.metrics.ece),
      ),
    ],
  );
};

/** Every figure comes from `evaluation`, which lies beside it as evaluation.json. */
export function writeClassCard(manifest: Described, evaluation: ClassEvaluation, source: string): string {
  const model = manifest.architecture.name;
  const severally = manifest.architecture.head.kind === 'sigmoid';
  const sections = [
    ...opening(manifest, source, 'dev'),
    `## Test results

In per cent, with 95 % intervals (bootstrap over posts). ${
      severally
        ? "Answers are taken at each class's `yes`; accuracy is over all pairs of a post and a class."
        : 'The answer is the likeliest class.'
    } The other figures are means over the classes. Plain models have thresholds of their own, chosen on dev in the same way.

${comparison(model, evaluation.test)}

${percent(evaluation.test.model.exactMatch)} % of the posts have every class right.

${classes(evaluation.test.model, manifest)}`,
    `## Answers

Thresholds \`${manifest.thresholds.name}\`: \`yes\` has the best F1 on the posts that calibrated; at most a fifth of the class lies at or below
\`no\`; between the two the answer is *unsure*.`,
    ...(Object.keys(evaluation.leftOut).length > 0
      ? [
          `## A disaster that it has not seen

Trained, calibrated and thresholded anew without the event (and without texts that repeat one of it), tested on all of the event.

${leftOut(model, evaluation.leftOut)}`,
        ]
      : []),
    `## By language

As \`eld\` tells it; und = too short to tell.

${subgroups('language', evaluation.byLanguage)}

## By event

${subgroups('event', evaluation.byEvent)}`,
    limits(manifest),
  ];
  return `${sections.join('\n\n')}\n`;
}

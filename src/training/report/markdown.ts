/** An evaluation as a Markdown page for people. */
import type { Measured, Metrics } from '../../models/manifest.ts';
import type { ArtefactEvaluation } from '../evaluate.ts';

const percent = (value: number): string => (100 * value).toFixed(1);
const withInterval = ({ value, interval: [low, high] }: Measured): string =>
  `${percent(value)} (${percent(low)}–${percent(high)})`;
const row = (...cells: readonly (string | number)[]): string =>
  `| ${cells.map((cell) => String(cell).replace(/[|\n]/g, ' ')).join(' | ')} |`;
const table = (head: readonly string[], rows: readonly string[]): string =>
  [row(...head), row(...head.map(() => '---')), ...rows].join('\n');

const figures = (name: string, m: Metrics): string =>
  row(
    name,
    m.n,
    withInterval(m.accuracy),
    withInterval(m.balancedAccuracy),
    withInterval(m.macroF1),
    withInterval(m.auroc),
    percent(m.ece),
  );
const HEAD = ['', 'n', 'accuracy', 'balanced accuracy', 'macro-F1', 'AUROC', 'calibration error'];

/** The page; the plots lie beside it. */
export function reportPage(evaluation: ArtefactEvaluation): string {
  const { model, data, metrics, baselines, claims, answers, selective, byClass } = evaluation;
  const subgroups = (name: string, groups: Readonly<Record<string, Metrics>>): string =>
    Object.keys(groups).length === 0
      ? 'No group has 30 posts.'
      : table(
          [name, ...HEAD.slice(1)],
          Object.entries(groups).map(([group, m]) => figures(group, m)),
        );
  const notes = [
    data.weak ? `The labels are weak: ${data.weak}.` : '',
    data.seenInTraining > 0
      ? `**${data.seenInTraining} of these posts were trained or tuned on**; the figures are too good.`
      : '',
    evaluation.unscored > 0
      ? `${evaluation.unscored} posts have no word that the model knows and no score; they count as no at 0.5.`
      : '',
  ].filter((note) => note !== '');
  return `${[
    `# ${model.name} ${model.version} on ${data.name}`,
    `Split ${data.split}, part ${data.part}: ${metrics.n} posts, ${metrics.positives} labelled yes. In brackets 95 % intervals${
      claims ? '; those of single posts take posts as independent, which posts of one claim are not' : ''
    }.`,
    ...notes,
    table(HEAD, [
      figures('**the model**', metrics),
      ...(claims
        ? [
            figures(`the same, intervals over ${claims.count} claims`, claims.posts),
            figures('the model, one answer a claim', claims.perClaim),
          ]
        : []),
      ...(baselines.logistic ? [figures('logistic regression on TF-IDF', baselines.logistic)] : []),
      ...(baselines.naiveBayes ? [figures('naive Bayes', baselines.naiveBayes)] : []),
      figures('majority', baselines.majority),
    ]),
    `## By class

${table(
  ['class', 'posts', 'precision', 'recall', 'F1'],
  Object.entries(byClass).map(([name, c]) =>
    row(name, c.positives, percent(c.precision), percent(c.recall), percent(c.f1)),
  ),
)}

![Confusion matrix](confusion.svg)`,
    `## How sure it is

Thresholds answer ${percent(1 - answers.unsure)} % of the posts: *yes* to ${percent(answers.yes.share)} %, of which ${percent(answers.yes.right)} % are right; *no* to
${percent(answers.no.share)} %, of which ${percent(answers.no.right)} % are right. Accuracy on the surest 80 % is ${percent(selective.at80)} %, on all ${percent(selective.at100)} %.

![Risk-coverage curve](risk-coverage.svg)
![Reliability curve](reliability.svg)`,
    `## By language\n\n${subgroups('language', evaluation.byLanguage)}`,
    `## By event\n\n${subgroups('event', evaluation.byEvent)}`,
    `Data: ${data.name}, sha256 \`${data.sha256}\`. Model: sha256 \`${model.sha256}\`.`,
  ].join('\n\n')}\n`;
}

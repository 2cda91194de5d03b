/** MODEL_CARD.md: what a person has to know before trusting the model's answers. */
import type { Manifest, Measured, Metrics } from '../models/manifest.ts';
import type { Answers, Evaluation } from './evaluation.ts';
import type { Comparison } from './fit.ts';

type Described = Omit<Manifest, 'files'>;

const percent = (value: number): string => (100 * value).toFixed(1);
const withInterval = ({ value, interval: [low, high] }: Measured): string =>
  `${percent(value)} (${percent(low)}–${percent(high)})`;
const row = (...cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;

const COLUMNS = ['accuracy', 'balanced accuracy', 'macro-F1', 'AUROC', 'calibration error'];
const cells = (m: Metrics): string[] => [
  withInterval(m.accuracy),
  withInterval(m.balancedAccuracy),
  withInterval(m.macroF1),
  withInterval(m.auroc),
  percent(m.ece),
];

const table = (head: readonly string[], rows: readonly string[]): string =>
  [row(...head), row(...head.map(() => '---')), ...rows].join('\n');

const comparison = ({ mmn, naiveBayes, majority }: Comparison): string =>
  table(
    ['model', ...COLUMNS],
    [
      row('**MMN, text**', ...cells(mmn)),
      row('naive Bayes', ...cells(naiveBayes)),
      row('majority', ...cells(majority).slice(0, -1), '–'),
    ],
  );

/** Said in words, so that nobody has to find it in the table. */
const verdict = ({ mmn, naiveBayes }: Comparison): string => {
  const points = 100 * (mmn.macroF1.value - naiveBayes.macroF1.value);
  const apart =
    mmn.macroF1.value < naiveBayes.macroF1.interval[0] || mmn.macroF1.value > naiveBayes.macroF1.interval[1];
  return (
    `By macro-F1 MMN is ${Math.abs(points).toFixed(1)} points ${points < 0 ? 'below' : 'above'} naive Bayes, a far simpler model ` +
    `(${apart ? 'outside' : 'inside'} the interval of naive Bayes).`
  );
};

const subgroups = (name: string, groups: Readonly<Record<string, Metrics>>): string =>
  table(
    [name, 'posts', 'informative', 'accuracy', 'macro-F1', 'AUROC'],
    Object.entries(groups).map(([group, m]) =>
      row(
        group,
        m.n,
        `${percent(m.positives / m.n)}`,
        withInterval(m.accuracy),
        withInterval(m.macroF1),
        withInterval(m.auroc),
      ),
    ),
  );

const leftOut = (events: Evaluation['leftOut']): string => {
  const entries = Object.entries(events);
  const mean = (of: (c: Comparison) => number): string =>
    percent(entries.reduce((sum, [, c]) => sum + of(c), 0) / entries.length);
  return table(
    [
      'event left out',
      'posts',
      'MMN macro-F1',
      'naive Bayes macro-F1',
      'majority macro-F1',
      'MMN AUROC',
      'naive Bayes AUROC',
    ],
    [
      ...entries.map(([event, c]) =>
        row(
          event,
          c.mmn.n,
          withInterval(c.mmn.macroF1),
          withInterval(c.naiveBayes.macroF1),
          percent(c.majority.macroF1.value),
          withInterval(c.mmn.auroc),
          withInterval(c.naiveBayes.auroc),
        ),
      ),
      row(
        '**mean**',
        '',
        mean((c) => c.mmn.macroF1.value),
        mean((c) => c.naiveBayes.macroF1.value),
        mean((c) => c.majority.macroF1.value),
        mean((c) => c.mmn.auroc.value),
        mean((c) => c.naiveBayes.auroc.value),
      ),
    ],
  );
};

const answer = (name: string, threshold: string, { share, right, interval }: Answers): string =>
  row(name, threshold, percent(share), `${percent(right)} (${percent(interval[0])}–${percent(interval[1])})`);

/** The card of a model. Every figure comes from `evaluation`, which lies beside it as evaluation.json. */
export function writeCard(manifest: Described, evaluation: Evaluation): string {
  const { name, version, data, split, training, thresholds, modalities, words } = manifest;
  const { confusion, n } = evaluation.test.mmn;
  const sections = [
    `# ${name} ${version}

Says whether a post of a disaster is informative: whether it carries something that helps people to see what is going on,
as against sympathy, opinion, jokes and things that have nothing to do with it.

MMN of Chen et al., *Multi-modal Adversarial Training for Crisis-related Data Classification on Social Media*: Text-CNN and
Visual-CNN joined before the output. **Trained: text ${modalities.text === 'trained' ? 'yes' : 'no'}, picture ${modalities.image === 'trained' ? 'yes' : 'no'}.**${modalities.image === 'trained' ? '' : ' The data have no pictures; the picture branch holds its first random weights and is never served.'}
It is not adversarially trained: a person who tries can fool it.`,
    `## Data and licence

${data.name}: ${data.examples.toLocaleString('en')} labelled tweets of 26 crises of 2012 and 2013 (Olteanu, Castillo, Diaz, Vieweg: *What to Expect When the
Unexpected Happens*, CSCW 2015), licence ${data.licence}; the tweets remain their authors' and none is in this folder (split.json holds
ids alone). Informative = "Related and informative"; not informative = "Related - but not informative" and "Not related";
"Not applicable" left out. The weights are under the same licence as Tocsin.

Split \`${split.protocol}\` (seed ${split.seed}): ${split.train.toLocaleString('en')} train, ${split.dev.toLocaleString('en')} dev, ${split.test.toLocaleString('en')} test; near-duplicate texts stay on one side. Word vectors: GloVe 6B 100-d,
50,000 English words, frozen (table ${words.id}); the first 15 words count. Text is normalised by \`${manifest.normaliser}\`.
Training: seed ${training.seed}, best of ${training.epochs} epochs was ${training.bestEpoch}; Adam, class weights, dropout, early stopping on dev loss.
Calibrated and thresholded on dev; nothing was chosen by the test posts.`,
    `## Test results

In per cent, with 95 % intervals (Wilson for accuracy, bootstrap for the rest). The events of the test are also in train.

${comparison(evaluation.test)}

${verdict(evaluation.test)}

Confusion of MMN at 0.5, of ${n} posts: ${confusion.tp} informative found, ${confusion.fn} missed, ${confusion.fp} false alarms, ${confusion.tn} rightly passed over.`,
    `## Answers

Thresholds \`${thresholds.name}\`, chosen on dev so that 85 of 100 answers are right; in between the answer is *unsure* (${percent(evaluation.answers.unsure)} % of the test posts).

${table(
  ['answer', 'probability', '% of test posts', '% right'],
  [
    answer('yes', `≥ ${thresholds.yes}`, evaluation.answers.yes),
    answer('no', `≤ ${thresholds.no}`, evaluation.answers.no),
  ],
)}`,
    ...(Object.keys(evaluation.leftOut).length > 0
      ? [
          `## A disaster that it has not seen

Trained anew without the event (and without texts that repeat one of it), tested on all of the event. This is nearer to
use than the table above.

${leftOut(evaluation.leftOut)}`,
        ]
      : []),
    `## By language

As \`eld\` tells it; und = too short to tell. The word table is English, so other languages are mostly unknown words and
the figures show it.

${subgroups('language', evaluation.byLanguage)}

## By event

${subgroups('event', evaluation.byEvent)}`,
    `## Limits

- Crowd workers judged what "informative" means; they often disagree, and neither the labels nor these figures are truth.
- Naive Bayes reads every word of every language and all of the post, and learns the names of the very events that are
  tested; MMN reads 15 words of a fixed English list. Only the events left out show what carries over.
- Tweets of at most 140 characters from 2012 and 2013. Longer posts are cut after 15 words; what comes later is not read.
- A post without one known word gets no score (*unsure*), never the model's bias.
- It does not say whether a post is true. Nobody should be denied help because it says *no*.`,
  ];
  return `${sections.join('\n\n')}\n`;
}

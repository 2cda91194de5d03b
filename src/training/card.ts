/** MODEL_CARD.md: what a person has to know before trusting the model's answers. */

import type { Manifest, Metrics } from '../models/manifest.ts';
import { readingOf } from '../models/words.ts';
import { hardened, robustSection } from './card-robust.ts';
import { COLUMNS, cells, isMixed, percent, row, table, withInterval } from './card-tables.ts';
import type { Answers, Evaluation } from './evaluation.ts';
import type { Comparison } from './fit.ts';

export type Described = Omit<Manifest, 'files'>;

const comparison = (name: string, { model, naiveBayes, logistic, majority }: Comparison): string =>
  table(
    ['model', ...COLUMNS],
    [
      row(`**${name}**`, ...cells(model)),
      row('naive Bayes', ...cells(naiveBayes)),
      row('logistic regression', ...cells(logistic)),
      row('majority', ...cells(majority).slice(0, -1), '–'),
    ],
  );

/** Said in words, so that nobody has to find it in the table. */
const verdict = (name: string, { model, naiveBayes }: Comparison): string => {
  const points = 100 * (model.macroF1.value - naiveBayes.macroF1.value);
  const apart =
    model.macroF1.value < naiveBayes.macroF1.interval[0] ||
    model.macroF1.value > naiveBayes.macroF1.interval[1];
  return (
    `By macro-F1 ${name} is ${Math.abs(points).toFixed(1)} points ${points < 0 ? 'below' : 'above'} naive Bayes, a far simpler model ` +
    `(${apart ? 'outside' : 'inside'} the interval of naive Bayes).`
  );
};

const subgroups = (name: string, groups: Readonly<Record<string, Metrics>>): string =>
  table(
    [name, 'posts', '% yes', 'accuracy', 'macro-F1', 'AUROC', 'calibration error'],
    Object.entries(groups).map(([group, m]) =>
      row(
        group,
        m.n,
        `${percent(m.positives / m.n)}`,
        withInterval(m.accuracy),
        withInterval(m.macroF1),
        withInterval(m.auroc),
        percent(m.ece),
      ),
    ),
  );

const leftOut = (name: string, events: Evaluation['leftOut']): string => {
  const entries = Object.entries(events).filter(([, { model }]) => isMixed(model));
  const mean = (of: (c: Comparison) => number): string =>
    percent(entries.reduce((sum, [, c]) => sum + of(c), 0) / entries.length);
  return table(
    [
      'event left out',
      'posts',
      '% yes',
      `${name} macro-F1`,
      'naive Bayes macro-F1',
      'logistic regression macro-F1',
      'majority macro-F1',
      `${name} AUROC`,
      'naive Bayes AUROC',
      `${name} calibration error`,
    ],
    [
      ...entries.map(([event, c]) =>
        row(
          event,
          c.model.n,
          percent(c.model.positives / Math.max(1, c.model.n)),
          withInterval(c.model.macroF1),
          withInterval(c.naiveBayes.macroF1),
          withInterval(c.logistic.macroF1),
          percent(c.majority.macroF1.value),
          withInterval(c.model.auroc),
          withInterval(c.naiveBayes.auroc),
          percent(c.model.ece),
        ),
      ),
      row(
        '**mean**',
        '',
        '',
        mean((c) => c.model.macroF1.value),
        mean((c) => c.naiveBayes.macroF1.value),
        mean((c) => c.logistic.macroF1.value),
        mean((c) => c.majority.macroF1.value),
        mean((c) => c.model.auroc.value),
        mean((c) => c.naiveBayes.auroc.value),
        mean((c) => c.model.ece),
      ),
    ],
  );
};

const answer = (name: string, threshold: string, { share, right, interval }: Answers): string =>
  row(name, threshold, percent(share), `${percent(right)} (${percent(interval[0])}–${percent(interval[1])})`);

/** What the model is asked, and what yes means. */
const QUESTIONS: Readonly<Record<Manifest['task'], string>> = {
  informative: `Says whether a post of a disaster is informative: whether it carries something that helps people to see what is going on,
as against sympathy, opinion, jokes and things that have nothing to do with it.`,
  rumour: `Says whether a post looks like a fake: whether what it tells or shows is not what happened. It judges style and content, not
the world; nobody has checked anything.`,
  humanitarian: `Says what a post of a disaster tells of: people struck, damage, advice, aid, sympathy, other useful things. A post may have
several of these or none.`,
  damage: 'Says how badly what a picture shows is damaged.',
};

/** What it is for, and what not. */
const USES: Readonly<Partial<Record<Manifest['task'], string>>> = {
  informative: `For people who follow a disaster's posts and cannot read them all: what is informative comes first, *unsure* is a real answer, nothing is
hidden. Not for removing posts, not for judging people, and never the reason not to send help.`,
  humanitarian: `For people who look for posts of one kind (who is struck, what is broken, who offers help) and as a first sorting. A class that it does not
name may still be there. Not for counting needs, and never the reason not to send help.`,
  rumour: `For people in an emergency centre, as one hint among several which claims to look at first, beside how far a claim has spread, its
earlier posts, corrections and rulings. The score is of how a claim is written and pictured, not of whether it is true; *unsure* reads
"not enough evidence". Not for removing posts, not for judging people, and never the reason not to send help.`,
};

/** What a reader must know of a split to read the test's figures. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  grouped: 'The events of the test are also in train.',
  'official-disjoint': `The test is the published one; no event, picture, video or near-duplicate text of it is in train or dev. So the figures say
what happens in an event that the model has not seen, which is what users meet.`,
};

/** What is known of a collection beyond its name. */
const COLLECTIONS: Readonly<Record<string, string>> = {
  'MediaEval verification corpus': `tweets of some events with pictures or videos, fake or real (Boididou et al.: *Detection and visualization of
misleading content on Twitter*, IJMIR 2018; MediaEval 2015, Verifying Multimedia Use), humour left out`,
  CrisisLexT26: `labelled tweets of 26 crises of 2012 and 2013 (Olteanu, Castillo, Diaz, Vieweg: *What to Expect When the
Unexpected Happens*, CSCW 2015). Informative = "Related and informative"; not informative = "Related - but not informative" and
"Not related"; "Not applicable" left out`,
};

/** What is known of what was added. */
const ALSO: Readonly<Record<string, string>> = {
  'off-topic posts of CrisisLexT6':
    'Olteanu et al., ICWSM 2014; everyday tweets, gathered by place and time, of disasters that CrisisLexT26 does not have; its on-topic tweets are left out; ',
};

/** Limits that hold for all, and those of what the model reads. */
const limitsOf = ({ task, words, encoders, data }: Described): string[] => [
  'People judged what the labels mean; they often disagree, and neither the labels nor these figures are truth.',
  'Naive Bayes reads every word of every language and all of the post, and learns the names of the very events that are\n  tested. Only the events left out show what carries over.',
  ...(words
    ? [
        readingOf(words.id) === 'first'
          ? 'Only the first 15 words of a post are read, and only those of a fixed English list.'
          : 'Fifteen words of a post are read (of a longer one the first eight and the last seven), and only those of a fixed English list.',
        "A post without one known word gets no score (*unsure*) when served, never the model's bias.",
      ]
    : []),
  ...encoders.map(
    ({ id, modality }) => `What ${id} cannot tell apart in a ${modality} the model cannot either.`,
  ),
  ...(task === 'rumour'
    ? [
        'The posts of a claim are right or wrong together, so few claims make wide intervals: the official test has about 50\n  claims, and one video is nearly half of its posts.',
        'Whether content is a rumour hardly carries over to an event that the model has not seen: there its score is near\n  chance, which is why most answers are *unsure*. What people rule on claims of the event at hand is worth more.',
        'Fakes of 2012 to 2015; generated pictures were not among them.',
        'The text encoder reads English; other languages are scored, and the scores are worth little.',
      ]
    : []),
  ...(data.name === 'CrisisLexT26' ? ['Tweets of at most 140 characters from 2012 and 2013.'] : []),
  'It does not say whether a post is true. Nobody should be denied help because it says *no*.',
];

const claimsSection = (
  name: string,
  { count, posts, perClaim, answers }: NonNullable<Evaluation['claims']>,
): string => `## By claim

Posts that share a picture, a video or a near-duplicate text are one claim; the test's ${posts.n.toLocaleString('en')} posts are ${count} claims. Intervals are
bootstrapped over claims.

${table(
  ['', ...COLUMNS],
  [row(`${name}, per post`, ...cells(posts)), row(`${name}, one answer a claim`, ...cells(perClaim))],
)}

${shares(answers)}`;

const unseenSection = (name: string, unseen: NonNullable<Evaluation['unseen']>): string => {
  const { folds, events, posts, unit, perClaim, byEvent, answers } = unseen;
  const mixed = Object.values(byEvent).filter(({ model }) => isMixed(model));
  const errors = mixed.map(({ model }) => model.ece);
  const allNo = Object.entries(byEvent).filter(([, { model }]) => model.positives === 0);
  const mean = errors.reduce((sum, ece) => sum + ece, 0) / Math.max(1, errors.length);
  return `## Calibration on unseen events

${folds} further models were trained, each without the events of a fold. What they say of these ${events} events (${posts.toLocaleString('en')} posts${unit === 'claim' ? `, ${perClaim.n} claims` : ''})
calibrates the model and sets its thresholds, because a new event is what users meet.${unit === 'claim' ? ' One answer a claim:' : ''}

${table(['', ...COLUMNS], [row('unseen events', ...cells(perClaim))])}

${shares(answers, unit)} These ${unit}s chose the thresholds; the test did not. A probability takes it that the share of *yes* among a
disaster's ${unit}s is as here, ${percent(perClaim.positives / Math.max(1, perClaim.n))} %.${
    unit === 'claim'
      ? ''
      : `

Each event by a model that did not see it, calibrated by the other events alone. Calibration error: mean ${percent(mean)}, at most 5.0 in
${errors.filter((ece) => ece <= 0.05).length} of ${errors.length} events.${allNo.map(([event, { model, naiveBayes, logistic }]) => ` Of the ${model.n} posts of ${event}, all labelled no, ${name} calls ${percent(model.confusion.fp / model.n)} % yes at 0.5 (naive Bayes ${percent(naiveBayes.confusion.fp / model.n)}, logistic regression ${percent(logistic.confusion.fp / model.n)}).`).join('')}

${leftOut(name, byEvent)}`
  }`;
};

const shares = ({ yes, no, unsure }: Evaluation['answers'], unit: 'claim' | 'post' = 'claim'): string =>
  `Of the ${unit}s ${percent(yes.share)} % are answered *yes* (${percent(yes.right)} % of these right), ${percent(no.share)} % *no* (${percent(no.right)} % right), ${percent(unsure)} % *unsure*.`;

const yesNo = (training: 'trained' | 'untrained'): string => (training === 'trained' ? 'yes' : 'no');

/** What it is, what it was trained on and how: the beginning of every card. */
export function opening(manifest: Described, source: string, calibratedOn: string): string[] {
  const { name, version, task, data, split, training, modalities, words, encoders } = manifest;
  const { asOftenAs } = training.options;
  return [
    `# ${name} ${version}

${[QUESTIONS[task], USES[task]].filter(Boolean).join('\n\n')}

Architecture \`${manifest.architecture.name}\`: ${source} **Trained: text ${yesNo(modalities.text)}, picture ${yesNo(modalities.image)}.**
${hardened(training.options)}`,
    `## Data and licence

${data.name}: ${data.examples.toLocaleString('en')} ${COLLECTIONS[data.name] ?? 'labelled examples'}. Licence ${data.licence}; the posts remain their authors' and none is in
this folder (split.json holds ids alone).${data.also ? ` ${data.also.examples.toLocaleString('en')} of them are ${data.also.name} (${ALSO[data.also.name] ?? ''}licence ${data.also.licence}), as posts that are not informative and tell of nothing.` : ''}${data.unlabelled ? ` ${data.unlabelled.examples.toLocaleString('en')} posts of ${data.unlabelled.name} (licence ${data.unlabelled.licence}) train without their labels, as teachers answer them.` : ''}

Split \`${split.protocol}\` (seed ${split.seed}): ${split.train.toLocaleString('en')} train, ${split.dev.toLocaleString('en')} dev, ${split.test.toLocaleString('en')} test; near-duplicate texts stay on one side.${words ? ` Word vectors: GloVe 6B 100-d, 50,000 English words, frozen (table ${words.id}); ${readingOf(words.id) === 'first' ? 'the first 15 words count' : 'fifteen words of a post count, numbers among them'}.` : ''}${encoders.map(({ id }) => ` Frozen encoder: ${id}.`).join('')}
Text is normalised by \`${manifest.normaliser}\`.
Training: seed ${training.seed}, best of ${training.epochs} epochs was ${training.bestEpoch}; Adam${training.options['classWeights'] ? ', class weights' : ''}, early stopping on dev ${STOPPED_ON[String(training.options['stopOn'])] ?? 'macro-F1'}.
Calibrated and thresholded on ${calibratedOn}${asOftenAs === undefined ? '' : `, with the bias under which it says yes of dev as often as ${asOftenAs} does`}; nothing was chosen by the test posts.`,
  ];
}

const STOPPED_ON: Readonly<Record<string, string>> = { loss: 'loss', balancedAccuracy: 'balanced accuracy' };

export const limits = (manifest: Described): string => `## Limits

${limitsOf(manifest)
  .map((limit) => `- ${limit}`)
  .join('\n')}`;

/** The card of a model. Every figure comes from `evaluation`, which lies beside it as evaluation.json. */
export function writeCard(manifest: Described, evaluation: Evaluation, source: string): string {
  const { split, thresholds, words } = manifest;
  const model = manifest.architecture.name;
  const { confusion, n } = evaluation.test.model;
  const sections = [
    ...opening(manifest, source, evaluation.unseen ? 'events that its model had not seen (below)' : 'dev'),
    `## Test results

In per cent, with 95 % intervals (Wilson for accuracy, bootstrap for the rest). ${PROTOCOLS[split.protocol] ?? ''}

${comparison(model, evaluation.test)}

${verdict(model, evaluation.test)}

Confusion at 0.5, of ${n} posts: ${confusion.tp} yes found, ${confusion.fn} missed, ${confusion.fp} false alarms, ${confusion.tn} rightly no.`,
    ...(evaluation.claims ? [claimsSection(model, evaluation.claims)] : []),
    ...(evaluation.unseen ? [unseenSection(model, evaluation.unseen)] : []),
    ...(evaluation.unseen?.robust ? [robustSection(evaluation.unseen.robust)] : []),
    `## Answers

Thresholds \`${thresholds.name}\`, chosen on ${evaluation.unseen ? `${evaluation.unseen.unit}s of unseen events` : 'dev'} so that 85 of 100 answers are right (1 and 0: no threshold reaches that); in between the answer is *unsure* (${percent(evaluation.answers.unsure)} % of the test posts).

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

${leftOut(model, evaluation.leftOut)}`,
        ]
      : []),
    `## By language

As \`eld\` tells it; und = too short to tell.${words ? ' The word table is English, so other languages are mostly unknown words and the figures show it.' : ''}

${subgroups('language', evaluation.byLanguage)}

## By event

${subgroups('event', evaluation.byEvent)}`,
    limits(manifest),
  ];
  return `${sections.join('\n\n')}\n`;
}

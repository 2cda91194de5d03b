/** The generated report: tables in Markdown, the papers' figures beside ours. */
import { overSeeds } from '../compare.ts';
import { accuracyAt, riskCoverage } from '../curves.ts';
import { measure, wilson } from '../measure.ts';
import {
  type ClaimsOf,
  type OverSeeds,
  type PlainModel,
  plainFigures,
  type RowFigures,
  rowFigures,
} from './figures.ts';
import { MAFN_ACCURACY, MMAT_EVENTS, MMAT_MODELS, MMAT_TABLE } from './paper.ts';
import { pairsReport, robustReport } from './robust-report.ts';
import { rumourReport } from './rumour-report.ts';
import type { RumourStudy } from './rumour-study.ts';
import type { RunResult } from './runs.ts';
import { percent, spread, table } from './tables.ts';

const PLAIN: readonly PlainModel[] = ['majority', 'naive Bayes'];

const ofModel = (runs: readonly RunResult[], model: string): RunResult[] =>
  runs.filter(({ key }) => key.model === model);

/** Plain rows once for a set of runs that share their splits: those of the first model that is there. */
function withPlain(
  runs: readonly RunResult[],
  models: readonly string[],
  claims: ClaimsOf | null,
): RowFigures[] {
  const present = models.filter((model) => ofModel(runs, model).length > 0);
  const first = present[0];
  if (first === undefined) return [];
  return [
    ...PLAIN.map((plain) => plainFigures(plain, ofModel(runs, first), claims)),
    ...present.map((model) => rowFigures(model, ofModel(runs, model), claims)),
  ];
}

/** Table I of MMAT, the rows of undefended models on original samples. */
function mmatReport(runs: readonly RunResult[]): string {
  const events = [
    ...new Set(runs.flatMap(({ key }) => (key.study === 'mmat' && key.event !== null ? [key.event] : []))),
  ];
  return events
    .map((event) => {
      const { name, pairs } = MMAT_EVENTS.find((known) => known.event === event) ?? { name: event, pairs: 0 };
      const ofEvent = runs.filter(({ key }) => key.study === 'mmat' && key.event === event);
      const part = (protocol: string): RunResult[] => ofEvent.filter(({ key }) => key.protocol === protocol);
      const paper = withPlain(part('paper'), MMAT_MODELS, null);
      const grouped = new Map(withPlain(part('grouped'), MMAT_MODELS, null).map((row) => [row.model, row]));
      const rows = paper.map((row) => {
        const printed = MMAT_TABLE[event]?.[row.model as 'mmn']?.plain.original;
        const interval = printed === undefined ? null : wilson(Math.round((printed / 100) * pairs), pairs);
        const inside = interval && row.accuracy.mean >= interval[0] && row.accuracy.mean <= interval[1];
        const honest = grouped.get(row.model);
        return [
          row.model,
          interval ? `${printed?.toFixed(2)} (${percent(interval[0])}–${percent(interval[1])})` : '–',
          spread(row.accuracy),
          interval ? (inside ? 'yes' : '**no**') : '–',
          honest ? spread(honest.accuracy) : '–',
          honest ? spread(honest.balancedAccuracy) : '–',
          honest ? spread(honest.macroF1) : '–',
          honest ? spread(honest.auroc) : '–',
        ];
      });
      const missing = MMAT_MODELS.filter((model) => !paper.some((row) => row.model === model));
      return [
        `### ${name}`,
        '',
        table(
          [
            'model',
            'paper, accuracy % (Wilson)',
            'ours, `paper` split',
            'inside',
            'ours, `grouped`',
            'balanced accuracy',
            'macro-F1',
            'AUROC',
          ],
          rows,
        ),
        ...(missing.length > 0
          ? ['', `Not run: ${missing.join(', ')} (the pictures of CrisisMMD were not at hand).`]
          : []),
      ].join('\n');
    })
    .join('\n\n');
}

/** Models on posts of one data set and split. @param half whose figures of the paper stand beside */
function settingReport(
  runs: readonly RunResult[],
  claims: ClaimsOf | null,
  half: 'twitter' | 'weibo',
): string {
  const models = [...new Set(runs.map(({ key }) => key.model))];
  const rows = withPlain(runs, models, claims);
  const count = rows[0];
  return [
    count
      ? `${Math.round(count.posts)} test posts${count.claims ? ` of ${Math.round(count.claims.count)} claims` : ''}, ${Math.round(count.trainRows)} training posts.`
      : 'No runs.',
    '',
    table(
      [
        'model',
        'paper, accuracy %',
        'seeds',
        'accuracy',
        'balanced accuracy',
        'macro-F1',
        'macro-F1, bootstrap over claims',
        'macro-F1 per claim',
        'AUROC',
        'epochs',
        's / run',
      ],
      rows.map((row) => {
        const printed = MAFN_ACCURACY[row.model]?.[half];
        return [
          row.model,
          printed == null ? '–' : percent(printed),
          String(row.accuracy.n),
          spread(row.accuracy),
          spread(row.balancedAccuracy),
          spread(row.macroF1),
          row.claims ? `${percent(row.claims.bootstrap[0])}–${percent(row.claims.bootstrap[1])}` : '–',
          row.claims ? spread(row.claims.macroF1) : '–',
          spread(row.auroc),
          ...(PLAIN.includes(row.model as PlainModel)
            ? ['–', '–']
            : [row.epochs.toFixed(0), row.seconds.toFixed(0)]),
        ];
      }),
    ),
  ].join('\n');
}

/** Difference in macro-F1 between two models, seed by seed, with its interval. */
function gap(runs: readonly RunResult[], better: string, other: string): string | null {
  const f1 = (run: RunResult): number => measure(run).macroF1.value;
  const others = new Map(ofModel(runs, other).map((run) => [run.key.seed, f1(run)]));
  const gaps = ofModel(runs, better).flatMap((run) => {
    const theirs = others.get(run.key.seed);
    return theirs === undefined ? [] : [f1(run) - theirs];
  });
  if (gaps.length === 0) return null;
  const over = overSeeds(gaps);
  const verdict = !over.interval
    ? 'one seed shows nothing'
    : over.interval[0] > 0
      ? 'better'
      : over.interval[1] < 0
        ? 'worse'
        : 'no difference shown';
  const few = gaps.length < FEWEST_SEEDS ? `, too few of the ${FEWEST_SEEDS} that are asked` : '';
  return `- ${better} − ${other}: ${spread(over)} points of macro-F1 over ${gaps.length} seeds${few}: ${verdict}.`;
}

const FEWEST_SEEDS = 5;
const RIVALS = ['textual', 'visual', 'mafn-without-affine', 'eann'] as const;

/** What a model that may keep silent gains: accuracy of all answers, and of the surest four fifths. */
function silence(runs: readonly RunResult[], model: string): string | null {
  const curves = ofModel(runs, model).map(riskCoverage);
  if (curves.length === 0) return null;
  const [all, most] = [1, 0.8].map((coverage) =>
    overSeeds(curves.map((curve) => accuracyAt(curve, coverage))),
  );
  const gain = overSeeds(curves.map((curve) => accuracyAt(curve, 0.8) - accuracyAt(curve, 1)));
  return `Answering only the surest 80 % of the posts, ${model} has ${spread(most as OverSeeds)} % right instead of ${spread(all as OverSeeds)} %: ${spread(gain)} points (aim: 3).`;
}

/** Share of the test posts from which its five largest claims decide the figures. */
const FEW_CLAIMS_DECIDE = 0.1;

/** Where the weight of the test lies. */
function weight(runs: readonly RunResult[], claims: ClaimsOf): string {
  const sizes = new Map<number, number>();
  const ids = runs[0]?.ids ?? [];
  for (const id of ids) {
    const claim = claims.get(id) ?? -1;
    sizes.set(claim, (sizes.get(claim) ?? 0) + 1);
  }
  const largest = [...sizes.values()].sort((a, b) => b - a);
  const share = largest.slice(0, 5).reduce((sum, size) => sum + size, 0) / Math.max(1, ids.length);
  const held = `The five largest of its ${sizes.size} claims hold ${percent(share)} % of the test posts`;
  if (share < FEW_CLAIMS_DECIDE) return `${held}: its posts are nearly independent.`;
  return `${held} and decide every post-level figure; the largest alone holds ${percent((largest[0] ?? 0) / Math.max(1, ids.length))} %.`;
}

/** How runs differed from the recipes. */
function optionsOf(runs: readonly RunResult[]): string {
  const seen = new Set(runs.map(({ key }) => JSON.stringify(key.options)));
  const told = [...seen].map((text) =>
    Object.entries(JSON.parse(text) as RunResult['key']['options'])
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  );
  return `Recipe of the paper: Adam, batches of 32, EANN’s falling rate from 0.001, the epoch with the best dev macro-F1 of at most 50 (patience 10); ours: classes weighed equally, 64 tokens of a text. Changed in these runs: ${told.map((text) => text || 'nothing').join('; or ')}.`;
}

/** One split of one data set, all runs with the same options. */
function mafnSection(title: string, part: readonly RunResult[], claims: ClaimsOf, notes: string[]): string {
  const isWeibo = part[0]?.key.study === 'mafn-weibo';
  const [ours, rivals] = isWeibo
    ? ['mafn-without-image', ['textual', 'mafn-entity-only']]
    : ['mafn', RIVALS as readonly string[]];
  const gaps = rivals.map((rival) => gap(part, ours, rival)).filter((line) => line !== null);
  return [
    `### ${title}`,
    '',
    ...notes,
    weight(part, claims),
    optionsOf(part),
    '',
    settingReport(part, claims, isWeibo ? 'weibo' : 'twitter'),
    ...(gaps.length > 0 ? ['', `${ours} against the others, same seeds:`, '', ...gaps] : []),
    ...[silence(part, ours)].flatMap((line) => (line ? ['', line] : [])),
  ].join('\n');
}

const PUBLISHED_IS_DISJOINT =
  'Without leaks this split is the official one: no post had to be taken out, so it was run once and stands for both.';
const WITHOUT_PICTURES =
  'Rows that read no picture, since few of the pictures are at hand; the others of the paper’s tables are not run. `textual` is also the row “text only”. Posts without a text are left out. Naive Bayes counts pairs of characters; entity tags come from a Chinese part-of-speech tagger.';

/** By the options that they were run with, fewest epochs first. */
function byOptions(runs: readonly RunResult[]): RunResult[][] {
  const sets = new Map<string, RunResult[]>();
  for (const run of runs) {
    const name = JSON.stringify(run.key.options);
    sets.set(name, [...(sets.get(name) ?? []), run]);
  }
  const most = (set: readonly RunResult[]): number =>
    Number(set[0]?.key.options['maxEpochs'] ?? Number.POSITIVE_INFINITY);
  return [...sets.values()].sort((a, b) => most(a) - most(b));
}

function scheduleOf([run]: readonly RunResult[]): string {
  const epochs = run?.key.options['maxEpochs'];
  return epochs === undefined ? 'the paper’s schedule' : `at most ${epochs} epochs`;
}

function mafnReport(runs: readonly RunResult[], claims: ClaimsOf): string {
  const of = (study: string): RunResult[] => runs.filter(({ key }) => key.study === study);
  const ofSplit = (part: readonly RunResult[], protocol: string): RunResult[] =>
    part.filter(({ key }) => key.protocol === protocol);
  const [twitter, weibo] = [of('mafn-twitter'), of('mafn-weibo')];
  const notes = (part: readonly RunResult[]): string[] =>
    part.some(({ key }) => key.protocol === 'official') ? [] : [PUBLISHED_IS_DISJOINT];
  return ['official-disjoint', 'official']
    .flatMap((protocol) => [
      ...byOptions(ofSplit(twitter, protocol)).map((part) => {
        const title = `Twitter (MediaEval), posts with picture, split \`${protocol}\`, ${scheduleOf(part)}`;
        return mafnSection(title, part, claims, notes(twitter));
      }),
      ...byOptions(ofSplit(weibo, protocol)).map((part) =>
        mafnSection(`Weibo, split \`${protocol}\`, ${scheduleOf(part)}`, part, claims, [
          WITHOUT_PICTURES,
          ...notes(weibo),
        ]),
      ),
    ])
    .join('\n\n');
}

/** Rows of the paper's tables that no run stands for. */
function notRun(runs: readonly RunResult[]): string[] {
  const done = new Set(runs.map(({ key }) => key.model));
  const missing = Object.keys(MAFN_ACCURACY).filter((model) => !done.has(model));
  return missing.length === 0 ? [] : ['', `Not run yet: ${missing.join(', ')}.`];
}

/**
 * The whole report of a paper's reproduction.
 * @param study the rumour study, where it was run
 */
export function writeReport(
  paper: 'mmat' | 'mafn',
  runs: readonly RunResult[],
  claims: ClaimsOf,
  study: RumourStudy | null,
): string {
  const engines = [...new Set(runs.map(({ engine }) => engine))].join(', ');
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0);
  const head = [
    `Made by \`npm run reproduce:${paper}\`: ${runs.length} runs, ${(seconds / 60).toFixed(0)} minutes of training on ${engines}.`,
    'Figures are means over seeds ± half of the 95 % interval (Student’s t), in percent.',
  ];
  if (paper === 'mafn')
    return [
      ...head,
      '',
      mafnReport(runs, claims),
      ...notRun(runs),
      ...(study ? ['', rumourReport(study)] : []),
      '',
    ].join('\n');
  const pairs = runs.filter(({ key }) => key.study === 'mmat-pairs');
  const robust = runs.filter(({ key }) => key.study === 'mmat-robust');
  return [
    ...head,
    '',
    '## MMAT, Table I, original samples, undefended models',
    '',
    'The paper’s test is a random tenth of the pairs, so a post with several pictures stands on both sides; `grouped` keeps',
    'each post and message on one side. “inside” says whether our mean lies in Wilson’s interval of the paper’s figure.',
    '',
    mmatReport(runs),
    ...(robust.length > 0 ? ['', robustReport(robust)] : []),
    ...(pairs.length > 0 ? ['', pairsReport(pairs)] : []),
    '',
  ].join('\n');
}

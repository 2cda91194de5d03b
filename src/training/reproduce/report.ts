/** The generated report: tables in Markdown, the papers' figures beside ours. */
import { overSeeds } from '../compare.ts';
import { DEFENCES, type Defence } from '../defences.ts';
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
import type { RunResult } from './runs.ts';

const PLAIN: readonly PlainModel[] = ['majority', 'naive Bayes'];

const percent = (share: number): string => (100 * share).toFixed(1);

/** `87.2 ± 1.3`: mean and half of the 95 % interval over seeds. */
function spread({ mean, interval }: Pick<OverSeeds, 'mean' | 'interval'>): string {
  return interval === null ? percent(mean) : `${percent(mean)} ± ${percent(interval[1] - mean)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

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

/** Models on pairs or posts of one data set and split: no paper figure, all of ours. */
function settingReport(runs: readonly RunResult[], claims: ClaimsOf | null): string {
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
        's / run',
      ],
      rows.map((row) => {
        const printed = MAFN_ACCURACY[row.model]?.twitter;
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
          PLAIN.includes(row.model as PlainModel) ? '–' : row.seconds.toFixed(0),
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
  return `- ${better} − ${other}: ${spread(over)} points of macro-F1 over ${gaps.length} seeds${over.interval && over.interval[0] > 0 ? ', above zero' : ''}`;
}

const RIVALS = ['textual', 'visual', 'mafn-without-affine', 'eann'] as const;

function mafnReport(runs: readonly RunResult[], claims: ClaimsOf): string {
  return ['official-disjoint', 'official']
    .map((protocol) => {
      const part = runs.filter(({ key }) => key.study === 'mafn-twitter' && key.protocol === protocol);
      if (part.length === 0) return '';
      const gaps = RIVALS.map((rival) => gap(part, 'mafn', rival)).filter((line) => line !== null);
      return [
        `### Twitter (MediaEval), posts with picture, split \`${protocol}\``,
        '',
        settingReport(part, claims),
        '',
        'MAFN against the others, same seeds:',
        '',
        ...gaps,
      ].join('\n');
    })
    .filter((section) => section !== '')
    .join('\n\n');
}

/** Words for the defences, as the table names them. */
const DEFENCE_NAMES: Readonly<Record<Defence, string>> = {
  none: 'none',
  static: 'static (Algorithm 1)',
  'on-the-fly': 'on-the-fly Eq. 2',
  hull: 'convex hull',
};

/** Figures of a run under an attack, or clean. */
function under(run: RunResult, attack: string | null): ReturnType<typeof measure> {
  const probability = attack === null ? run.probability : (run.attacked[attack] ?? []);
  return measure({ probability, label: run.label });
}

/** Gains in balanced accuracy, seed by seed, with their interval over seeds. */
function gain(a: readonly RunResult[], b: readonly RunResult[], attack: string | null): string {
  const others = new Map(b.map((run) => [run.key.seed, under(run, attack).balancedAccuracy.value]));
  const gains = a.flatMap((run) => {
    const other = others.get(run.key.seed);
    return other === undefined ? [] : [under(run, attack).balancedAccuracy.value - other];
  });
  return spread(overSeeds(gains));
}

/** Table I's defended rows, text: E0 clean, E1 static, E2 adaptive, and the greedy attack. */
function robustReport(runs: readonly RunResult[]): string {
  const events = [...new Set(runs.map(({ key }) => key.event))];
  return events
    .map((event) => {
      const of = (defence: Defence): RunResult[] =>
        runs.filter(({ key }) => key.event === event && key.training === defence);
      const known = MMAT_EVENTS.find((one) => one.event === event);
      const printed = event === null ? undefined : MMAT_TABLE[event]?.['text-cnn'];
      const cell = (rows: readonly RunResult[], attack: string | null): string => {
        const figures = rows.map((run) => under(run, attack));
        const accuracy = overSeeds(figures.map((f) => f.accuracy.value));
        const balanced = overSeeds(figures.map((f) => f.balancedAccuracy.value));
        return `${percent(accuracy.mean)} / ${spread(balanced)}`;
      };
      const rows = DEFENCES.filter((defence) => of(defence).length > 0).map((defence) => {
        const paper =
          defence === 'none' ? printed?.plain : defence === 'static' ? printed?.defended : undefined;
        return [
          DEFENCE_NAMES[defence],
          paper ? `${paper.original.toFixed(2)} / ${paper.adversarial.toFixed(2)}` : '–',
          cell(of(defence), null),
          cell(of(defence), 'static'),
          cell(of(defence), 'adaptive'),
          cell(of(defence), 'greedy'),
        ];
      });
      const gains = (['on-the-fly', 'hull'] as const)
        .filter((defence) => of(defence).length > 0)
        .map(
          (defence) =>
            `- ${DEFENCE_NAMES[defence]}: E2 balanced accuracy ${gain(of(defence), of('static'), 'adaptive')} points over static, ${gain(of(defence), of('none'), 'adaptive')} over none; clean ${gain(of(defence), of('none'), null)}.`,
        );
      return [
        `### ${known?.name ?? event}, ${of('none').length} seeds`,
        '',
        table(
          [
            'defence',
            'paper, accuracy original / adversarial %',
            'clean, accuracy / balanced',
            'E1 static',
            'E2 adaptive',
            'greedy, 30 % of words',
          ],
          rows,
        ),
        '',
        ...gains,
      ].join('\n');
    })
    .join('\n\n');
}

/** The whole report of a paper's reproduction. */
export function writeReport(paper: 'mmat' | 'mafn', runs: readonly RunResult[], claims: ClaimsOf): string {
  const engines = [...new Set(runs.map(({ engine }) => engine))].join(', ');
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0);
  const head = [
    `Made by \`npm run reproduce:${paper}\`: ${runs.length} runs, ${(seconds / 60).toFixed(0)} minutes of training on ${engines}.`,
    'Figures are means over seeds ± half of the 95 % interval (Student’s t), in percent.',
  ];
  if (paper === 'mafn') return [...head, '', mafnReport(runs, claims), ''].join('\n');
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
    ...(robust.length > 0
      ? [
          '',
          '## MMAT, Table I, adversarial samples, Text-CNN',
          '',
          'Split `grouped`, class weights, answers at 0.5 without calibration. E1: crafted by Eq. 2 on the undefended twin; E2: on the',
          'judged model itself; greedy: one word at a time with fresh gradients, accepted only if the loss rises.',
          '',
          robustReport(robust),
        ]
      : []),
    ...(pairs.length > 0
      ? [
          '',
          '## The same networks on pairs with pictures',
          '',
          'MediaEval, fake or real, unseen events and pictures.',
          '',
          settingReport(pairs, claims),
        ]
      : []),
    '',
  ].join('\n');
}

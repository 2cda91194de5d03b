/** The tables of attacked models: Table I's defended rows with their aims, E1 against the paper, and MediaEval's pairs. */
import { overSeeds } from '../compare.ts';
import { DEFENCES, type Defence } from '../defences.ts';
import { measure, wilson } from '../measure.ts';
import { MMAT_EVENTS, MMAT_MODELS, MMAT_TABLE, type MmatCell, NEIGHBOURS } from './paper.ts';
import type { RunResult } from './runs.ts';
import { percent, spread, table } from './tables.ts';
import { tippedAt } from './tipping-point.ts';

const NAMES: Readonly<Record<Defence, string>> = {
  none: 'none',
  static: 'static (Algorithm 1)',
  'on-the-fly': 'on the fly',
  hull: 'convex hull',
  'hull-balanced': 'convex hull, balanced',
  'swap-and-hull': 'Eq. 2 and convex hull',
  'part-way': 'Eq. 2 and convex hull, part of the way',
  pgd: 'PGD-7',
  mixed: 'mixed schedule',
};

/** Attacks by their name in the results, in the table's order. */
const ATTACKS: Readonly<Record<string, string>> = {
  static: 'E1 static',
  adaptive: 'E2 adaptive',
  greedy: 'greedy, 30 % of words',
  'fgsm 0.1': 'picture FGSM, 0.1',
  'pgd 0.1': 'picture PGD-10, 0.1',
  'fgsm 8/255': 'picture FGSM, 8/255',
  'pgd 8/255': 'picture PGD-10, 8/255',
};

/** Points that a defence is to win over static training and over none, and may lose on clean posts (issue aims). */
const AIM = { overStatic: 0.07, overNone: 0.1, loss: 0.02, lossOf: { california_wildfires: 0.04 } } as const;
/** Largest FGSM − PGD of a picture branch. */
const GAP_AIM = 0.15;

/** The defences that the paper prints a row of. */
const PRINTED: Readonly<Partial<Record<Defence, 'plain' | 'defended'>>> = {
  none: 'plain',
  static: 'defended',
};

/** Figures of a run under an attack, or clean. */
function under(
  run: RunResult,
  attack: string | null,
): { accuracy: number; balanced: number; macroF1: number } {
  const probability = attack === null ? run.probability : (run.attacked[attack] ?? []);
  const { accuracy, balancedAccuracy, macroF1 } = measure({ probability, label: run.label });
  return { accuracy: accuracy.value, balanced: balancedAccuracy.value, macroF1: macroF1.value };
}

type Of = (defence: Defence) => readonly RunResult[];

/** A defence as its rows call it, with what is missing. */
function nameIn(of: Of, defence: Defence): string {
  const [own, most] = [of(defence).length, of('none').length];
  return own < most ? `${NAMES[defence]}, ${own} of ${most} seeds` : NAMES[defence];
}

/** Gains in balanced accuracy, seed by seed, with their interval over seeds. */
function gain(a: readonly RunResult[], b: readonly RunResult[], attack: string | null): Figure {
  const others = new Map(b.map((run) => [run.key.seed, under(run, attack).balanced]));
  return overSeeds(
    a.flatMap((run) => {
      const other = others.get(run.key.seed);
      return other === undefined ? [] : [under(run, attack).balanced - other];
    }),
  );
}
type Figure = ReturnType<typeof overSeeds>;

/** Accuracy / balanced accuracy / macro-F1, each the mean over seeds. */
function cell(runs: readonly RunResult[], attack: string | null): string {
  const figures = runs.map((run) => under(run, attack));
  const [accuracy, macroF1] = [figures.map((f) => f.accuracy), figures.map((f) => f.macroF1)].map(overSeeds);
  return `${percent((accuracy as Figure).mean)} / ${spread(overSeeds(figures.map((f) => f.balanced)))} / ${percent((macroF1 as Figure).mean)}`;
}

/** One row a defence, one column an attack. */
function attackTable(of: Of, printed: (defence: Defence) => MmatCell | undefined): string {
  const present = DEFENCES.filter((defence) => of(defence).length > 0);
  const attacks = Object.keys(ATTACKS).filter(
    (attack) => attack in (of(present[0] as Defence)[0]?.attacked ?? {}),
  );
  const withPaper = present.some((defence) => printed(defence));
  return table(
    [
      'defence',
      ...(withPaper ? ['paper, accuracy original / adversarial %'] : []),
      'clean',
      ...attacks.map((attack) => ATTACKS[attack] as string),
    ],
    present.map((defence) => {
      const paper = printed(defence);
      return [
        nameIn(of, defence),
        ...(withPaper
          ? [paper ? `${paper.original.toFixed(2)} / ${paper.adversarial.toFixed(2)}` : '–']
          : []),
        cell(of(defence), null),
        ...attacks.map((attack) => cell(of(defence), attack)),
      ];
    }),
  );
}

/** What each of our defences wins under the adaptive attack, and whether that is what was aimed at. */
function gainsOf(of: Of, event: string | null): string[] {
  return (['on-the-fly', 'hull', 'hull-balanced', 'swap-and-hull', 'part-way', 'pgd', 'mixed'] as const)
    .filter((defence) => of(defence).length > 0 && of('none').length > 0)
    .map((defence) => {
      const overStatic = gain(of(defence), of('static'), 'adaptive');
      const overNone = gain(of(defence), of('none'), 'adaptive');
      const clean = gain(of(defence), of('none'), null);
      const allowed = AIM.lossOf[event as keyof typeof AIM.lossOf] ?? AIM.loss;
      const reached =
        overStatic.mean >= AIM.overStatic && overNone.mean >= AIM.overNone && clean.mean >= -allowed;
      return `- ${nameIn(of, defence)}: E2 balanced accuracy ${spread(overStatic)} points over static, ${spread(overNone)} over none; clean ${spread(clean)}. Aim (7 over static, 10 over none, clean loss ≤ ${(100 * allowed).toFixed(0)}): ${reached ? 'reached' : '**not reached**'}.`;
    });
}

/** Table I's defended rows on CrisisMMD. */
export function robustReport(runs: readonly RunResult[]): string {
  const part = (protocol: string): readonly RunResult[] =>
    runs.filter(({ key }) => key.protocol === protocol);
  return [
    '## MMAT, Table I, adversarial samples',
    '',
    'Split `grouped`, class weights. Every network, undefended or not, answers yes from that logit on at which clean dev posts of',
    'both classes are answered equally well; it is set before anybody attacks. Cells: accuracy / balanced accuracy / macro-F1. E1:',
    'crafted on the undefended twin, words by Eq. 2 and pictures by FGSM within 0.1; E2: the same on the judged model itself;',
    'greedy: one word at a time with fresh gradients, accepted only if the loss rises.',
    '',
    eventTables(part('grouped')),
    ...(part('paper').length > 0 ? ['', againstPaper(part('paper'))] : []),
  ].join('\n');
}

/** A run with its answers tipped where dev says. */
function tipped(run: RunResult): RunResult {
  const moved = (probability: readonly number[]): readonly number[] =>
    run.tip === null ? probability : tippedAt(probability, run.tip);
  const attacked = Object.entries(run.attacked).map(([attack, answers]) => [attack, moved(answers)]);
  return { ...run, probability: moved(run.probability), attacked: Object.fromEntries(attacked) };
}

function eventTables(runs: readonly RunResult[]): string {
  const events = [...new Set(runs.map(({ key }) => key.event))];
  return events
    .flatMap((event) =>
      MMAT_MODELS.map((model) => {
        const own = runs.filter(({ key }) => key.event === event && key.model === model);
        if (own.length === 0) return [];
        const asTrained: Of = (defence) => own.filter(({ key }) => key.training === defence);
        const of: Of = (defence) => asTrained(defence).map(tipped);
        const name = MMAT_EVENTS.find((one) => one.event === event)?.name ?? event;
        const row = event === null ? undefined : MMAT_TABLE[event]?.[model];
        const printed = (defence: Defence): MmatCell | undefined => {
          const kind = PRINTED[defence];
          return kind && row?.[kind];
        };
        const { label = [] } = own[0] ?? {};
        const positives = label.filter((value) => value === 1).length / Math.max(1, label.length);
        return [
          `### ${name}, ${model}, ${of('none').length} seeds`,
          '',
          `Majority: ${percent(Math.max(positives, 1 - positives))} % of the test posts.`,
          '',
          attackTable(of, printed),
          '',
          ...gainsOf(of, event),
          '',
          'With the logits as they were trained:',
          '',
          ...gainsOf(asTrained, event),
        ];
      }),
    )
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

/** One figure of the paper beside ours. */
interface Compared {
  readonly printed: string;
  readonly ours: string;
  readonly inside: boolean;
}

/** How accurate runs are, clean or attacked, beside what the paper prints of so many pairs. */
function compare(own: readonly RunResult[], attack: string | null, value: number, pairs: number): Compared {
  const [low, high] = wilson(Math.round((value / 100) * pairs), pairs);
  const ours = overSeeds(own.map((run) => under(run, attack).accuracy));
  return {
    printed: `${value.toFixed(2)} (${percent(low)}–${percent(high)})`,
    ours: spread(ours),
    inside: ours.mean >= low && ours.mean <= high,
  };
}

/** Whether our figures on the paper's own split lie in Wilson's interval of what it prints. */
function againstPaper(runs: readonly RunResult[]): string {
  const neighboursOf = ({ key }: RunResult): number => Number(key.options['neighbours'] ?? NEIGHBOURS);
  const all = [...new Set(runs.map(neighboursOf))].sort((x, y) => y - x);
  const found = MMAT_EVENTS.flatMap(({ event, name, pairs }) =>
    MMAT_MODELS.flatMap((model) =>
      (['none', 'static'] as const).flatMap((defence) =>
        all.flatMap((n) => {
          const own = runs.filter(
            (run) =>
              run.key.event === event &&
              run.key.model === model &&
              run.key.training === defence &&
              neighboursOf(run) === n,
          );
          const kind = PRINTED[defence];
          const printed = kind && MMAT_TABLE[event]?.[model][kind];
          if (own.length === 0 || !printed) return [];
          const clean = compare(own, null, printed.original, pairs);
          const attacked = compare(own, 'static', printed.adversarial, pairs);
          return [{ what: `${name}, ${model}`, defence, n, seeds: own.length, clean, attacked }];
        }),
      ),
    ),
  );
  const cells = ({ printed, ours, inside }: Compared): string[] => [printed, ours, inside ? 'yes' : '**no**'];
  const insides = (n: number, defence: Defence, which: 'clean' | 'attacked'): string => {
    const such = found.filter((row) => row.n === n && row.defence === defence);
    return `${such.filter((row) => row[which].inside).length}/${such.length}`;
  };
  return [
    '### E1 against the paper, on its own split',
    '',
    'Split `paper`, no class weights, samples crafted on the undefended twin. “inside”: our mean lies in Wilson’s interval of',
    'the paper’s figure. n: among how many neighbours a word may be replaced, which the paper does not say; static training has seen samples of the same n.',
    '',
    table(
      [
        'event',
        'defence',
        'n',
        'seeds',
        'paper, original % (Wilson)',
        'ours',
        'inside',
        'paper, adversarial % (Wilson)',
        'ours, E1',
        'inside',
      ],
      found.map(({ what, defence, n, seeds, clean, attacked }) => [
        ...[what, NAMES[defence], String(n), String(seeds)],
        ...[clean, attacked].flatMap(cells),
      ]),
    ),
    '',
    ...all.map(
      (n) =>
        `- n = ${n}: inside are ${insides(n, 'none', 'clean')} clean and ${insides(n, 'none', 'attacked')} E1 figures of undefended models, ${insides(n, 'static', 'clean')} and ${insides(n, 'static', 'attacked')} of static training.`,
    ),
  ].join('\n');
}

/** All six models on MediaEval's pairs. */
export function pairsReport(runs: readonly RunResult[]): string {
  const posts = runs[0]?.ids.length ?? 0;
  const tables = MMAT_MODELS.flatMap((model) => {
    const own = runs.filter(({ key }) => key.model === model);
    if (own.length === 0) return [];
    const of: Of = (defence) => own.filter(({ key }) => key.training === defence);
    return [
      '',
      `### ${model}, ${of('none').length} seeds`,
      '',
      attackTable(of, () => undefined),
      '',
      ...gainsOf(of, null),
      ...gapsOf(of),
      ...endedBy(own),
    ];
  });
  const { label = [], trainRows = 0 } = runs[0] ?? {};
  const positives = label.filter((value) => value === 1).length / Math.max(1, label.length);
  return [
    '## The six models on pairs with pictures',
    '',
    'MediaEval, fake or real, split `official-disjoint`: no event, picture or message of the test is in training. At most two',
    `posts of a picture count: ${trainRows} training pairs and ${posts} test pairs; majority ${percent(Math.max(positives, 1 - positives))} %. Cells and attacks as`,
    'above, answers at 0.5; pictures are trained against within 8/255 (static within 0.1, as the paper) and attacked within both.',
    ...tables,
  ].join('\n');
}

/** Runs that the guard ended. */
function endedBy(runs: readonly RunResult[]): string[] {
  const told = runs.flatMap(({ key, caught, epochs }) =>
    caught ? [`${NAMES[key.training as Defence]}, seed ${key.seed}, epoch ${epochs} (${caught})`] : [],
  );
  return told.length === 0 ? [] : [`- Ended by the guard: ${told.join('; ')}.`];
}

/** FGSM − PGD-10 of the picture branch. */
function gapsOf(of: Of): string[] {
  return ['0.1', '8/255'].flatMap((bound) => {
    const told = DEFENCES.flatMap((defence) => {
      const own = of(defence).filter(({ attacked }) => attacked[`pgd ${bound}`]);
      if (own.length === 0) return [];
      const gap = overSeeds(
        own.map((run) => under(run, `fgsm ${bound}`).accuracy - under(run, `pgd ${bound}`).accuracy),
      );
      return [`${NAMES[defence]} ${spread(gap)}${gap.mean <= GAP_AIM ? '' : ' (**over**)'}`];
    });
    return told.length === 0
      ? []
      : [
          `- FGSM − PGD-10 of the pictures within ${bound}, points of accuracy (aim: at most 15): ${told.join('; ')}.`,
        ];
  });
}

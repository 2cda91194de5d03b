/** Which runs make a table. Plans are lists of keys; nothing is computed here. */

import { MAFN_ABLATIONS, MAFN_PAPER } from '../../models/zoo/mafn.ts';
import type { Dataset, Example } from '../dataset.ts';
import type { Defence } from '../defences.ts';
import { MMAT_EVENTS, MMAT_MODELS, type MmatModel, NEIGHBOURS, OTHER_NEIGHBOURS } from './paper.ts';
import type { RunKey } from './runs.ts';

/**
 * Whether an example counts in a run of this scope: `all`, `written` for those that have a text, or `pictured` for those
 * whose picture is at hand; `pictured-2` counts two posts of each picture at most (postsPerPicture).
 */
export function inScope({ picture, text }: Pick<Example, 'picture' | 'text'>, scope: string): boolean {
  if (scope === 'written') return text !== '';
  return scope === 'all' || picture?.file != null;
}

export const postsPerPicture = (scope: string): number =>
  Number(/^pictured-(\d+)$/.exec(scope)?.[1] ?? Number.POSITIVE_INFINITY);

/** Seeds 1 … n. Five is the least for a mean with an interval. */
export const seedsUpTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

interface PlanOptions {
  readonly seeds: readonly number[];
  /** Options that differ from the recipe, e.g. fewer epochs in the quick form. */
  readonly options: RunKey['options'];
  /** Only the rows that the comparison rests on. */
  readonly short?: boolean;
}

const key = (data: Dataset, rest: Omit<RunKey, 'data' | 'dataSha256'>): RunKey => ({
  data: data.name,
  dataSha256: data.sha256,
  ...rest,
});

/**
 * Table I of MMAT on CrisisMMD: each event alone, by the paper's split and by one without leaks. Without pictures at
 * hand only the text row can be run.
 */
export function mmatPlan(crisisMmd: Dataset, { seeds, options }: PlanOptions): RunKey[] {
  const present = new Set(crisisMmd.examples.map(({ event }) => event));
  // The paper's events in its order, then whatever else there is.
  const events = new Set([...MMAT_EVENTS.map(({ event }) => event as string), ...present]);
  const pictures = crisisMmd.examples.some((example) => inScope(example, 'pictured'));
  const models = MMAT_MODELS.filter((model) => pictures || model === 'text-cnn');
  return [...events]
    .filter((event) => present.has(event))
    .flatMap((event) =>
      ['paper', 'grouped'].flatMap((protocol) =>
        models.flatMap((model) =>
          seeds.map((seed) =>
            key(crisisMmd, {
              study: 'mmat',
              event,
              scope: pictures ? 'pictured' : 'all',
              protocol,
              model,
              config: {},
              training: 'plain',
              // The paper says nothing of class weights; they are ours, for the honest split.
              options: { classWeights: protocol !== 'paper', ...options },
              seed,
            }),
          ),
        ),
      ),
    );
}

/** Defences that make sense for what a network reads. */
const DEFENCES_OF: Readonly<Record<MmatModel, readonly Defence[]>> = {
  'text-cnn': ['none', 'static', 'on-the-fly', 'hull', 'hull-balanced', 'swap-and-hull', 'part-way'],
  'visual-cnn': ['none', 'static', 'on-the-fly', 'pgd'],
  mmn: ['none', 'static', 'on-the-fly', 'mixed'],
};

/**
 * Table I's defended rows: each event alone under every defence on the split without leaks; then the paper's own two, none
 * and static, on its own split, for the comparison with its figures. Without pictures at hand only the Text-CNN can be run.
 */
export function robustPlan(crisisMmd: Dataset, { seeds, options, short = false }: PlanOptions): RunKey[] {
  const present = new Set(crisisMmd.examples.map(({ event }) => event));
  // The small events first: they are done in a minute.
  const order = ['srilanka_floods', 'mexico_earthquake', 'california_wildfires', 'hurricane_harvey'];
  const events = [...new Set([...order, ...present])].filter((event) => present.has(event));
  const pictures = crisisMmd.examples.some((example) => inScope(example, 'pictured'));
  const models: MmatModel[] = pictures ? ['text-cnn', 'visual-cnn', 'mmn'] : ['text-cnn'];
  const runs = (
    protocol: string,
    trainings: (model: MmatModel) => readonly Defence[],
    own: RunKey['options'],
  ): RunKey[] =>
    models.flatMap((model) =>
      events.flatMap((event) =>
        seeds.flatMap((seed) =>
          trainings(model).map((training) =>
            key(crisisMmd, {
              study: 'mmat-robust',
              event,
              scope: model === 'text-cnn' ? 'all' : 'pictured',
              protocol,
              model,
              config: {},
              training,
              options: { ...own, ...options },
              seed,
            }),
          ),
        ),
      ),
    );
  return [
    // The paper says nothing of class weights nor of where answers tip; both are ours, for the honest split.
    ...runs('grouped', (model) => DEFENCES_OF[model], { classWeights: true, tips: true }),
    ...[NEIGHBOURS, ...(short ? [] : OTHER_NEIGHBOURS)].flatMap((neighbours) =>
      runs('paper', () => PAPER_DEFENCES, {
        classWeights: false,
        ...(neighbours === NEIGHBOURS ? {} : { neighbours }),
      }),
    ),
  ];
}

const PAPER_DEFENCES: readonly Defence[] = ['none', 'static'];

/** Posts of a picture that count: with all of them, one picture is nearly half of MediaEval's test. */
const PAIRS_PER_PICTURE = 2;
/** At most; an epoch of PGD-7 takes eight times as long as a plain one. */
const PAIRS_EPOCHS = 20;

/**
 * The same networks and defences on pairs whose pictures are at hand: MediaEval's, fake or real, on unseen events. Seed by
 * seed, so that a run that is cut short has whole rows.
 */
export function mmatPairsPlan(mediaEval: Dataset, { seeds, options, short = false }: PlanOptions): RunKey[] {
  return (short ? seeds.slice(0, 1) : seeds).flatMap((seed) =>
    MMAT_MODELS.flatMap((model) =>
      DEFENCES_OF[model].map((training) =>
        key(mediaEval, {
          study: 'mmat-pairs',
          event: null,
          scope: `pictured-${PAIRS_PER_PICTURE}`,
          protocol: 'official-disjoint',
          model,
          config: {},
          training,
          options: { classWeights: true, maxEpochs: PAIRS_EPOCHS, ...options },
          seed,
        }),
      ),
    ),
  );
}

/** Rows of MAFN's Table 1, then the stronger references. */
export const MAFN_ROWS = [
  'textual',
  'visual',
  'neuraltalk',
  'vqa',
  'att-rnn',
  'msrd',
  'eann',
  'mvae',
  'mafn',
] as const;
const REFERENCES = ['spotfake', 'ofli2020', 'cafe-lite', 'sse-cross'] as const;

/** The rows that the comparison rests on come first, so that a run that is cut short still answers it. */
const FIRST: readonly string[] = ['mafn', 'textual', 'visual', 'mafn-without-affine', 'eann'];
/** Comes last: a step of its word-by-word decoder takes most of a second. */
const SLOWEST = 'mvae';

/**
 * Tables 1 and 2 of MAFN on Twitter (MediaEval): posts with picture, seed by seed.
 * @param protocols the split without leaks first; `official` too where it is another one
 */
export function mafnTwitterPlan(
  mediaEval: Dataset,
  protocols: readonly string[],
  { seeds, options, short = false }: PlanOptions,
): RunKey[] {
  const rows = [
    ...[...MAFN_ROWS, ...REFERENCES].map((model) => ({
      name: model as string,
      config: model === 'mafn' ? MAFN_PAPER : {},
    })),
    ...Object.entries(MAFN_ABLATIONS).map(([name, config]) => ({ name: `mafn-${name}`, config })),
  ];
  const others = rows.filter(({ name }) => !FIRST.includes(name));
  const parts = [
    rows.filter(({ name }) => FIRST.includes(name)),
    others.filter(({ name }) => name !== SLOWEST && !short),
    others.filter(({ name }) => name === SLOWEST && !short),
  ];
  return protocols.flatMap((protocol) =>
    parts.flatMap((part) =>
      seeds.flatMap((seed) =>
        part.map(({ name, config }) =>
          key(mediaEval, {
            study: 'mafn-twitter',
            event: null,
            scope: 'pictured',
            protocol,
            model: name,
            config: { ...config },
            training: 'plain',
            options: { ...options },
            seed,
          }),
        ),
      ),
    ),
  );
}

/** Rows of MAFN's tables that read no picture; `mafn-text-only` is the network of `textual`. */
const TEXT_ROWS: readonly { readonly name: string; readonly config: RunKey['config'] }[] = [
  { name: 'textual', config: {} },
  { name: 'mafn-without-image', config: { ...MAFN_ABLATIONS['without-image'] } },
  { name: 'mafn-entity-only', config: { ...MAFN_ABLATIONS['entity-only'] } },
];
/** A Weibo post has up to 140 characters and seldom more; bge-small-zh reads about one a token. */
const WEIBO_TOKENS = 128;
/** Posts that count there. */
export const WEIBO_SCOPE = 'written';

/**
 * The rows of MAFN's tables on Weibo that read no picture: few of the pictures are at hand. Posts without a text do not
 * count: in the collection they are all rumours, so they would be answered by what they lack.
 * @param protocols as in `mafnTwitterPlan`
 * @param textEncoder one that reads Chinese
 */
export function mafnWeiboPlan(
  weibo: Dataset,
  protocols: readonly string[],
  textEncoder: string,
  { seeds, options, short = false }: PlanOptions,
): RunKey[] {
  const rows = short ? TEXT_ROWS.slice(0, 2) : TEXT_ROWS;
  return seeds.flatMap((seed) =>
    protocols.flatMap((protocol) =>
      rows.map(({ name, config }) =>
        key(weibo, {
          study: 'mafn-weibo',
          event: null,
          scope: WEIBO_SCOPE,
          protocol,
          model: name,
          config,
          training: 'plain',
          options: { ...options, maxTokens: WEIBO_TOKENS, textEncoder, tagger: 'chinese' },
          seed,
        }),
      ),
    ),
  );
}

/** The architecture behind a row of a table: `mafn-…` are ablations. */
export const architectureOf = (model: string): string => (model.startsWith('mafn-') ? 'mafn' : model);

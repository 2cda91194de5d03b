/**
 * One split, one seed, one of the paper's three networks: undefended and under each defence, attacked statically (crafted
 * on the undefended twin, as Table I's defended rows almost surely were), adaptively (crafted on itself) and more strongly:
 * words greedily, pictures by FGSM and PGD-10 alone.
 */

import type { Posts, Victim } from '../../adversarial/attack.ts';
import { fgsm } from '../../adversarial/fgsm.ts';
import { GREEDY_DEFAULTS, greedyWords } from '../../adversarial/greedy-words.ts';
import { pgd } from '../../adversarial/pgd.ts';
import { probabilities } from '../../adversarial/suite.ts';
import { createVictim } from '../../adversarial/victim.ts';
import { buildWordSpace, type WordSpace } from '../../adversarial/word-space.ts';
import { seededRandom, shuffled } from '../../base/random.ts';
import type { Tf } from '../../models/engine/tf.ts';
import type { Vocabulary } from '../../models/port.ts';
import { MAX_WORDS, WORD_DIMENSIONS } from '../../models/words.ts';
import { PICTURE_SIDE } from '../../models/zoo/branches.ts';
import type { Column, Head, Network } from '../../models/zoo/contract.ts';
import { architecture } from '../../models/zoo/zoo.ts';
import type { Example } from '../dataset.ts';
import {
  attackedPosts,
  type Defence,
  type DefenceDeps,
  hull,
  mixed,
  onPictures,
  onTheFly,
  pickPosts,
  postsTable,
  staticPosts,
  swapAndHull,
} from '../defences.ts';
import { type Caught, pictureGuard } from '../overfitting-guard.ts';
import { trainPartWay } from '../part-way.ts';
import { FIELD_EPSILON, PAPER_EPSILON, pgdClimb } from '../picture-defences.ts';
import type { Labelled } from '../table.ts';
import { SILENT, type TrainingHooks, type TrainingOptions, type TrainingResult, train } from '../train.ts';
import { type MmatModel, NEIGHBOURS } from './paper.ts';
import { tippingPoint } from './tipping-point.ts';

const HEAD: Head = { kind: 'sigmoid', outputs: 1 };
const DIMS = { tokens: 0, text: 0, imageLogits: 0, imageFeatures: 0, events: 0 };
/**
 * How `hull-balanced` chooses its epoch: the mean of balanced accuracy on clean and on attacked dev posts, with twice the
 * patience, as that figure is coarser than the loss.
 */
const BALANCED: Partial<TrainingOptions> = { stopOn: 'balancedAccuracy', patience: 10 };
/** How far `part-way` goes from an undefended network, chosen on California's dev. */
const PART_OF_THE_WAY = 0.8;
/** Dev posts that the guard watches. */
const HELD = 128;
/** Bounds that pictures are attacked within, by the name in the results. */
const PICTURE_BOUNDS = { '0.1': PAPER_EPSILON, '8/255': FIELD_EPSILON } as const;

export interface RobustDeps {
  readonly tf: Tf;
  readonly vocabulary: Vocabulary;
  /** Word vectors. [rows, 100] */
  readonly wordVectors: Float32Array;
}

/** Probabilities of yes on the test posts: as they are, and as each attack leaves them. */
export interface RobustResult {
  readonly defence: Defence;
  readonly epochs: number;
  readonly caught: Caught | null;
  /** The logit at which its answers should tip, by dev; null where nobody asked. */
  readonly tip: number | null;
  readonly clean: readonly number[];
  readonly attacked: Readonly<Record<string, readonly number[]>>;
}

/** The word space of a set of texts: every known word in them has its `n` neighbours. */
export function spaceOf(
  deps: RobustDeps,
  examples: readonly Pick<Example, 'text'>[],
  n: number = NEIGHBOURS,
): WordSpace {
  const wanted = new Set(examples.flatMap(({ text }) => [...deps.vocabulary.encode(text)]));
  // A word that came in by a replacement may be replaced again by the greedy attack, so its neighbours are needed as well.
  const first = buildWordSpace(deps.tf, deps.wordVectors, WORD_DIMENSIONS, n, wanted);
  const second = new Set([...wanted].flatMap((id) => neighboursOf(first, id)));
  return buildWordSpace(deps.tf, deps.wordVectors, WORD_DIMENSIONS, n, [...wanted, ...second]);
}

const neighboursOf = ({ neighbours, n }: WordSpace, id: number): number[] =>
  Array.from(neighbours.subarray(id * n, (id + 1) * n));

/** A post with its answer. */
export interface Row {
  readonly text: string;
  /** RGB bytes [64, 64, 3]; null where the network is not to see pictures. */
  readonly pixels: Uint8Array | null;
  readonly label: 0 | 1;
}

export interface RobustTask {
  readonly model: MmatModel;
  readonly parts: Readonly<Record<'train' | 'dev' | 'test', readonly Row[]>>;
  /** Those that are still to be run. */
  readonly defences: readonly Defence[];
  readonly options: TrainingOptions;
  /** Whether dev is asked where every network's answers should tip (tipping-point.ts). */
  readonly tips: boolean;
  /** Whether words are attacked greedily too, which takes longest. */
  readonly greedy: boolean;
}

/** One defence after the other on one split, each handed over as soon as it is done. */
export async function* robustRuns(
  deps: RobustDeps,
  space: WordSpace,
  { model, parts, defences, options, tips, greedy }: RobustTask,
): AsyncGenerator<RobustResult> {
  const { tf, vocabulary } = deps;
  const row = architecture(model);
  const columns = row.columns(row.defaults);
  const [trainPosts, devPosts, testPosts] = (['train', 'dev', 'test'] as const).map((part) =>
    postsOf(vocabulary, parts[part], columns),
  ) as [Posts, Posts, Posts];
  const tableFor = (posts: Posts): Labelled => postsTable(space.vectors, posts, columns);
  const open = (seed: number): { network: Network; victim: Victim } => {
    const network = row.build(tf, row.defaults, DIMS, HEAD, seed);
    return {
      network,
      victim: createVictim(tf, { network, head: HEAD, columns, space, encode: vocabulary.encode }),
    };
  };
  const fitOn = (
    network: Network,
    posts: Posts,
    hooks: Partial<TrainingHooks>,
    changed: Partial<TrainingOptions> = {},
  ): Promise<TrainingResult> => {
    const data = { train: tableFor(posts), dev: tableFor(devPosts) };
    return train(tf, network, HEAD, data, { ...options, ...changed }, { ...SILENT, ...hooks });
  };
  // Algorithm 1, lines 1–3: the undefended model. It is trained again where it is not wanted itself: the others need it.
  const twin = open(options.seed);
  try {
    const twinFit = await fitOn(twin.network, trainPosts, {});
    for (const defence of defences) {
      // It retrains from scratch with other first weights.
      const { network, victim } = defence === 'none' ? twin : open(options.seed + 1_000);
      try {
        const posts =
          defence === 'static' ? staticPosts(tf, twin.victim, trainPosts, PAPER_EPSILON) : trainPosts;
        const watched: Watched = { deps: { tf, network, head: HEAD, columns, victim }, trainPosts, devPosts };
        const hooks = (): Partial<TrainingHooks> => hooksOf(defence, watched, options.seed);
        const wholeWay = (): Promise<TrainingResult> =>
          fitOn(network, posts, hooks(), defence === 'hull-balanced' ? BALANCED : {});
        const partWay = (): Promise<TrainingResult> =>
          trainPartWay(
            tf,
            (built, _, under) => fitOn(built, posts, under.defence === 'none' ? {} : hooks()),
            network,
            () => network,
            options,
            PART_OF_THE_WAY,
            SILENT,
          );
        const { epochs, caught } =
          defence === 'none' ? twinFit : await (defence === 'part-way' ? partWay() : wholeWay());
        yield {
          defence,
          epochs,
          caught,
          tip: tips ? tippingPoint(victim.logits(devPosts), devPosts.labels) : null,
          clean: probabilities(victim, testPosts),
          attacked: attackedProbabilities(tf, twin.victim, victim, testPosts, options.seed, greedy),
        };
      } finally {
        if (network !== twin.network) network.dispose();
      }
    }
  } finally {
    twin.network.dispose();
  }
}

interface Watched {
  readonly deps: DefenceDeps;
  readonly trainPosts: Posts;
  readonly devPosts: Posts;
}

/** What a defence does in training. The paper stops on clean dev posts; the other defences on both kinds (models.md §1.6). */
function hooksOf(
  defence: Defence,
  { deps, trainPosts, devPosts }: Watched,
  seed: number,
): Partial<TrainingHooks> {
  const { tf, victim, columns } = deps;
  const held = pickPosts(
    devPosts,
    shuffled([...Array(devPosts.count).keys()], seededRandom(seed)).slice(0, HELD),
  );
  // On pictures the guard says which epoch is best, so dev need not be attacked twice.
  const both: Partial<TrainingHooks> = trainPosts.pixels
    ? { guard: pictureGuard(victim, held, FIELD_EPSILON, seed) }
    : {
        craftDev: () =>
          postsTable(victim.space.vectors, attackedPosts(tf, victim, devPosts, FIELD_EPSILON), columns),
      };
  switch (defence) {
    case 'none':
    case 'static':
      return {};
    case 'on-the-fly':
      return { craft: onTheFly(deps, trainPosts, FIELD_EPSILON), ...both };
    case 'hull':
    case 'hull-balanced':
      return { craft: hull(deps, trainPosts), ...both };
    case 'swap-and-hull':
    case 'part-way':
      return { craft: swapAndHull(deps, trainPosts), ...both };
    case 'pgd':
      return { craft: onPictures(deps, pgdClimb(FIELD_EPSILON)), ...both };
    case 'mixed':
      return { craft: mixed(deps, trainPosts, pgdClimb(FIELD_EPSILON)), ...both };
  }
}

/** The test posts under every attack that the network can be attacked with. */
function attackedProbabilities(
  tf: Tf,
  twin: Victim,
  victim: Victim,
  posts: Posts,
  seed: number,
  greedy: boolean,
): RobustResult['attacked'] {
  const under = (crafted: Posts): number[] => probabilities(victim, crafted);
  const random = (): ReturnType<typeof seededRandom> => seededRandom(seed);
  const bounds = posts.pixels ? Object.entries(PICTURE_BOUNDS) : [];
  return {
    static: under(attackedPosts(tf, twin, posts, PAPER_EPSILON)),
    adaptive: under(attackedPosts(tf, victim, posts, PAPER_EPSILON)),
    // Greedy replacement runs the whole network for every word, which is for the small one.
    ...(posts.pixels || !greedy
      ? {}
      : { greedy: under(greedyWords(GREEDY_DEFAULTS).generate(victim, posts, random()).posts) }),
    ...Object.fromEntries(
      bounds.flatMap(([name, epsilon]) => [
        [`fgsm ${name}`, under(fgsm(epsilon).generate(victim, posts, random()).posts)],
        [
          `pgd ${name}`,
          under(
            pgd({ epsilon, steps: 10, stepSize: epsilon / 4, starts: 1 }).generate(victim, posts, random())
              .posts,
          ),
        ],
      ]),
    ),
  };
}

/** Rows as an attacker sees them; pixels only for a network that reads them. */
function postsOf(vocabulary: Vocabulary, rows: readonly Row[], columns: readonly Column[]): Posts {
  const words = new Int32Array(rows.length * MAX_WORDS);
  rows.forEach(({ text }, i) => {
    words.set(vocabulary.encode(text), i * MAX_WORDS);
  });
  const size = PICTURE_SIDE * PICTURE_SIDE * 3;
  const pixels = columns.includes('pixels') ? new Float32Array(rows.length * size) : null;
  rows.forEach((row, i) => {
    row.pixels?.forEach((value, k) => {
      if (pixels) pixels[i * size + k] = value / 255;
    });
  });
  return {
    count: rows.length,
    texts: rows.map(({ text }) => text),
    words,
    pixels,
    labels: Float32Array.from(rows, ({ label }) => label),
  };
}

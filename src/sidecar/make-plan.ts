/** Which posts a round trains on: human samples that pass the checks, seeds up to the round's size, and more seeds as they are. */
import type { Posts } from '../adversarial/attack.ts';
import { TocsinError } from '../base/errors.ts';
import { seededRandom, shuffled } from '../base/random.ts';
import type { Artefact } from '../models/artefact.ts';
import { MAX_WORDS, tokenise } from '../models/words.ts';
import { groupNearDuplicates } from '../training/groups.ts';
import { type Engine, openChampion, spaceOf } from './champion.ts';
import {
  HYGIENE_DEFAULTS,
  originOf,
  type Sorted,
  type Suspect,
  sortSamples,
  type Trusted,
} from './hygiene.ts';
import type { PlannedRow, RoundPlan } from './plan.ts';
import { meanOf, postsOf } from './posts.ts';
import type { HumanSample } from './samples.ts';
import type { RoundReason } from './schedule.ts';
import type { Seeds } from './seeds.ts';

/** Share of a round that one author, or one source in one hour, may have. */
const SHARE = 0.01;
/** Share of a round that human samples may have. */
const HUMAN_SHARE = 0.5;
/** Seeds that are only replayed, for each post of the round. */
const REPLAY = 4;
/** Fewer posts than that teach nothing, and fewer held out judge nothing. */
const LEAST_TRAIN = 100;
const LEAST_HELD_OUT = 20;

export interface PlanOptions {
  readonly number: number;
  readonly reason: RoundReason;
  readonly seed: number;
  readonly startedAt: number;
  /** Posts of a round. */
  readonly posts: number;
  readonly parent: string;
}

export interface Planned {
  readonly plan: RoundPlan;
  readonly sorted: Sorted;
}

/** Throws BAD_USAGE where too few posts are there. */
export function makePlan(
  engine: Engine,
  champion: Artefact,
  seeds: Seeds,
  samples: readonly HumanSample[],
  { number, reason, seed, startedAt, posts, parent }: PlanOptions,
): Planned {
  // Of the round as it can be: fewer posts than asked for leave an author less.
  const size = Math.min(posts, seeds.train.length + samples.length);
  const sorted = checkSamples(engine, champion, seeds, samples, Math.max(1, Math.floor(SHARE * size)));
  const human = sorted.admitted.slice(0, Math.floor(HUMAN_SHARE * posts)).map(
    ({ post, label }): PlannedRow => ({
      id: post.id,
      text: post.text,
      label,
      provenance: 'human',
      from: originOf(post),
    }),
  );
  const random = seededRandom(seed);
  const order = shuffled(seeds.train, random).map((row): PlannedRow => ({ ...row, provenance: 'seed' }));
  const drawn = order.slice(0, posts - human.length);
  const replay = order.slice(drawn.length, drawn.length + REPLAY * posts);
  const train = shuffled([...drawn, ...human], random);
  if (train.length < LEAST_TRAIN || seeds.dev.length < LEAST_HELD_OUT || seeds.test.length < LEAST_HELD_OUT)
    throw new TocsinError(
      'BAD_USAGE',
      `Planning round ${number}: ${train.length} posts to train on and ${seeds.dev.length} + ${seeds.test.length} held out are too few.`,
    );
  const { data, split, dev, test } = seeds;
  return {
    sorted,
    plan: {
      round: `informative-${number}`,
      number,
      reason,
      seed,
      startedAt,
      parent,
      samples: samples.length,
      data,
      split,
      dev,
      test,
      train,
      replay,
    },
  };
}

function checkSamples(
  engine: Engine,
  champion: Artefact,
  seeds: Seeds,
  samples: readonly HumanSample[],
  most: number,
): Sorted {
  if (samples.length === 0) return { admitted: [], quarantined: [] };
  const { vocabulary, vectors } = engine;
  const encode = (text: string): Int32Array => vocabulary.encode(text);
  const seedPosts = postsOf(seeds.train, encode);
  const suspectPosts = postsOf(
    samples.map(({ post, label }) => ({ text: post.text, label })),
    encode,
  );
  const opened = openChampion(engine, champion, spaceOf(engine, []));
  try {
    const of = (posts: Posts, i: number): ReturnType<typeof meanOf> =>
      meanOf(vectors, posts.words.subarray(i * MAX_WORDS, (i + 1) * MAX_WORDS));
    const seedLosses = opened.victim.losses(seedPosts);
    const trusted = seeds.train.map(
      ({ text, label }, i): Trusted => ({
        mean: of(seedPosts, i).mean,
        label,
        message: messageOf(text),
        loss: seedLosses[i] as number,
      }),
    );
    const losses = opened.victim.losses(suspectPosts);
    const heldOut = tiedToHeldOut(seeds, samples);
    const suspects = samples.map(
      (sample, i): Suspect => ({
        sample,
        ...of(suspectPosts, i),
        message: messageOf(sample.post.text),
        heldOut: heldOut(i),
        loss: losses[i] as number,
      }),
    );
    return sortSamples(suspects, trusted, { ...HYGIENE_DEFAULTS, most });
  } finally {
    opened.network.dispose();
  }
}

const messageOf = (text: string): string => tokenise(text).join(' ');

/** Whether a sample says what a held-out post says: it would teach the answers. */
function tiedToHeldOut(seeds: Seeds, samples: readonly HumanSample[]): (index: number) => boolean {
  const held = [...seeds.dev, ...seeds.test];
  const groups = groupNearDuplicates([...held, ...samples.map(({ post }) => post)]);
  const taken = new Set(groups.subarray(0, held.length));
  return (index) => taken.has(groups[held.length + index] as number);
}

/** The heads of the rumour study: trained without an event, then adapted by a few human rulings in it. */
import { type Random, seededRandom, shuffled } from '../../base/random.ts';
import { fitLine, type Line, logitOf, type Row } from '../dense-logistic.ts';
import { groupNearDuplicates, membersOf } from '../groups.ts';
import { calibrate } from '../measure.ts';
import { type Cell, cell } from './rumour-cells.ts';
import type { Block, StudyPost } from './rumour-features.ts';

/** Training posts of a claim, drawn by seed: a claim's hundredth retweet teaches nothing new. */
export const POSTS_PER_CLAIM = 8;

/** Pull on the weights of standardised features; the loss is a mean. */
const RIDGE = 0.03;

/** Standardised features end there: a feature that hardly varied in training must not decide by itself. */
const FARTHEST = 4;

/** How rulings change the head: a shift and scale of its answer, or weights that leave the old ones as little as they must. */
export type Adaptation = { readonly kind: 'platt' } | { readonly kind: 'head'; readonly ridge: number };

/** What is ruled: posts (the test loses them and what repeats them) or claims (the test loses them whole). */
export type Ruled = 'post' | 'claim';

export interface StudyEvent {
  readonly name: string;
  readonly members: readonly number[];
  readonly dev: boolean;
}

export interface Head {
  readonly line: Line;
  /** Standardised features of the event's posts, by number of the post. */
  readonly features: ReadonlyMap<number, Float32Array>;
  /** Log-odds of fake of the event's posts. */
  readonly logits: ReadonlyMap<number, number>;
}

/** Trained on all that is neither of the event nor tied to it. */
export function trainHead(
  posts: readonly StudyPost[],
  event: string,
  blocks: readonly Block[],
  seed: number,
): Head {
  const tied = new Set(posts.filter((post) => post.event === event).map(({ claim }) => claim));
  const rest = posts.filter((post) => !tied.has(post.claim));
  const drawn = drawPerClaim(rest, seededRandom(seed));
  const raw = drawn.map(({ post }) => joined(post, blocks));
  const standard = standardiser(raw);
  const line = fitLine(
    drawn.map(({ post, weight }, i) => ({
      features: standard(raw[i] as Float32Array),
      label: post.label,
      weight,
    })),
    RIDGE,
    null,
  );
  const features = new Map<number, Float32Array>();
  const logits = new Map<number, number>();
  posts.forEach((post, i) => {
    if (post.event !== event) return;
    const own = standard(joined(post, blocks));
    features.set(i, own);
    logits.set(i, logitOf(line, own));
  });
  return { line, features, logits };
}

function joined({ blocks }: StudyPost, wanted: readonly Block[]): Float32Array {
  return Float32Array.from(wanted.flatMap((block) => [...blocks[block]]));
}

/** A few posts of each claim; a claim counts by the root of its posts, the classes count the same, all sum to 1. */
function drawPerClaim(
  posts: readonly StudyPost[],
  random: Random,
): { readonly post: StudyPost; readonly weight: number }[] {
  const drawn = membersOf(Int32Array.from(posts, ({ claim }) => claim)).flatMap((members) => {
    const some = shuffled(members, random).slice(0, POSTS_PER_CLAIM);
    const weight = Math.sqrt(members.length) / some.length;
    return some.map((i) => ({ post: posts[i] as StudyPost, weight }));
  });
  const total = [0, 1].map((label) =>
    drawn.reduce((sum, { post, weight }) => sum + (post.label === label ? weight : 0), 0),
  );
  return drawn.map(({ post, weight }) => ({
    post,
    weight: weight / (2 * Math.max(1e-9, total[post.label] as number)),
  }));
}

/** To mean 0 and deviation 1 as in these rows. */
function standardiser(rows: readonly Float32Array[]): (row: Float32Array) => Float32Array {
  const size = rows[0]?.length ?? 0;
  const mean = new Float64Array(size);
  const square = new Float64Array(size);
  for (const row of rows)
    row.forEach((value, k) => {
      mean[k] = (mean[k] as number) + value / rows.length;
      square[k] = (square[k] as number) + (value * value) / rows.length;
    });
  return (row) =>
    row.map((value, k) => {
      const deviation = Math.sqrt(Math.max(0, (square[k] as number) - (mean[k] as number) ** 2));
      const z = deviation < 1e-6 ? 0 : (value - (mean[k] as number)) / deviation;
      return Math.max(-FARTHEST, Math.min(FARTHEST, z));
    });
}

interface Ruling {
  readonly seed: number;
  readonly ruled: Ruled;
  readonly k: number;
  readonly how: Adaptation;
}

/** The same test posts before and after the rulings. */
export interface Pair {
  readonly before: Cell;
  readonly after: Cell;
}

/** Null where the event has too few claims, or what is left has one answer only. */
export function rule(
  posts: readonly StudyPost[],
  { name, members }: StudyEvent,
  head: Head,
  { seed, ruled, k, how }: Ruling,
): Pair | null {
  const random = seededRandom(1_000 + seed);
  const groups =
    ruled === 'claim'
      ? Int32Array.from(members, (i) => posts[i]?.claim ?? -1)
      : groupNearDuplicates(members.map((i) => posts[i] as StudyPost));
  const chosen =
    ruled === 'claim'
      ? shuffled(membersOf(groups), random).slice(0, k)
      : shuffled([...members.keys()], random)
          .slice(0, k)
          .map((at) => [at]);
  const gone = new Set(chosen.flat().map((at) => groups[at]));
  const test = members.filter((_, at) => !gone.has(groups[at] as number));
  const claimsLeft = new Set(test.map((i) => posts[i]?.claim)).size;
  if (claimsLeft < 2 || new Set(test.map((i) => posts[i]?.label)).size < 2) return null;
  if (ruled === 'claim' && (chosen.length < k || claimsLeft < 5)) return null;

  // A ruled claim teaches by some of its posts, which weigh as much as one ruling together.
  const rows: Row[] = chosen.flatMap((group) => {
    const some = shuffled(group, random).slice(0, POSTS_PER_CLAIM);
    return some.map((at) => {
      const i = members[at] as number;
      return {
        features: head.features.get(i) as Float32Array,
        label: (posts[i] as StudyPost).label,
        weight: 1 / some.length,
      };
    });
  });
  const adapt = adaptedLogit(head.line, rows, how);
  const after = new Map(test.map((i) => [i, adapt(head.features.get(i) as Float32Array)]));
  return {
    before: cell(name, seed, posts, test, head.logits),
    after: cell(name, seed, posts, test, after),
  };
}

function adaptedLogit(line: Line, rows: readonly Row[], how: Adaptation): (features: Float32Array) => number {
  if (how.kind === 'platt') {
    const { scale, bias } = calibrate(
      rows.map(({ features }) => logitOf(line, features)),
      rows.map(({ label }) => label),
    );
    return (features) => scale * logitOf(line, features) + bias;
  }
  const fitted = fitLine(rows, how.ridge, line);
  return (features) => logitOf(fitted, features);
}

export const nameOf = (adaptation: Adaptation): string =>
  adaptation.kind === 'platt' ? 'shift and scale' : `weights near the old ones (pull ${adaptation.ridge})`;

/**
 * Adversarial training of networks that read words, pictures or both: what a step, or the whole training set, looks like
 * under each defence (MMAT Algorithm 1; models.md §1.6, §4.4 T2 to T5). Pictures are crafted in picture-defences.ts.
 */
import type { Scalar, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import type { Posts, Victim } from '../adversarial/attack.ts';
import { within } from '../adversarial/picture-change.ts';
import { lossPerPost } from '../adversarial/victim.ts';
import { replaceWords, WORD_DEFAULTS, type WordOptions } from '../adversarial/words.ts';
import { seededRandom } from '../base/random.ts';
import type { Tf } from '../models/engine/tf.ts';
import { gatherVectors, MAX_WORDS, WORD_DIMENSIONS } from '../models/words.ts';
import { PICTURE_SIDE } from '../models/zoo/branches.ts';
import type { Batch, Column, Head, Network, Step } from '../models/zoo/contract.ts';
import { climbPixels, fgsmClimb, type PixelClimb } from './picture-defences.ts';
import { type ColumnSource, type Labelled, tableOf } from './table.ts';
import type { LabelledBatch, TrainingHooks } from './train.ts';

/**
 * `static` is the paper's; `on-the-fly` crafts by one step on the network as it stands, words by Eq. 2 and pictures by FGSM;
 * `hull` trains on points between words (`hull-balanced` keeps another epoch of it), `swap-and-hull` on both kinds of changed words,
 * and `part-way` keeps a share of what that changes in an undefended network;
 * `pgd` on pictures after seven steps, `mixed` draws for every batch what is attacked.
 */
export const DEFENCES = [
  'none',
  'static',
  'on-the-fly',
  'hull',
  'hull-balanced',
  'swap-and-hull',
  'part-way',
  'pgd',
  'mixed',
] as const;
export type Defence = (typeof DEFENCES)[number];

export interface DefenceDeps {
  readonly tf: Tf;
  readonly network: Network;
  readonly head: Head;
  /** Columns that it is shown in training. */
  readonly columns: readonly Column[];
  /** The network in training, as attacks see it. */
  readonly victim: Victim;
  readonly words?: WordOptions;
}

type Craft = NonNullable<TrainingHooks['craft']>;

/** Word rows as a training table. [count · 15] and [count, outputs] */
export const wordTable = (vectors: Float32Array, words: Int32Array, labels: Float32Array): Labelled => {
  const count = words.length / MAX_WORDS;
  const posts = { count, texts: new Array<string>(count).fill(''), words, pixels: null, labels };
  return postsTable(vectors, posts, ['words']);
};

/** Posts as a training table of those columns among `words`, `pixels` and `present` that they can fill. */
export function postsTable(vectors: Float32Array, posts: Posts, columns: readonly Column[]): Labelled {
  const { words, pixels, labels, count } = posts;
  const size = PICTURE_SIDE * PICTURE_SIDE * 3;
  const sources: Partial<Record<Column, ColumnSource>> = {
    words: {
      shape: [MAX_WORDS, WORD_DIMENSIONS],
      write: (index, out) => {
        gatherVectors(vectors, words.subarray(index * MAX_WORDS, (index + 1) * MAX_WORDS), out);
      },
    },
    present: { shape: [2], write: (_, out) => out.set([1, Number(pixels !== null)]) },
    ...(pixels
      ? {
          pixels: {
            shape: [PICTURE_SIDE, PICTURE_SIDE, 3],
            write: (index, out) => out.set(pixels.subarray(index * size, (index + 1) * size)),
          },
        }
      : {}),
  };
  const filled = columns.flatMap((column) => (sources[column] ? [[column, sources[column]] as const] : []));
  return { labels, table: tableOf(count, Object.fromEntries(filled)) };
}

/** The posts as the paper's joint attack leaves them: words by Eq. 2 and pictures by FGSM, from one gradient (§III-B). */
export function attackedPosts(
  tf: Tf,
  victim: Victim,
  posts: Posts,
  epsilon: number,
  options: WordOptions = WORD_DEFAULTS,
): Posts {
  const gradient = victim.gradient(posts);
  const changed = gradient.words
    ? replaceWords(tf, victim.space, posts, gradient.words, options).posts
    : posts;
  const { pixels: slope } = gradient;
  const before = posts.pixels;
  if (!slope || !before) return changed;
  const pixels = before.map((x, i) => within(x + epsilon * Math.sign(slope[i] as number), x, epsilon));
  return { ...changed, pixels };
}

/** Training posts and one crafted copy of each, crafted once on the undefended twin (Algorithm 1, lines 4–7). */
export function staticPosts(
  tf: Tf,
  twin: Victim,
  posts: Posts,
  epsilon: number,
  options: WordOptions = WORD_DEFAULTS,
): Posts {
  const crafted = attackedPosts(tf, twin, posts, epsilon, options);
  return {
    count: 2 * posts.count,
    texts: [...posts.texts, ...crafted.texts],
    words: twice(posts.words, crafted.words),
    pixels: posts.pixels && crafted.pixels && twice(posts.pixels, crafted.pixels),
    labels: twice(posts.labels, posts.labels),
  };
}

function twice<A extends Float32Array | Int32Array>(first: A, second: A): A {
  const both = (
    first instanceof Int32Array ? new Int32Array(2 * first.length) : new Float32Array(2 * first.length)
  ) as A;
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** What an attacker puts in place of columns of a batch; runs as a craft does. */
type Change = (clean: LabelledBatch, step: Step, rows: readonly number[]) => Batch;

/** Words as Eq. 2 leaves them on the network as it stands. */
const byEquation2 =
  ({ tf, victim, words = WORD_DEFAULTS }: DefenceDeps, posts: Posts): Change =>
  (_clean, _step, rows) => {
    const picked = pickPosts(posts, rows);
    const { words: gradient } = victim.gradient(picked);
    const crafted = gradient ? replaceWords(tf, victim.space, picked, gradient, words).posts : picked;
    const vectors = gatherVectors(
      victim.space.vectors,
      crafted.words,
      new Float32Array(crafted.words.length * WORD_DIMENSIONS),
    );
    return { words: tf.tensor3d(vectors, [rows.length, MAX_WORDS, WORD_DIMENSIONS]) };
  };

/** Pictures by sign steps from a random start. */
const byClimbing =
  (deps: DefenceDeps, climb: PixelClimb): Change =>
  (clean, step) => ({ pixels: climbPixels(deps, clean, climb, step.seed) });

/** One change after the other; each sees the batch as the one before left it. */
const together =
  (changes: readonly Change[]): Change =>
  (clean, step, rows) => {
    const changed: Record<string, Tensor> = {};
    for (const change of changes)
      Object.assign(changed, change({ ...clean, batch: { ...clean.batch, ...changed } }, step, rows));
    return changed;
  };

/** Every batch twice: as it is, and as one step leaves it: words by Eq. 2, pictures by FGSM. */
export function onTheFly(deps: DefenceDeps, posts: Posts, epsilon: number): Craft {
  const change = together([
    ...(deps.columns.includes('words') ? [byEquation2(deps, posts)] : []),
    ...(deps.columns.includes('pixels') ? [byClimbing(deps, fgsmClimb(epsilon))] : []),
  ]);
  return (clean, step, rows) => beside(deps.tf, clean, change(clean, step, rows));
}

/** Every batch twice: as it is, and with its pictures after several steps (Madry et al. 2018). */
export function onPictures(deps: DefenceDeps, climb: PixelClimb): Craft {
  const change = byClimbing(deps, climb);
  return (clean, step, rows) => beside(deps.tf, clean, change(clean, step, rows));
}

/** What the mixed schedule attacks in a batch. */
const MIXED_MODES = ['none', 'words', 'pixels', 'both'] as const;
type MixedMode = (typeof MIXED_MODES)[number];

/** The mode of a step; each is as likely as the others. */
export const mixedMode = ({ seed }: Pick<Step, 'seed'>): MixedMode =>
  MIXED_MODES[Math.floor(seededRandom(seed)() * MIXED_MODES.length)] as MixedMode;

/**
 * Pairs under a mixed modality schedule (models.md §4.4 T5): the seed of a step draws whether its words, its pictures, both
 * or nothing is attacked, so that neither modality learns to lean on the other. What is attacked stands beside the clean
 * batch.
 */
export function mixed(deps: DefenceDeps, posts: Posts, climb: PixelClimb): Craft {
  const [words, pixels] = [byEquation2(deps, posts), byClimbing(deps, climb)];
  const changes: Readonly<Record<MixedMode, readonly Change[]>> = {
    none: [],
    words: [words],
    pixels: [pixels],
    both: [words, pixels],
  };
  return (clean, step, rows) => {
    const wanted = changes[mixedMode(step)];
    return wanted.length === 0 ? clean : beside(deps.tf, clean, together(wanted)(clean, step, rows));
  };
}

/** Ascent steps inside the hull, and the length of the first: ASCC's ten steps of Adam at 10 come to about the same. */
const HULL_STEPS = 3;
const HULL_RATE = 10;

/** Every batch twice: as it is, and with every word at the worst point of its hull. */
export function hull(deps: DefenceDeps, posts: Posts): Craft {
  const change = intoHull(deps, posts);
  return (clean, step, rows) => beside(deps.tf, clean, change(clean, step, rows));
}

/**
 * Every batch three times: as it is, as Eq. 2 leaves its words, and with every word at the worst point of its hull. The first
 * are posts that an attacker can write, the second cover what lies between them.
 */
export function swapAndHull(deps: DefenceDeps, posts: Posts): Craft {
  const [swap, inside] = [byEquation2(deps, posts), intoHull(deps, posts)];
  return (clean, step, rows) => beside(deps.tf, clean, swap(clean, step, rows), inside(clean, step, rows));
}

/**
 * Every word moved to the worst point found in the convex hull of itself and its neighbours (ASCC, Dong et al. 2021, without
 * its KL term). The weights of the corners are a softmax; they start near the word itself and climb the loss.
 */
function intoHull({ tf, network, head, victim, words = WORD_DEFAULTS }: DefenceDeps, posts: Posts): Change {
  const { space } = victim;
  const corners = Math.min(words.candidates, space.n) + 1;
  return (clean, step, rows) => {
    const picked = pickPosts(posts, rows);
    const positions = picked.words.length;
    const vectors = new Float32Array(positions * corners * WORD_DIMENSIONS);
    const closed = new Float32Array(positions * corners);
    for (let i = 0; i < positions; i += 1) {
      const word = picked.words[i] as number;
      for (let k = 0; k < corners; k += 1) {
        const corner = k === 0 ? word : (space.neighbours[word * space.n + k - 1] as number);
        closed[i * corners + k] = k > 0 && corner === 0 ? -1e9 : 0;
        vectors.set(
          space.vectors.subarray(corner * WORD_DIMENSIONS, (corner + 1) * WORD_DIMENSIONS),
          (i * corners + k) * WORD_DIMENSIONS,
        );
      }
    }
    const all = tf.tensor3d(vectors, [positions, corners, WORD_DIMENSIONS]);
    const mask = tf.tensor2d(closed, [positions, corners]);
    // The answer that an attacker turns, also where what is taught of a post is softer.
    const answers = tf.tensor2d(picked.labels, [rows.length, head.outputs]);
    /** [b, 15, 100] */
    const inside = (weights: Tensor2D): Tensor3D =>
      tf.reshape(tf.matMul(tf.reshape(tf.softmax(tf.add(weights, mask)), [positions, 1, corners]), all), [
        rows.length,
        MAX_WORDS,
        WORD_DIMENSIONS,
      ]);
    const loss = (weights: Tensor): Scalar =>
      tf.sum(
        lossPerPost(
          tf,
          head,
          network.forward({ ...clean.batch, words: inside(weights as Tensor2D) }),
          answers,
        ),
      );
    const slope = tf.grad(loss);
    const random = seededRandom(step.seed);
    let weights: Tensor2D = tf.tensor2d(
      Float32Array.from({ length: positions * corners }, () => random()),
      [positions, corners],
    );
    for (let at = 0; at < HULL_STEPS; at += 1) {
      const g = slope(weights) as Tensor2D;
      // Each position climbs by the same length, however flat the loss is there.
      const length = tf.maximum(tf.max(tf.abs(g), 1, true), 1e-12);
      weights = tf.add(weights, tf.mul(tf.div(g, length), HULL_RATE / HULL_STEPS));
    }
    return { words: inside(weights) };
  };
}

/** The batch with crafted copies of itself below it. */
function beside(tf: Tf, { batch, labels }: LabelledBatch, ...copies: readonly Batch[]): LabelledBatch {
  const columns = Object.entries(batch) as [Column, Tensor][];
  return {
    batch: Object.fromEntries(
      columns.map(([column, clean]) => [
        column,
        tf.concat([clean, ...copies.map((changed) => changed[column] ?? clean)], 0),
      ]),
    ),
    labels: tf.concat([labels, ...copies.map(() => labels)], 0),
  };
}

/** These rows of posts, copied. */
export function pickPosts(posts: Posts, rows: readonly number[]): Posts {
  const picked = <A extends Float32Array | Int32Array>(all: A, out: A): A => {
    const size = all.length / posts.count;
    rows.forEach((row, i) => {
      out.set(all.subarray(row * size, (row + 1) * size), i * size);
    });
    return out;
  };
  const { words, pixels, labels, count } = posts;
  const floats = (all: Float32Array): Float32Array =>
    picked(all, new Float32Array((all.length / count) * rows.length));
  return {
    count: rows.length,
    texts: rows.map((row) => posts.texts[row] as string),
    words: picked(words, new Int32Array(rows.length * MAX_WORDS)),
    pixels: pixels && floats(pixels),
    labels: floats(labels),
  };
}

/**
 * Adversarial training of networks that read words: what a step, or the whole training set, looks like under each defence
 * (MMAT Algorithm 1; models.md §1.6, §4.4 T2 and T3).
 */
import type { Scalar, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import type { Posts, Victim } from '../adversarial/attack.ts';
import { lossPerPost } from '../adversarial/victim.ts';
import { replaceWords, WORD_DEFAULTS, type WordOptions } from '../adversarial/words.ts';
import { seededRandom } from '../base/random.ts';
import type { Tf } from '../models/engine/tf.ts';
import { gatherVectors, MAX_WORDS, WORD_DIMENSIONS } from '../models/words.ts';
import type { Head, Network } from '../models/zoo/contract.ts';
import type { Labelled } from './table.ts';
import { tableOf } from './table.ts';
import type { LabelledBatch, TrainingHooks } from './train.ts';

/** `static` is the paper's; `on-the-fly` crafts on the network as it stands; `hull` trains on points between words. */
export const DEFENCES = ['none', 'static', 'on-the-fly', 'hull'] as const;
export type Defence = (typeof DEFENCES)[number];

export interface DefenceDeps {
  readonly tf: Tf;
  readonly network: Network;
  readonly head: Head;
  /** The network in training, as attacks see it. */
  readonly victim: Victim;
  readonly words?: WordOptions;
}

type Craft = NonNullable<TrainingHooks['craft']>;

/** Posts whose texts are already rows of the word table. */
export function wordPosts(words: Int32Array, labels: Float32Array): Posts {
  const count = words.length / MAX_WORDS;
  return { count, texts: new Array<string>(count).fill(''), words, pixels: null, labels };
}

/** Word rows as a training table. */
export function wordTable(vectors: Float32Array, words: Int32Array, labels: Float32Array): Labelled {
  return {
    labels,
    table: tableOf(words.length / MAX_WORDS, {
      words: {
        shape: [MAX_WORDS, WORD_DIMENSIONS],
        write: (index, out) => {
          gatherVectors(vectors, words.subarray(index * MAX_WORDS, (index + 1) * MAX_WORDS), out);
        },
      },
    }),
  };
}

/** The posts as Eq. 2 leaves them. */
export function attackedWords(
  tf: Tf,
  victim: Victim,
  posts: Posts,
  options: WordOptions = WORD_DEFAULTS,
): Posts {
  const { words: gradient } = victim.gradient(posts);
  return gradient ? replaceWords(tf, victim.space, posts, gradient, options).posts : posts;
}

/** Training posts and one crafted copy of each, crafted once on the undefended twin (Algorithm 1, lines 4–7). */
export function staticTable(tf: Tf, twin: Victim, posts: Posts, options?: WordOptions): Labelled {
  const crafted = attackedWords(tf, twin, posts, options);
  const words = new Int32Array(2 * posts.words.length);
  words.set(posts.words);
  words.set(crafted.words, posts.words.length);
  const labels = new Float32Array(2 * posts.labels.length);
  labels.set(posts.labels);
  labels.set(posts.labels, posts.labels.length);
  return wordTable(twin.space.vectors, words, labels);
}

/** Every batch twice: as it is, and as Eq. 2 leaves it on the network as it stands. */
export function onTheFly({ tf, victim, words = WORD_DEFAULTS }: DefenceDeps, posts: Posts): Craft {
  return (clean, _step, rows) => {
    const picked = pickPosts(posts, rows);
    const crafted = attackedWords(tf, victim, picked, words);
    const vectors = gatherVectors(
      victim.space.vectors,
      crafted.words,
      new Float32Array(crafted.words.length * WORD_DIMENSIONS),
    );
    return beside(tf, clean, tf.tensor3d(vectors, [rows.length, MAX_WORDS, WORD_DIMENSIONS]));
  };
}

/** Ascent steps inside the hull, and the length of the first: ASCC's ten steps of Adam at 10 come to about the same. */
const HULL_STEPS = 3;
const HULL_RATE = 10;

/**
 * Every batch twice: as it is, and with every word moved to the worst point found in the convex hull of itself and its
 * neighbours (ASCC, Dong et al. 2021, without its KL term). The weights of the corners are a softmax; they start near the
 * word itself and climb the loss.
 */
export function hull({ tf, network, head, victim, words = WORD_DEFAULTS }: DefenceDeps, posts: Posts): Craft {
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
    /** [b, 15, 100] */
    const inside = (weights: Tensor2D): Tensor3D =>
      tf.reshape(tf.matMul(tf.reshape(tf.softmax(tf.add(weights, mask)), [positions, 1, corners]), all), [
        rows.length,
        MAX_WORDS,
        WORD_DIMENSIONS,
      ]);
    const loss = (weights: Tensor): Scalar =>
      tf.sum(lossPerPost(tf, head, network.forward({ words: inside(weights as Tensor2D) }), clean.labels));
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
    return beside(tf, clean, inside(weights));
  };
}

/** The batch with a crafted copy of its words below it. */
function beside(tf: Tf, clean: LabelledBatch, crafted: Tensor3D): LabelledBatch {
  return {
    batch: { ...clean.batch, words: tf.concat([clean.batch.words as Tensor3D, crafted], 0) },
    labels: tf.concat([clean.labels, clean.labels], 0),
  };
}

function pickPosts(posts: Posts, rows: readonly number[]): Posts {
  const size = posts.labels.length / posts.count;
  const words = new Int32Array(rows.length * MAX_WORDS);
  const labels = new Float32Array(rows.length * size);
  rows.forEach((row, i) => {
    words.set(posts.words.subarray(row * MAX_WORDS, (row + 1) * MAX_WORDS), i * MAX_WORDS);
    labels.set(posts.labels.subarray(row * size, (row + 1) * size), i * size);
  });
  return wordPosts(words, labels);
}

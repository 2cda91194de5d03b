/**
 * Word replacement from the joint gradient: MMAT Eq. 2. Every word at once is replaced by that neighbour which the
 * gradient favours most, if it favours it by more than tau (models.md §1.4–1.5).
 */
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import type { Tf } from '../models/engine/tf.ts';
import { MAX_WORDS } from '../models/words.ts';
import type { Attack, Audit, Posts, Swap } from './attack.ts';
import type { Allowed } from './constraints.ts';
import type { WordSpace } from './word-space.ts';

export interface WordOptions {
  /** Scale of the perturbation eta = epsilon · sign(g). */
  readonly epsilon: number;
  /** Least score (w′ − w) · eta of a replacement. */
  readonly tau: number;
  /** Neighbours considered; at most the word space's. */
  readonly candidates: number;
  /** Whether a word may be replaced by another; everything is allowed where left out (constraints.ts). */
  readonly allowed?: Allowed;
}

/** The paper's ε and τ; candidates as inferred in models.md §1.2. */
export const WORD_DEFAULTS: WordOptions = { epsilon: 0.1, tau: 0.5, candidates: 10 };

export function wordReplacement(tf: Tf, options: WordOptions = WORD_DEFAULTS): Attack {
  return {
    name: 'words',
    source: 'MMAT Eq. 2: replace w by argmax (w′ − w) · η over its nearest neighbours where that exceeds τ',
    modality: 'text',
    needs: 'gradient',
    generate(victim, posts) {
      const { words: gradient } = victim.gradient(posts);
      if (!gradient) return { posts, audit: posts.texts.map((): Audit => ({ ...ASKED_ONCE })) };
      return replaceWords(tf, victim.space, posts, gradient, options);
    },
  };
}

const ASKED_ONCE: Audit = { swaps: [], text: null, picture: null, queries: 1 };

/** The replacement for a gradient that is known already; [count, 15, 100]. */
export function replaceWords(
  tf: Tf,
  space: WordSpace,
  posts: Posts,
  gradient: Float32Array,
  options: WordOptions,
): { readonly posts: Posts; readonly audit: readonly Audit[] } {
  const shape: [number, number, number] = [posts.count, MAX_WORDS, space.dimensions];
  const { best, score } = tf.tidy(() => {
    const found = scoreCandidates(tf, space, posts.words, tf.tensor3d(gradient, shape), options);
    return { best: found.best.dataSync() as Int32Array, score: found.score.dataSync() as Float32Array };
  });
  const words = posts.words.slice();
  const swaps: Swap[][] = Array.from({ length: posts.count }, () => []);
  for (let i = 0; i < words.length; i += 1) {
    const before = posts.words[i] as number;
    const after = space.neighbours[before * space.n + (best[i] as number)] as number;
    if (before === 0 || after === 0 || !((score[i] as number) > options.tau)) continue;
    words[i] = after;
    swaps[Math.floor(i / MAX_WORDS)]?.push({ position: i % MAX_WORDS, before, after });
  }
  return {
    posts: { ...posts, words },
    audit: swaps.map((mine): Audit => ({ ...ASKED_ONCE, swaps: mine })),
  };
}

/** What stands for a candidate that is not allowed: no score reaches it. */
const FORBIDDEN = -1e9;

/**
 * For every position the best candidate (its rank among the neighbours) and its score, in one batched product.
 * @param words rows of the word table. [b · 15]
 * @param gradient with respect to the word vectors. [b, 15, d]
 */
function scoreCandidates(
  tf: Tf,
  space: WordSpace,
  words: Int32Array,
  gradient: Tensor3D,
  { epsilon, candidates, allowed }: WordOptions,
): { readonly best: Tensor; readonly score: Tensor } {
  const { n, dimensions } = space;
  const considered = Math.min(n, candidates);
  const positions = words.length;
  const mask = new Float32Array(positions * considered);
  const vectors = new Float32Array(positions * considered * dimensions);
  const own = new Float32Array(positions * dimensions);
  for (let i = 0; i < positions; i += 1) {
    const before = words[i] as number;
    const position = i % MAX_WORDS;
    const post = words.subarray(i - position, i - position + MAX_WORDS);
    own.set(space.vectors.subarray(before * dimensions, (before + 1) * dimensions), i * dimensions);
    for (let k = 0; k < considered; k += 1) {
      const after = space.neighbours[before * n + k] as number;
      const at = i * considered + k;
      mask[at] = after === 0 || (allowed && !allowed({ position, before, after }, post)) ? FORBIDDEN : 0;
      vectors.set(space.vectors.subarray(after * dimensions, (after + 1) * dimensions), at * dimensions);
    }
  }
  const eta = tf.mul(tf.sign(tf.reshape(gradient, [positions, dimensions, 1])), epsilon); // [p, d, 1]
  const gain = tf.matMul(tf.tensor3d(vectors, [positions, considered, dimensions]), eta); // [p, n, 1]
  const cost = tf.matMul(tf.tensor3d(own, [positions, 1, dimensions]), eta); // [p, 1, 1]
  const scores = tf.add(
    tf.reshape(tf.sub(gain, cost), [positions, considered]),
    tf.tensor2d(mask, [positions, considered]),
  ) as Tensor2D;
  return { best: tf.argMax(scores, 1), score: tf.max(scores, 1) };
}

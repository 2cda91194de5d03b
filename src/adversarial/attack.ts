/**
 * What an attack is: posts in, posts out that mean the same to a person and something else to a model, and an audit of
 * what was changed. One file per attack; test/contract/attacks runs one suite over all (architecture §5, robustness.md).
 */
import type { Random } from '../base/random.ts';
import type { Column, Head } from '../models/zoo/contract.ts';
import type { WordSpace } from './word-space.ts';

/** A batch of posts as an attacker sees it. */
export interface Posts {
  readonly count: number;
  /** Normalised texts. */
  readonly texts: readonly string[];
  /** Their rows in the word table, 0 where padded or unknown. [count, 15] */
  readonly words: Int32Array;
  /** Pictures in [0, 1]; null where no post has one. [count, 64, 64, 3] */
  readonly pixels: Float32Array | null;
  /** What is true: 0 or 1 per output, one-hot under a softmax head. [count, outputs] */
  readonly labels: Float32Array;
  /** Whatever else the network reads: what frozen encoders say of the post, which modalities it has. [count, …] each */
  readonly others?: Others;
}

export type Others = Readonly<Partial<Record<Column, Float32Array>>>;

/** The model under attack, white-box. Dropout is off throughout (models.md §1.3). */
export interface Victim {
  readonly head: Head;
  readonly space: WordSpace;
  /** A text's rows in the word table. [15] */
  encode(text: string): Int32Array;
  /** [count, outputs] */
  logits(posts: Posts): Float32Array;
  /** Cross-entropy of each post. [count] */
  losses(posts: Posts): Float32Array;
  /** Gradients of each post's loss with respect to what it shows. A modality that the model does not read is null. */
  gradient(posts: Posts): Gradient;
}

export interface Gradient {
  /** [count] */
  readonly losses: Float32Array;
  /** With respect to the word vectors. [count, 15, 100] */
  readonly words: Float32Array | null;
  /** With respect to the pixels. [count, 64, 64, 3] */
  readonly pixels: Float32Array | null;
  /** With respect to the vectors of frozen encoders that the network reads; absent where it reads none. */
  readonly vectors?: Others;
}

/** One word that was replaced; rows of the word table. */
export interface Swap {
  readonly position: number;
  readonly before: number;
  readonly after: number;
}

/** What was done to one post. */
export interface Audit {
  readonly swaps: readonly Swap[];
  /** The text afterwards; null where it was not touched as a text. */
  readonly text: string | null;
  /** Largest and Euclidean change of the picture; null where it was not touched. */
  readonly picture: { readonly linf: number; readonly l2: number } | null;
  /** Euclidean change of encoders' vectors; absent where they were not touched. */
  readonly vectors?: { readonly l2: number };
  /** Times that the model was asked about this post. */
  readonly queries: number;
}

export interface Crafted {
  readonly posts: Posts;
  /** One per post, in order. */
  readonly audit: readonly Audit[];
}

/** What an attack has to know of its victim. An attack that needs less can be used against more. */
export type Access = 'nothing' | 'logits' | 'gradient';

/** @typeParam Made a promise where posts have to pass frozen encoders, which takes time */
export interface Attack<Made extends Crafted | Promise<Crafted> = Crafted> {
  readonly name: string;
  /** Paper, section, equation. */
  readonly source: string;
  /** `vectors`: of frozen encoders, an upper bound, as no post need stand behind them. */
  readonly modality: 'text' | 'image' | 'both' | 'vectors';
  readonly needs: Access;
  /** Same victim, posts and random numbers: same result. The labels are left as they are. */
  generate(victim: Victim, posts: Posts, random: Random): Made;
}

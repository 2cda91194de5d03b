/** What a scoring thread and its pool say to each other: typed arrays, never JSON. */
import type { Reply } from '../thread-pool.ts';

/** Bytes of one picture: 64 × 64 RGB. */
export const PIXELS: number = 64 * 64 * 3;

/** Blocks of the answer to a job with pictures, as the joint graph names them. */
export const LOGITS = ['logit', 'text_logit', 'image_logit'] as const;

export interface ThreadData {
  readonly text: Uint8Array | null;
  readonly joint: Uint8Array | null;
  /** Logits of one post: 1, or one for each class. */
  readonly outputs: number;
  /** The word vectors, float16. */
  readonly table: SharedArrayBuffer;
}

export interface ScoreJob {
  readonly id: number;
  readonly count: number;
  /** [count, 15] */
  readonly words: Int32Array;
  /** [count, 64, 64, 3]; null asks for text alone. */
  readonly pixels: Uint8Array | null;
}

/** Answer: logits, [count, outputs] for text alone, [count, 3, outputs] with pictures. */
export type ScoreReply = Reply<Float32Array>;

/** What the rumour thread and its pool say to each other. */
import type { EncoderForm } from '../encoders/columns.ts';
import type { Packed } from '../encoders/contract.ts';
import type { Reply } from '../thread-pool.ts';
import type { Dims } from '../zoo/contract.ts';

/** Columns of an answer: the outputs of MAFN's graph, for text and picture together, text alone, picture alone. */
export const HEADS = ['logits', 'text_logits', 'image_logits'] as const;

export interface RumourThreadData {
  readonly model: Uint8Array;
  readonly dims: Dims;
  readonly text: EncoderForm;
  readonly image: EncoderForm;
}

/** A content after the encoders. */
export interface EncodedContent {
  readonly text: string;
  /** Null without text. */
  readonly tokens: Packed | null;
  /** Null without picture. */
  readonly picture: Packed | null;
}

export interface RumourJob {
  readonly id: number;
  readonly contents: readonly EncodedContent[];
}

/** Answer: how far yes is ahead of no under each head. [contents, 3] */
export type RumourReply = Reply<Float32Array>;

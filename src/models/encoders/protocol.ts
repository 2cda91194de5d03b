/** What an encoder's thread and its pool say to each other. */
import type { Reply } from '../thread-pool.ts';
import type { Packed } from './contract.ts';

/** Characters of a text that are read: it bounds the work that a hostile text can cause. */
export const MAX_CHARACTERS = 4_096;

export interface ThreadData {
  readonly model: SharedArrayBuffer;
  /** tokenizer.json for texts, null for pictures. */
  readonly tokenizer: string | null;
  /** Longest text in tokens, the marks at both ends included. */
  readonly maxTokens: number;
  /** Whether bytes become planes of normalised floats here; otherwise the network takes the bytes. */
  readonly planes: { readonly mean: readonly number[]; readonly deviation: readonly number[] } | null;
  /** Names of the network's outputs, in the order in which they are packed. */
  readonly outputs: readonly string[];
}

export interface EncodeJob {
  readonly id: number;
  readonly samples: readonly (string | Uint8Array)[];
}

export type EncodeReply = Reply<Packed[]>;

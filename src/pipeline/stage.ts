/** The stage contract: one small step, pure with respect to everything but its own memory. */
import type { DeadLetterReason } from './dead-letter.ts';

/** Why an input was left out on purpose. */
export const DROP_REASONS = ['duplicate', 'filtered_collection', 'filtered_source'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** What became of one input. Exactly one per input, in order. */
export type Outcome<O> =
  | { readonly kind: 'passed'; readonly value: O }
  | { readonly kind: 'dropped'; readonly reason: DropReason }
  | { readonly kind: 'failed'; readonly reason: DeadLetterReason; readonly detail: string };

/**
 * One step of a worker. Stages do not know each other and do not count themselves; the runner alone
 * decides what happens to an outcome.
 */
export interface Stage<I, O> {
  readonly name: string;
  /** Gives one Outcome per input, in order. May throw only when the surroundings are broken: the slice is then retried. */
  process(batch: readonly I[], signal: AbortSignal): Promise<readonly Outcome<O>[]>;
  close?(): Promise<void>;
}

export const passed = <O>(value: O): Outcome<O> => ({ kind: 'passed', value });
export const dropped = (reason: DropReason): Outcome<never> => ({ kind: 'dropped', reason });
export const failed = (reason: DeadLetterReason, detail: string): Outcome<never> => ({
  kind: 'failed',
  reason,
  detail,
});

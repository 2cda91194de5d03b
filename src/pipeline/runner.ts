/** Runs stages over a slice, one Outcome per input, and remembers which input each value stems from. */
import type { Outcome, Stage } from './stage.ts';

/** A value on its way, with the number of the slice's record that it stems from. */
export interface Tagged<T> {
  readonly input: number;
  readonly value: T;
}

/** An outcome that ends an input's way. */
export type Ended = Exclude<Outcome<never>, { readonly kind: 'passed' }>;

export interface StageRun<O> {
  readonly passed: readonly Tagged<O>[];
  readonly ended: readonly Tagged<Ended>[];
}

/** One stage over what the stage before let through; nothing is asked of a stage that has nothing to do. */
export async function runStage<I, O>(
  stage: Stage<I, O>,
  items: readonly Tagged<I>[],
  signal: AbortSignal,
): Promise<StageRun<O>> {
  if (items.length === 0) return { passed: [], ended: [] };
  const outcomes = await stage.process(
    items.map((item) => item.value),
    signal,
  );
  return sortOutcomes(items, outcomes);
}

/** Outcomes beside the inputs that they are of, by what they mean. */
export function sortOutcomes<O>(
  items: readonly Tagged<unknown>[],
  outcomes: readonly Outcome<O>[],
): StageRun<O> {
  const passed: Tagged<O>[] = [];
  const ended: Tagged<Ended>[] = [];
  for (const [i, outcome] of outcomes.entries()) {
    const { input } = items[i] as Tagged<unknown>;
    if (outcome.kind === 'passed') passed.push({ input, value: outcome.value });
    else ended.push({ input, value: outcome });
  }
  return { passed, ended };
}

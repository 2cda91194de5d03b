/** Watches a stage from outside: its time, and that it gives one outcome per input. */
import type { Clock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Outcome, Stage } from './stage.ts';

/** The same stage, timed in `tocsin_stage_duration_seconds`. Throws INTERNAL when outcomes and inputs differ in number. */
export function observe<I, O>(
  stage: Stage<I, O>,
  deps: { readonly clock: Clock; readonly metrics: Metrics },
): Stage<I, O> {
  return {
    name: stage.name,
    async process(batch, signal): Promise<readonly Outcome<O>[]> {
      const begun = deps.clock.monotonic();
      const outcomes = await stage.process(batch, signal);
      deps.metrics.observe('tocsin_stage_duration_seconds', (deps.clock.monotonic() - begun) / 1_000, {
        stage: stage.name,
      });
      if (outcomes.length !== batch.length)
        throw new TocsinError(
          'INTERNAL',
          `stage ${stage.name} gave ${outcomes.length} outcomes for ${batch.length} inputs`,
        );
      return outcomes;
    },
    ...(stage.close ? { close: () => (stage.close as () => Promise<void>)() } : {}),
  };
}

/** The life of the sidecar beside the stream: rounds when they are due, one after the other, until it is told to stop. */
import type { Clock } from '../base/clock.ts';
import { asTocsinError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Rounds } from './plan.ts';
import { dueRound, type RoundReason, type Schedule } from './schedule.ts';

export interface LoopDeps {
  readonly schedule: Schedule;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
  /** Null before the first round. */
  readonly rounds: () => Promise<Rounds | null>;
  /** Whether a round was killed and waits to be finished. */
  readonly unfinished: () => Promise<boolean>;
  /** Human samples that there are. */
  readonly samples: () => number;
  /** Whether the stream has drifted since the last round. */
  readonly drift: { readonly seen: () => boolean; readonly forget: () => void };
  readonly round: (reason: RoundReason) => Promise<unknown>;
}

const LOOK_MS = 5_000;
/** After a round that failed the next one is begun no sooner. */
const RETRY_MS = 600_000;

/** Resolves when the signal aborts. A round that fails is told, and tried again later. */
export async function runSchedule(deps: LoopDeps): Promise<void> {
  const { schedule, clock, log, metrics, signal, drift } = deps;
  const startedAt = clock.now();
  let notBefore = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    const last = await deps.rounds();
    const since = {
      at: last?.at ?? startedAt,
      samples: Math.max(0, deps.samples() - (last?.samples ?? 0)),
      drifted: drift.seen(),
    };
    const now = clock.now();
    const reason = (await deps.unfinished()) ? 'asked' : dueRound(schedule, since, now);
    if (reason && now >= notBefore) {
      try {
        await deps.round(reason);
        drift.forget();
      } catch (thrown) {
        if (signal.aborted) return;
        metrics.count('tocsin_sidecar_rounds_total', { reason: 'failed' });
        log.error({ error: asTocsinError(thrown, 'A round of the sidecar').message }, 'The round failed.');
        notBefore = clock.now() + RETRY_MS;
      }
    }
    await clock.sleep(LOOK_MS, signal);
  }
}

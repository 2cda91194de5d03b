/** Labels come first: between any two steps the sidecar looks whether the label worker lags, and waits while it does. */
import type { Clock } from '../base/clock.ts';
import type { Bus } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import { LABEL_SERVICE } from '../pipeline/ledger.ts';

/** Called between two steps. Gives way to everything else that the process does; rejects when the work is to end. */
export type Pause = () => Promise<void>;

const CHECK_MS = 1_000;

export interface PauseDeps {
  /** Posts that wait for their label. */
  readonly lag: () => Promise<number>;
  /** More than so many, and the work rests until it is half of that. */
  readonly most: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly told: (paused: boolean) => void;
}

export function createPause({ lag, most, clock, signal, told }: PauseDeps): Pause {
  let checkedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    await new Promise<void>((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    if (clock.monotonic() - checkedAt < CHECK_MS) return;
    checkedAt = clock.monotonic();
    if ((await lag()) <= most) return;
    told(true);
    try {
      while ((await lag()) > most / 2) {
        await clock.sleep(CHECK_MS, signal);
        signal.throwIfAborted();
      }
    } finally {
      told(false);
    }
    checkedAt = clock.monotonic();
  };
}

/** Records of crisis.events.v1 that the label worker has yet to commit. */
export async function labelLag({ admin }: Pick<Bus, 'admin'>): Promise<number> {
  const ranges = await admin.ranges(TOPICS.events);
  const committed = await admin.committed(LABEL_SERVICE, TOPICS.events);
  return ranges.reduce(
    (sum, { partition, low, high }) => sum + Number(high - (committed[partition] ?? low)),
    0,
  );
}

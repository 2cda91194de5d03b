/** Labels come first: between any two steps the sidecar rests a little, and longer while the label worker lags. */
import type { Clock } from '../base/clock.ts';
import type { Bus } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import { LABEL_SERVICE } from '../pipeline/ledger.ts';

/** Called between two steps. Gives way to everything else that the process does; rejects when the work is to end. */
export type Pause = () => Promise<void>;

const CHECK_MS = 1_000;
/** No step takes longer; what is more was no work. */
const LONGEST_STEP_MS = 2_000;

export interface PauseDeps {
  /** Posts that wait for their label. */
  readonly lag: () => Promise<number>;
  /** More than so many, and the work rests until it is half of that. */
  readonly most: number;
  /** Share of the time that is worked, above 0 and at most 1. */
  readonly workShare: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly told: (paused: boolean) => void;
}

export function createPause({ lag, most, workShare, clock, signal, told }: PauseDeps): Pause {
  let checkedAt = Number.NEGATIVE_INFINITY;
  let beganAt = clock.monotonic();
  const rest = async (): Promise<void> => {
    const worked = Math.min(LONGEST_STEP_MS, clock.monotonic() - beganAt);
    if (workShare < 1) await clock.sleep(worked * (1 / workShare - 1), signal);
  };
  const waitForLabels = async (): Promise<void> => {
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
  return async () => {
    await new Promise<void>((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    await rest();
    signal.throwIfAborted();
    await waitForLabels();
    beganAt = clock.monotonic();
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

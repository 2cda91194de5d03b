/** Records at a steady rate until somebody stops them, so that promotions happen under load. */
import { systemClock } from '../../src/base/clock.ts';

const TICK_MS = 20;

export interface SteadyLoad {
  /** How many records have been sent so far. */
  sent(): number;
  /** Ends it; resolves to how many records there were. */
  stop(): Promise<number>;
}

/**
 * @param rate records a second
 * @param send sends so many records, the first of which is number `from`
 */
export function startSteadyLoad(
  rate: number,
  send: (from: number, count: number) => Promise<void>,
): SteadyLoad {
  const over = new AbortController();
  let sent = 0;
  const running = (async () => {
    const since = performance.now();
    while (!over.signal.aborted) {
      const due = Math.floor(((performance.now() - since) / 1_000) * rate) - sent;
      if (due > 0) await send(sent, due);
      sent += due;
      await systemClock.sleep(TICK_MS, over.signal);
    }
  })();
  return {
    sent: () => sent,
    async stop() {
      over.abort();
      await running;
      return sent;
    },
  };
}

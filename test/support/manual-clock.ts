/** A clock that tests move by hand. Sleepers wake when their time has come. */
import type { Clock } from '../../src/base/clock.ts';

export interface ManualClock extends Clock {
  advance(ms: number): void;
}

export function createManualClock(start: number = 1_700_000_000_000): ManualClock {
  let passed = 0;
  const sleepers = new Set<{ readonly due: number; readonly wake: () => void }>();
  return {
    now: () => start + passed,
    monotonic: () => passed,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const wake = (): void => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper = { due: passed + ms, wake };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake, { once: true });
      }),
    advance(ms) {
      passed += ms;
      for (const sleeper of [...sleepers]) if (sleeper.due <= passed) sleeper.wake();
    },
  };
}

/** A clock whose sleeps pass at once: time goes on only by sleeping. */
import type { Clock } from '../../../src/base/clock.ts';

export interface VirtualClock extends Clock {
  /** Lets time pass without anybody sleeping. */
  advance(ms: number): void;
}

export function createVirtualClock(start: number): VirtualClock {
  let passed = 0;
  return {
    now: () => start + passed,
    monotonic: () => passed,
    async sleep(ms, signal) {
      if (!signal?.aborted) passed += ms;
    },
    advance(ms) {
      passed += ms;
    },
  };
}

/** Keeps one host from holding up the others: so many fetches at once per host, and none for a while after failures. */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../base/clock.ts';
import { type Refused, refuse } from './refusal.ts';

export interface HostLimits {
  /** Fetches from one host at once. */
  readonly perHost: number;
  /** Failures in a row after which the host is left alone. */
  readonly failures: number;
  /** For how long; then one fetch at a time tries it again. */
  readonly pauseMs: number;
}

export const HOST_LIMITS: HostLimits = { perHost: 12, failures: 5, pauseMs: 30_000 };

export interface Hosts {
  /** Waits for a turn at the host, at most so long. Call the answer with whether the host did its part; null: not known. */
  enter(host: string, maxWaitMs: number): Promise<((worked: boolean | null) => void) | Refused>;
}

interface HostState {
  active: number;
  failures: number;
  pausedUntil: number;
  readonly queue: Set<() => void>;
}

export function createHosts(clock: Clock, limits: HostLimits = HOST_LIMITS): Hosts {
  // An entry that falls out merely forgets the failures of a host that nobody has asked for in a long time.
  const states = new LRUCache<string, HostState>({ max: 10_000 });

  /** Whether another fetch may start now. */
  const room = (state: HostState): boolean =>
    state.active < (state.failures >= limits.failures ? 1 : limits.perHost);

  return {
    async enter(host, maxWaitMs) {
      const known = states.get(host);
      const state = known ?? { active: 0, failures: 0, pausedUntil: 0, queue: new Set() };
      if (!known) states.set(host, state);
      const deadline = clock.monotonic() + maxWaitMs;
      for (;;) {
        if (clock.monotonic() < state.pausedUntil) return refuse('host_paused', host);
        if (room(state)) break;
        const wait = deadline - clock.monotonic();
        if (wait <= 0) return refuse('host_busy', host);
        const stop = new AbortController();
        const wake = (): void => stop.abort();
        state.queue.add(wake);
        await clock.sleep(wait, stop.signal);
        state.queue.delete(wake);
      }
      state.active += 1;
      let left = false;
      return (worked) => {
        if (left) return;
        left = true;
        state.active -= 1;
        if (worked !== null) state.failures = worked ? 0 : state.failures + 1;
        if (worked === false && state.failures >= limits.failures)
          state.pausedUntil = clock.monotonic() + limits.pauseMs;
        // All look again: one finds room, or all learn that the host is paused.
        for (const wake of state.queue) wake();
      };
    },
  };
}

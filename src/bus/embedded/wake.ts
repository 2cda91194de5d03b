/**
 * Tells readers that something was committed: at once in this process, by a poll of the commit counter for the
 * other processes. The poll runs only while somebody waits, every 1 ms after a commit, slower down to 20 ms.
 */
import type { Clock } from '../../base/clock.ts';

const FASTEST_MS = 1;
const SLOWEST_MS = 20;

export interface Wakeups {
  /** Resolves when the commit counter is no longer `seen`, after `timeoutMs`, or when the signal aborts. */
  changed(seen: number, timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** This process has committed. */
  notify(): void;
  close(): void;
}

/** @param commits reads the commit counter afresh. */
export function createWakeups(commits: () => number, clock: Clock): Wakeups {
  const waiters = new Set<{ readonly seen: number; readonly wake: () => void }>();
  const closing = new AbortController();
  let polling = false;
  let nap = new AbortController();

  const wakeChanged = (): boolean => {
    const now = commits();
    let woken = false;
    for (const waiter of [...waiters])
      if (waiter.seen !== now) {
        waiter.wake();
        woken = true;
      }
    return woken;
  };

  async function poll(): Promise<void> {
    polling = true;
    let delay = FASTEST_MS;
    while (waiters.size > 0 && !closing.signal.aborted) {
      await clock.sleep(delay, nap.signal);
      if (closing.signal.aborted) break;
      if (nap.signal.aborted) nap = new AbortController();
      try {
        delay = wakeChanged() ? FASTEST_MS : Math.min(SLOWEST_MS, delay * 2);
      } catch {
        // The store cannot be read: those who wait find out themselves, and say so.
        for (const waiter of [...waiters]) waiter.wake();
      }
    }
    polling = false;
  }

  return {
    changed(seen, timeoutMs, signal) {
      if (signal.aborted || closing.signal.aborted || commits() !== seen) return Promise.resolve();
      return new Promise((resolve) => {
        const limit = new AbortController();
        const wake = (): void => {
          waiters.delete(waiter);
          signal.removeEventListener('abort', wake);
          limit.abort();
          resolve();
        };
        const waiter = { seen, wake };
        waiters.add(waiter);
        signal.addEventListener('abort', wake, { once: true });
        void clock.sleep(timeoutMs, limit.signal).then(wake);
        if (!polling) void poll();
      });
    },
    notify() {
      if (waiters.size === 0 || closing.signal.aborted) return;
      wakeChanged();
      nap.abort();
    },
    close() {
      closing.abort();
      nap.abort();
      for (const waiter of [...waiters]) waiter.wake();
    },
  };
}

import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { createWakeups } from '../../../../src/bus/embedded/wake.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { until } from '../../../support/until.ts';

const never = new AbortController().signal;

describe('wake-ups', () => {
  it('does not wait when something has happened already', async () => {
    const wakeups = createWakeups(() => 5, createManualClock());
    await wakeups.changed(4, 1_000, never);
    wakeups.close();
  });

  it('wakes at once for a commit of this process', async () => {
    let commits = 0;
    const wakeups = createWakeups(() => commits, createManualClock());
    const waits = [wakeups.changed(0, 1_000, never), wakeups.changed(0, 1_000, never)];
    commits = 1;
    wakeups.notify();
    await Promise.all(waits);
    wakeups.close();
  });

  it('finds the commits of others by polling', async () => {
    let commits = 0;
    const wakeups = createWakeups(() => commits, systemClock);
    const waiting = wakeups.changed(0, 60_000, never);
    commits = 1;
    await waiting;
    wakeups.close();
  });

  it('polls slowly when nothing happens, and not at all when nobody waits', async () => {
    let reads = 0;
    const clock = createManualClock();
    const wakeups = createWakeups(() => {
      reads += 1;
      return 0;
    }, clock);
    const stop = new AbortController();
    const waiting = wakeups.changed(0, 100_000, stop.signal);
    for (let ms = 0; ms < 1_000; ms += 1) {
      clock.advance(1);
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(reads).toBeGreaterThan(30);
    expect(reads).toBeLessThan(70);
    stop.abort();
    await waiting;
    clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
    const before = reads;
    clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(reads).toBe(before);
    wakeups.close();
  });

  it('ends a wait after its limit, at its signal and when it is closed', async () => {
    const clock = createManualClock();
    const wakeups = createWakeups(() => 0, clock);
    const limited = wakeups.changed(0, 500, never);
    clock.advance(500);
    await limited;
    const stop = new AbortController();
    const stopped = wakeups.changed(0, 60_000, stop.signal);
    stop.abort();
    await stopped;
    const closed = wakeups.changed(0, 60_000, never);
    wakeups.close();
    await closed;
    await wakeups.changed(0, 60_000, never);
  });

  it('wakes those who wait when the counter cannot be read', async () => {
    let broken = false;
    const wakeups = createWakeups(() => {
      if (broken) throw new Error('gone');
      return 0;
    }, systemClock);
    let woken = false;
    const waiting = wakeups.changed(0, 60_000, never).then(() => {
      woken = true;
    });
    broken = true;
    await until(() => woken, 'woken by the error', 10_000);
    await waiting;
    wakeups.close();
  });
});

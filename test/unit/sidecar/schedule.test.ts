import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/base/log.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { runSchedule } from '../../../src/sidecar/loop.ts';
import { createPause } from '../../../src/sidecar/pause.ts';
import type { Rounds } from '../../../src/sidecar/plan.ts';
import { dueRound } from '../../../src/sidecar/schedule.ts';

const NOTHING = { at: 0, samples: 0, drifted: false };

describe('a round', () => {
  it('is due by the clock, by new samples, and by drift only where the setting says so', () => {
    const schedule = { everyMs: 1_000, labels: 5, onDrift: false };
    expect(dueRound(schedule, NOTHING, 999)).toBeNull();
    expect(dueRound(schedule, NOTHING, 1_000)).toBe('clock');
    expect(dueRound(schedule, { ...NOTHING, samples: 5 }, 1)).toBe('labels');
    expect(dueRound(schedule, { ...NOTHING, drifted: true }, 1)).toBeNull();
    expect(dueRound({ ...schedule, onDrift: true }, { ...NOTHING, drifted: true }, 1)).toBe('drift');
  });

  it('is never due where all is switched off', () => {
    const off = { everyMs: 0, labels: 0, onDrift: false };
    expect(dueRound(off, { at: 0, samples: 1e6, drifted: true }, 1e12)).toBeNull();
  });
});

/** A clock that only sleeping moves; it runs out after so long. */
function sleepingClock(endMs: number) {
  let now = 0;
  const stop = new AbortController();
  return {
    signal: stop.signal,
    now: () => now,
    monotonic: () => now,
    async sleep(ms: number) {
      now += ms;
      if (now >= endMs) stop.abort();
    },
  };
}

describe('the schedule', () => {
  it('begins a round each time one is due, and an unfinished one first', async () => {
    const clock = sleepingClock(100_000);
    let done: Rounds | null = null;
    let unfinished = true;
    const begun: [number, string][] = [];
    await runSchedule({
      schedule: { everyMs: 40_000, labels: 0, onDrift: false },
      clock,
      signal: clock.signal,
      log: silentLog,
      metrics: createMetrics({ bare: true }),
      rounds: async () => done,
      unfinished: async () => unfinished,
      samples: () => 0,
      drift: { seen: () => false, forget: () => {} },
      round: async (reason) => {
        begun.push([clock.now(), reason]);
        unfinished = false;
        done = { done: begun.length, at: clock.now(), samples: 0 };
      },
    });
    expect(begun).toEqual([
      [0, 'asked'],
      [40_000, 'clock'],
      [80_000, 'clock'],
    ]);
  });

  it('tries again ten minutes after a failure', async () => {
    const clock = sleepingClock(700_000);
    const begun: number[] = [];
    await runSchedule({
      schedule: { everyMs: 1_000, labels: 0, onDrift: false },
      clock,
      signal: clock.signal,
      log: silentLog,
      metrics: createMetrics({ bare: true }),
      rounds: async () => null,
      unfinished: async () => false,
      samples: () => 0,
      drift: { seen: () => false, forget: () => {} },
      round: async () => {
        begun.push(clock.now());
        throw new Error('no disk');
      },
    });
    expect(begun).toEqual([5_000, 605_000]);
  });
});

describe('the pause', () => {
  it('waits from the limit until half of it, asks once a second, and says so', async () => {
    const clock = sleepingClock(1e9);
    const lags = [10, 101, 90, 51, 50];
    const told: boolean[] = [];
    let asked = 0;
    const pause = createPause({
      lag: async () => {
        asked += 1;
        return lags.shift() ?? 0;
      },
      most: 100,
      workShare: 1,
      clock,
      signal: clock.signal,
      told: (paused) => told.push(paused),
    });
    await pause();
    await pause();
    expect([asked, told]).toEqual([1, []]);
    await clock.sleep(1_000);
    await pause();
    expect([asked, told]).toEqual([5, [true, false]]);
    expect(clock.now()).toBe(3_000);
  });

  it('rests as long as a step took where half of the time is to be worked', async () => {
    const clock = sleepingClock(1e9);
    const pause = createPause({
      lag: async () => 0,
      most: 1,
      workShare: 0.5,
      clock,
      signal: clock.signal,
      told: () => {},
    });
    await pause();
    expect(clock.now()).toBe(0);
    await clock.sleep(30);
    await pause();
    expect(clock.now()).toBe(60);
    await clock.sleep(10);
    await pause();
    expect(clock.now()).toBe(80);
  });

  it('rejects when the work is to end', async () => {
    const clock = sleepingClock(1);
    await clock.sleep(1);
    const deps = { lag: async () => 0, most: 1, workShare: 0.5, clock, signal: clock.signal, told: () => {} };
    await expect(createPause(deps)()).rejects.toThrow();
  });
});

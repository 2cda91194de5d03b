import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTimeline, createTokenBucket } from '../../../src/replay/pacing.ts';
import { shiftedTime } from '../../../src/replay/shift.ts';

const gaps = fc.array(fc.integer({ min: 0, max: 86_400_000 }), { minLength: 1, maxLength: 60 });
const speeds = fc.double({ min: 0.01, max: 100_000, noNaN: true });

/** Running sums. */
const times = (list: readonly number[]): number[] => {
  let at = 1_500_000_000_000;
  return list.map((gap) => {
    at += gap;
    return at;
  });
};

describe('timeline', () => {
  it('keeps the event’s own pattern, scaled by the speed (property)', () => {
    fc.assert(
      fc.property(gaps, speeds, (list, speed) => {
        const timeline = createTimeline(speed, null);
        const events = times(list);
        for (const event of events) {
          const due = timeline.dueAfter(event);
          const exact = (event - (events[0] as number)) / speed;
          expect(Math.abs(due - exact)).toBeLessThanOrEqual(1e-6 * Math.max(1, exact));
        }
      }),
    );
  });

  it('never goes back, starts at once, and waits no longer than the idle limit (property)', () => {
    fc.assert(
      fc.property(gaps, speeds, fc.integer({ min: 0, max: 60_000 }), (list, speed, idleLimitMs) => {
        const timeline = createTimeline(speed, idleLimitMs);
        let last = 0;
        for (const [i, event] of times(list).entries()) {
          const due = timeline.dueAfter(event);
          if (i === 0) expect(due).toBe(0);
          expect(due).toBeGreaterThanOrEqual(last);
          expect(due - last).toBeLessThanOrEqual(idleLimitMs + 1e-6);
          last = due;
        }
      }),
    );
  });

  it('makes everything due at once at full speed', () => {
    const timeline = createTimeline('max', null);
    expect([1, 5_000, 9e12].map((event) => timeline.dueAfter(event))).toEqual([0, 0, 0]);
  });
});

describe('token bucket', () => {
  it('lets through at most rate × time + burst in any stretch of time (property)', () => {
    const steps = fc.array(fc.record({ pauseMs: fc.nat(3_000), count: fc.nat(50) }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), steps, (rate, list) => {
        const bucket = createTokenBucket(rate);
        const let_: { readonly at: number; readonly count: number }[] = [];
        let now = 0;
        for (const { pauseMs, count } of list) {
          now += pauseMs;
          const taken = Math.min(count, bucket.burst);
          now += bucket.take(taken, now);
          let_.push({ at: now, count: taken });
        }
        for (const [i, first] of let_.entries()) {
          let sum = 0;
          for (const { at, count } of let_.slice(i)) {
            sum += count;
            expect(sum).toBeLessThanOrEqual((rate * (at - first.at)) / 1_000 + bucket.burst + 1e-6);
          }
        }
      }),
    );
  });

  it('reaches its rate when there is always something to send', () => {
    const bucket = createTokenBucket(200);
    let now = 0;
    for (let sent = 0; sent < 2_000; sent += bucket.burst) now += bucket.take(bucket.burst, now);
    expect(now / 1_000).toBeCloseTo(10, 0);
  });
});

describe('shifted event time', () => {
  const startedAt = 1_700_000_000_000;

  it('is the archive’s own with keep', () => {
    const context = { shift: 'keep', speed: 20, startedAt, lastEvent: 9_000 } as const;
    expect(shiftedTime(context, 5_000, 123)).toBe(5_000);
  });

  it('is the instant of sending with now', () => {
    const context = { shift: 'now', speed: 20, startedAt, lastEvent: 9_000 } as const;
    expect(shiftedTime(context, 5_000, 123.4)).toBe(startedAt + 123);
  });

  it('ends at now at full speed, with all distances kept', () => {
    const context = { shift: 'now', speed: 'max', startedAt, lastEvent: 9_000 } as const;
    expect(shiftedTime(context, 9_000, 0)).toBe(startedAt);
    expect(shiftedTime(context, 2_000, 0)).toBe(startedAt - 7_000);
  });
});

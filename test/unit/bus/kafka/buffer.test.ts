/** Slices: full ones at once, small ones after a while, markers passed, nothing hoarded. */
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../../src/base/clock.ts';
import { SliceBuffer } from '../../../../src/bus/kafka/buffer.ts';
import type { FetchedPartition } from '../../../../src/bus/kafka/fetch.ts';

/** A clock that moves only when somebody sleeps. */
function jumpingClock(): Clock & { readonly slept: number[] } {
  let now = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    monotonic: () => now,
    async sleep(ms, signal) {
      if (signal?.aborted) return;
      slept.push(ms);
      now += ms;
    },
  };
}

const fetched = (from: number, count: number, next = from + count): FetchedPartition => ({
  partition: 0,
  from: BigInt(from),
  errorCode: 0,
  next: BigInt(next),
  bytes: count * 10,
  records: Array.from({ length: count }, (_, i) => ({
    topic: 't',
    partition: 0,
    offset: BigInt(from + i),
    key: 'k',
    value: Buffer.alloc(10),
    headers: {},
    timestamp: 0,
  })),
});

const make = (clock: Clock): SliceBuffer => new SliceBuffer(0n, { clock, sliceRecords: 100, sliceMs: 20 });
const never = (): boolean => false;

describe('SliceBuffer', () => {
  it('gives a full slice at once and leaves the rest', async () => {
    const clock = jumpingClock();
    const buffer = make(clock);
    buffer.accept(fetched(0, 150));
    await buffer.ready(never, 500);
    expect(clock.slept).toEqual([]);
    const slice = buffer.cut();
    expect([slice.records.length, slice.upto]).toEqual([100, 100n]);
    await buffer.ready(never, 500);
    expect(clock.slept).toEqual([20]);
    expect(buffer.cut().upto).toBe(150n);
  });

  it('passes the markers behind the last record', async () => {
    const buffer = make(jumpingClock());
    buffer.accept(fetched(0, 5, 7));
    await buffer.ready(never, 500);
    expect(buffer.cut().upto).toBe(7n);
    expect(buffer.wants()).toBe(7n);
  });

  it('gives an empty slice when for a while only markers have come', async () => {
    const clock = jumpingClock();
    const buffer = make(clock);
    buffer.accept(fetched(0, 0, 2));
    await buffer.ready(never, 500);
    expect(clock.slept).toEqual([500]);
    expect(buffer.cut()).toEqual({ records: [], upto: 2n });
  });

  it('asks for more only while there is room', () => {
    const buffer = make(jumpingClock());
    expect(buffer.wants()).toBe(0n);
    buffer.accept(fetched(0, 511));
    expect(buffer.wants()).toBe(511n);
    buffer.accept(fetched(511, 1));
    expect(buffer.wants()).toBe(null);
    buffer.cut();
    expect(buffer.wants()).toBe(512n);
  });

  it('refuses what a predecessor asked for', () => {
    const buffer = make(jumpingClock());
    buffer.accept(fetched(40, 3));
    expect(buffer.wants()).toBe(0n);
    expect(buffer.cut()).toEqual({ records: [], upto: 0n });
  });
});

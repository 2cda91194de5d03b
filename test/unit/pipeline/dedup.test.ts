import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dedup } from '../../../src/pipeline/dedup.ts';
import { SeenTable } from '../../../src/pipeline/seen-table.ts';
import { Watermarks } from '../../../src/pipeline/watermarks.ts';

const T0 = 1_700_000_000_000;
const HOUR = 3_600_000;

/** A dedup memory whose state entries are kept in a map. */
function memory(maxIds = 1_000_000): {
  readonly state: Map<string, Uint8Array>;
  readonly dedup: Dedup;
  flush(offset: number): void;
  reopen(): Dedup;
} {
  const state = new Map<string, Uint8Array>();
  const open = (): Dedup => {
    const dedup = new Dedup({ key: Buffer.alloc(32, 1), windowMs: 2 * HOUR, maxIds }, new Watermarks());
    dedup.restore(state);
    return dedup;
  };
  const dedup = open();
  return {
    state,
    dedup,
    flush: (offset) =>
      dedup.flush(
        {
          send: () => {},
          putState: (entry, value) => (value === null ? state.delete(entry) : state.set(entry, value)),
        },
        BigInt(offset),
      ),
    reopen: open,
  };
}

describe('the dedup memory', () => {
  it('knows an id again, but not that of another kind', () => {
    const { dedup } = memory();
    expect(dedup.seen('post', 'a', 'c', T0)).toBe(false);
    expect(dedup.seen('post', 'a', 'c', T0)).toBe(true);
    expect(dedup.seen('picture', 'a', 'c', T0)).toBe(false);
  });

  it('holds thousands of ids over growth and restart, and no other', () => {
    const { dedup, flush, reopen } = memory();
    for (let i = 0; i < 5_000; i += 1) {
      expect(dedup.seen('post', `id-${i}`, `c${i % 3}`, T0 + i)).toBe(false);
      if (i % 7 === 0) flush(i);
    }
    flush(5_000);
    const again = reopen();
    expect(again.size).toBe(5_000);
    for (let i = 0; i < 5_000; i += 1) expect(again.seen('post', `id-${i}`, 'c0', T0 + 5_000)).toBe(true);
    expect(again.seen('post', 'id-5000', 'c0', T0 + 5_000)).toBe(false);
  });

  it('keeps few state entries for small slices and forgets them when they are out of the window', () => {
    const { dedup, flush, state } = memory();
    for (let i = 0; i < 1_000; i += 1) {
      dedup.seen('post', `id-${i}`, 'c', T0 + i * 10_000);
      flush(i);
    }
    // 2 h at one post in 10 s are 720 ids, in chunks of 128.
    expect(dedup.size).toBeGreaterThanOrEqual(720);
    expect(dedup.size).toBeLessThan(720 + 128 * 2);
    expect(state.size).toBeLessThanOrEqual(8);
    for (let i = 0; i < 130; i += 1) dedup.seen('post', `late-${i}`, 'c', T0 + 100 * HOUR);
    flush(1_001);
    expect(state.size).toBeLessThanOrEqual(2);
  });

  it('is not held up by a collection that fell silent', () => {
    const { dedup, flush, state } = memory();
    dedup.seen('post', 'silent', 'old', T0);
    for (let i = 0; i < 200; i += 1) dedup.seen('post', `n-${i}`, 'silent too', T0);
    flush(0);
    for (let i = 1; i < 200; i += 1) {
      for (let k = 0; k < 130; k += 1) dedup.seen('post', `${i}-${k}`, 'c', T0 + i * HOUR);
      flush(i);
    }
    expect(dedup.seen('post', 'silent', 'old', T0)).toBe(true);
    expect(state.size).toBeLessThan(64 + 8);
  });

  it('stays within its bound, letting go of the oldest', () => {
    const { dedup, flush, state } = memory(1_000);
    for (let i = 0; i < 50; i += 1) {
      for (let k = 0; k < 130; k += 1) dedup.seen('post', `${i}-${k}`, 'c', T0);
      flush(i);
    }
    expect(dedup.size).toBeLessThanOrEqual(1_000);
    expect(state.size).toBeLessThanOrEqual(8);
    expect(dedup.seen('post', '49-1', 'c', T0)).toBe(true);
    expect(dedup.seen('post', '0-1', 'c', T0)).toBe(false);
  });

  it('refuses a state entry of another format', () => {
    const { dedup } = memory();
    expect(() => dedup.restore(new Map([['dedup/0', Buffer.from([9, 1, 2])]]))).toThrow(/unknown format/);
  });
});

describe('the table of seen keys', () => {
  it('behaves like a map', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 1_000 })), { maxLength: 2_000 }),
        (puts) => {
          const table = new SeenTable();
          const model = new Map<number, number>();
          // Keys with equal first words, so that they meet in one run of slots.
          const key = (k: number): Uint32Array => Uint32Array.of(k % 3, k, 0, 0);
          for (const [k, seconds] of puts) {
            if (table.full) table.rebuild(() => true);
            table.put(key(k), { seconds, chunk: k, collection: 1 });
            model.set(k, seconds);
          }
          table.rebuild(({ chunk }) => chunk % 2 === 0);
          for (let k = 0; k <= 40; k += 1) {
            const slot = table.find(key(k));
            expect(slot < 0 ? undefined : table.at(slot).seconds).toBe(
              k % 2 === 0 ? model.get(k) : undefined,
            );
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

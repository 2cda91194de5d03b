import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGate } from '../../../src/media/gate.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('gate', () => {
  it('lets in as many as its limit, in order', async () => {
    const gate = createGate(2);
    const order: number[] = [];
    const releases = await Promise.all([gate.acquire(), gate.acquire()]);
    const waiting = [1, 2, 3].map(async (n) => {
      const release = await gate.acquire();
      order.push(n);
      return release;
    });
    await turn();
    expect(order).toEqual([]);
    releases[0]?.();
    releases[0]?.(); // giving back twice counts once
    await turn();
    expect(order).toEqual([1]);
    (await waiting[0])?.();
    releases[1]?.();
    await turn();
    expect(order).toEqual([1, 2, 3]);
  });

  it('lets one that wants to be alone in when all others have left, before those behind it', async () => {
    const gate = createGate(3);
    const order: string[] = [];
    const first = await gate.acquire();
    const alone = gate.acquire(3).then((release) => {
      order.push('alone');
      return release;
    });
    const behind = gate.acquire().then(() => order.push('behind'));
    await turn();
    expect(order).toEqual([]);
    first();
    const release = await alone;
    await turn();
    expect(order).toEqual(['alone']);
    release();
    await behind;
    expect(order).toEqual(['alone', 'behind']);
  });

  it('never holds more than its limit, and everybody gets in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.boolean(), { maxLength: 30 }),
        async (limit, alone) => {
          const gate = createGate(limit);
          let inside = 0;
          await Promise.all(
            alone.map(async (all) => {
              const weight = all ? limit : 1;
              const release = await gate.acquire(weight);
              inside += weight;
              expect(inside).toBeLessThanOrEqual(limit);
              await turn();
              inside -= weight;
              release();
            }),
          );
          expect(inside).toBe(0);
        },
      ),
      { numRuns: 25 },
    );
  });
});

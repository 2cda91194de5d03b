import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomSeed, seededRandom, shuffled } from '../../../src/base/random.ts';

describe('seededRandom', () => {
  it('repeats itself for a seed, differs between seeds and stays in [0, 1)', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const [a, b] = [seededRandom(seed), seededRandom(seed)];
        const first = Array.from({ length: 20 }, a);
        expect(first).toEqual(Array.from({ length: 20 }, b));
        expect(first.every((x) => x >= 0 && x < 1)).toBe(true);
      }),
    );
    expect(seededRandom(1)()).not.toBe(seededRandom(2)());
  });

  it('is even enough', () => {
    const random = seededRandom(42);
    const buckets = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i += 1) {
      const bucket = Math.floor(random() * 10);
      buckets[bucket] = (buckets[bucket] as number) + 1;
    }
    expect(Math.min(...buckets)).toBeGreaterThan(850);
    expect(Math.max(...buckets)).toBeLessThan(1_150);
  });
});

describe('shuffled', () => {
  it('keeps every item, leaves the input alone and follows the seed', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer(), (items, seed) => {
        const before = [...items];
        const order = (a: number, b: number): number => a - b;
        const result = shuffled(items, seededRandom(seed));
        expect(items).toEqual(before);
        expect([...result].sort(order)).toEqual([...items].sort(order));
        expect(shuffled(items, seededRandom(seed))).toEqual(result);
      }),
    );
  });
});

describe('randomSeed', () => {
  it('is a 32-bit number', () => {
    const seed = randomSeed();
    expect(Number.isInteger(seed) && seed >= 0 && seed <= 0xffff_ffff).toBe(true);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNearIndex, distance, parseHash64 } from '../../../src/claims/near.ts';
import { hashWith } from './evidence.ts';

/** Hashes that lie around a few centres, so that near pairs are common. */
const hash = fc
  .tuple(
    fc.constantFrom('0f0f0f0f0f0f0f0f', 'f0c3a5961e2d4b78', '00000000ffffffff'),
    fc.uniqueArray(fc.nat(63), { maxLength: 8 }),
  )
  .map(([base, flips]) => hashWith(base, flips));

describe('near index', () => {
  for (const maxDistance of [3, 4, 5])
    it(`misses no pair within ${maxDistance} bits and gives no other (against brute force)`, () => {
      fc.assert(
        fc.property(
          fc.uniqueArray(hash, { maxLength: 60 }),
          fc.array(hash, { maxLength: 10 }),
          (known, asked) => {
            const index = createNearIndex<null>(maxDistance);
            for (const key of known) index.add(key, [parseHash64(key)], null);
            for (const query of [...known, ...asked]) {
              const found: string[] = [];
              index.near([parseHash64(query)], (node) => found.push(node.key));
              const expected = known.filter(
                (key) => distance(parseHash64(key), parseHash64(query)) <= maxDistance,
              );
              expect(found.sort()).toEqual(expected.sort());
            }
          },
        ),
      );
    });

  it('finds a node by any of its hashes, once', () => {
    const index = createNearIndex<null>(4);
    const [a, b] = ['0f0f0f0f0f0f0f0f', '0f0f0f0f0f0f0f0e'];
    index.add('pair', [parseHash64(a), parseHash64(b)], null);
    const found: string[] = [];
    index.near([parseHash64(b), parseHash64(a)], (node) => found.push(node.key));
    expect(found).toEqual(['pair']);
  });

  it('forgets what was removed, and nothing else', () => {
    fc.assert(
      fc.property(fc.uniqueArray(hash, { minLength: 1, maxLength: 30 }), fc.nat(), (known, pick) => {
        const index = createNearIndex<null>(4);
        for (const key of known)
          index.add(key, [parseHash64(key), parseHash64(hashWith(key, [0, 63]))], null);
        const gone = known[pick % known.length] as string;
        index.remove(gone);
        expect(index.size()).toBe(known.length - 1);
        for (const query of known) {
          const found: string[] = [];
          index.near([parseHash64(query)], (node) => found.push(node.key));
          expect(found).not.toContain(gone);
          if (query !== gone) expect(found).toContain(query);
        }
      }),
    );
  });
});

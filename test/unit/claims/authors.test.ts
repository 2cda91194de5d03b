import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authorNumber, createAuthors } from '../../../src/claims/authors.ts';

const author = (i: number): number =>
  authorNumber(createHash('sha256').update(`author ${i}`).digest('hex').slice(0, 32));

describe('distinct authors', () => {
  it('counts exactly up to its limit, repeats once', () => {
    const authors = createAuthors(100);
    for (let i = 0; i < 300; i += 1) authors.add(author(i % 100));
    expect(authors.count()).toBe(100);
  });

  it('estimates within a few per cent above it', () => {
    const authors = createAuthors(1_000);
    for (let i = 0; i < 50_000; i += 1) authors.add(author(i));
    expect(Math.abs(authors.count() - 50_000) / 50_000).toBeLessThan(0.1);
  });

  it('depends on the set alone: any split, order and repetition, looked at any time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60), { maxLength: 200 }), fc.nat(200), fc.boolean(), (ids, at, look) => {
        const whole = createAuthors(10);
        for (const id of ids) whole.add(author(id));
        const left = createAuthors(10);
        const right = createAuthors(10);
        for (const id of ids.slice(at).reverse()) left.add(author(id));
        for (const id of ids.slice(0, at)) {
          right.add(author(id));
          if (look) right.count();
        }
        left.merge(right);
        expect(left.count()).toBe(whole.count());
      }),
    );
  });
});

/** Claims: what belongs together, one answer a claim, and intervals that know how few claims there are. */
import { describe, expect, it } from 'vitest';
import { groupClaims, perClaim } from '../../../src/training/claims.ts';
import { measure } from '../../../src/training/measure.ts';

const post = (
  text: string,
  media: string[] = [],
  claim: string | null = null,
): Parameters<typeof groupClaims>[0][number] => ({
  text,
  media,
  claim,
});

describe('groupClaims', () => {
  it('joins by picture, video, near-duplicate text and the collection itself, by chains', () => {
    const claims = groupClaims([
      post('A shark swims down the main street of the town', ['shark.jpg']),
      post('look at this', ['shark.jpg', 'video-7']),
      post('unbelievable scenes', ['video-7']),
      post('RT: A shark swims down the main street of the town!!'),
      post('Bridge closed until tomorrow morning, says the city', [], 'c'),
      post('nothing in common with the other', [], 'c'),
      post('something else entirely here today'),
    ]);
    expect([...claims]).toEqual([0, 0, 0, 0, 4, 4, 6]);
  });

  it('does not join by texts that are too short to compare', () => {
    expect([...groupClaims([post('wow', ['a']), post('wow', ['b'])])]).toEqual([0, 1]);
  });
});

describe('perClaim', () => {
  it('gives one answer a claim: mean log-odds, the label of most posts', () => {
    const { probability, label } = perClaim(
      { probability: [0.9, 0.5, 0.1, 1], label: [1, 1, 0, 0] },
      Int32Array.from([0, 0, 0, 3]),
    );
    expect(probability[0]).toBeCloseTo(0.5, 6);
    expect(probability[1]).toBeCloseTo(0.99, 6);
    expect(label).toEqual([1, 0]);
  });
});

describe('measure over claims', () => {
  it('has intervals as wide as the claims are few', () => {
    const n = 900;
    const claims = Int32Array.from({ length: n }, (_, i) => i % 9);
    // A claim is right or wrong as a whole.
    const label = Array.from({ length: n }, (_, i): 0 | 1 => (i % 2 === 0 ? 1 : 0));
    const probability = label.map((y, i) => ((i % 9) % 3 === 0 ? 1 - y : y) * 0.8 + 0.1);
    const posts = measure({ probability, label });
    const clustered = measure({ probability, label }, claims);
    const width = ({ interval: [low, high] }: { interval: readonly [number, number] }): number => high - low;
    expect(clustered.accuracy.value).toBe(posts.accuracy.value);
    expect(width(clustered.accuracy)).toBeGreaterThan(5 * width(posts.accuracy));
    expect(width(clustered.macroF1)).toBeGreaterThan(5 * width(posts.macroF1));
  });
});

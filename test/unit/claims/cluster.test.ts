import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PICTURE_DISTANCE, TEXT_DISTANCE } from '../../../src/claims/cluster.ts';
import { distance, parseHash64 } from '../../../src/claims/near.ts';
import type { Evidence } from '../../../src/event/records.ts';
import { DAY, evidence, finalClaims, hashWith, type Input, ruling, runAll, START } from './evidence.ts';

const SILENT = 7 * DAY;
const CENTRES = ['0f0f0f0f0f0f0f0f', 'f0c3a5961e2d4b78', '00ff00ff3c3c5555'];
const around = fc
  .tuple(fc.constantFrom(...CENTRES), fc.uniqueArray(fc.integer({ min: 0, max: 63 }), { maxLength: 5 }))
  .map(([base, flips]) => hashWith(base, flips));
const picture = fc.record({ hash: around, flipped: around });
const author = fc.constantFrom(null, ...[1, 2, 3].map((i) => `${i}`.repeat(32)));

/** A post's evidence: revision 1, and perhaps a second one that brings pictures. */
const post = fc.record({
  createdAt: fc.integer({ min: 0, max: 30 }).map((days) => START + days * DAY),
  simhash: fc.oneof(fc.constant(''), around),
  authorHash: author,
  pictures: fc.array(picture, { maxLength: 2 }),
  collection: fc.constantFrom('flood', 'flood', 'quake'),
});

type Drawn = typeof post extends fc.Arbitrary<infer T> ? T : never;

function evidenceOf(posts: readonly Drawn[]): Evidence[][] {
  return posts.map(({ pictures, ...rest }, i) => {
    const first = evidence(`p${i}`, rest);
    if (pictures.length === 0) return [first];
    return [
      first,
      {
        ...first,
        revision: 2,
        perceptualHashes: pictures,
        storeKeys: pictures.map((_, k) => `preview-${i % 4}-${k}`),
      },
    ];
  });
}

/** Connected components by comparing every pair: members, as sorted id lists, of those with two posts or more. */
function bruteForce(posts: readonly Evidence[][]): string[][] {
  const last = posts.map((revisions) => revisions[revisions.length - 1] as Evidence);
  const near = (a: string, b: string, bits: number): boolean =>
    distance(parseHash64(a), parseHash64(b)) <= bits;
  const related = (a: Evidence, b: Evidence): boolean => {
    if (a.collection !== b.collection || Math.abs(a.createdAt - b.createdAt) > SILENT) return false;
    if (a.simhash && b.simhash && near(a.simhash, b.simhash, TEXT_DISTANCE)) return true;
    return a.perceptualHashes.some((p) =>
      b.perceptualHashes.some((q) =>
        [p.hash, p.flipped].some((x) => [q.hash, q.flipped].some((y) => near(x, y, PICTURE_DISTANCE))),
      ),
    );
  };
  const component = last.map((_, i) => i);
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 0; i < last.length; i += 1)
      for (let j = 0; j < last.length; j += 1)
        if (
          (component[j] as number) < (component[i] as number) &&
          related(last[i] as Evidence, last[j] as Evidence)
        ) {
          component[i] = component[j] as number;
          changed = true;
        }
  }
  const members = new Map<number, string[]>();
  component.forEach((c, i) => {
    members.set(c, [...(members.get(c) ?? []), (last[i] as Evidence).postId]);
  });
  return [...members.values()].filter((ids) => ids.length > 1);
}

/** Mixes the posts' revision lists; each post's own revisions stay in order. */
function interleave(lists: readonly Input[][], picks: readonly number[]): Input[] {
  const rest = lists.map((list) => [...list]);
  const out: Input[] = [];
  for (let k = 0; rest.some((list) => list.length > 0); k += 1) {
    const open = rest.filter((list) => list.length > 0);
    out.push((open[(picks[k % picks.length] ?? 0) % open.length] as Input[]).shift() as Input);
  }
  return out;
}

describe('clusters', () => {
  it('are the connected components of the relation, whatever the order of arrival and the slices', () => {
    fc.assert(
      fc.property(
        fc.array(post, { minLength: 1, maxLength: 14 }),
        fc.array(
          fc.record({
            target: fc.nat(13),
            at: fc.nat(3),
            value: fc.constantFrom('true' as const, 'false' as const),
            undoes: fc.option(fc.nat(4)),
          }),
          { maxLength: 5 },
        ),
        fc.array(fc.nat(), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 9 }),
        (posts, judged, picks, sliceRecords) => {
          const lists = evidenceOf(posts);
          const rulings = judged.map(({ target, at, value, undoes }, i) => [
            ruling(`r${i}`, {
              collection: posts[target % posts.length]?.collection ?? 'flood',
              ...(i % 2 ? { postId: `p${target % posts.length}` } : { claimId: `p${target % posts.length}` }),
              ruling: value,
              at: START + at,
              undoes: undoes === null ? null : `r${undoes}`,
            }),
          ]);
          const inputs: Input[][] = [...lists, ...rulings];
          const straight = runAll(inputs.flat());
          const mixed = runAll(interleave(inputs, picks), sliceRecords);
          expect(finalClaims(mixed)).toEqual(finalClaims(straight));

          const expected = bruteForce(lists);
          const sizes = (finalClaims(mixed) as { posts: number }[]).map((c) => c.posts).filter((n) => n > 1);
          expect(sizes.sort()).toEqual(expected.map((ids) => ids.length).sort());
        },
      ),
      { numRuns: 300 },
    );
  });

  it('counts a post once, however many revisions and repeats it has', () => {
    const simhash = CENTRES[0] as string;
    const a = evidence('a', { simhash, authorHash: '1'.repeat(32) });
    const b = evidence('b', { simhash, authorHash: '2'.repeat(32) });
    const withPicture = {
      ...a,
      revision: 2,
      perceptualHashes: [{ hash: CENTRES[1] as string, flipped: CENTRES[2] as string }],
      storeKeys: ['k'],
    };
    const run = runAll([a, b, a, withPicture, withPicture, b]);
    expect(finalClaims(run)).toMatchObject([{ claimId: 'a', posts: 2, authors: 2, storeKeys: ['k'] }]);
    expect(run.index.ledger()).toMatchObject({ received: 6, posts: 2, revisions: 1, known: 3 });
  });

  it('joins posts by a picture and its mirror image', () => {
    const [hash, flipped] = ['0f0f0f0f0f0f0f0f', 'f0c3a5961e2d4b78'];
    const run = runAll([
      evidence('a', { perceptualHashes: [{ hash, flipped }] }),
      evidence('b', { perceptualHashes: [{ hash: hashWith(flipped, [1, 2, 3, 4]), flipped: hash }] }),
      evidence('c', {
        perceptualHashes: [{ hash: hashWith(hash, [0, 1, 2, 3, 4]), flipped: '5555aaaa3333cccc' }],
      }),
    ]);
    expect(finalClaims(run)).toMatchObject([{ claimId: 'a', posts: 2 }]);
  });

  it('does not join posts by blank pictures', () => {
    const blank = { hash: '0000000000000000', flipped: '0000000000000000' };
    const run = runAll([
      evidence('a', { perceptualHashes: [blank] }),
      evidence('b', { perceptualHashes: [blank] }),
    ]);
    expect(finalClaims(run)).toEqual([]);
  });

  it('tells that an id is an alias when an earlier member comes, and when claims merge', () => {
    const [x, y] = CENTRES as [string, string];
    const at = (minutes: number): number => START + minutes * 60_000;
    const run = runAll(
      [
        evidence('b', { simhash: x, createdAt: at(2) }),
        evidence('c', { simhash: x, createdAt: at(3) }),
        evidence('a', { simhash: x, createdAt: at(1) }),
        evidence('e', { simhash: y, createdAt: at(5) }),
        evidence('d', { simhash: y, createdAt: at(4) }),
        // Its picture comes later and ties the two together.
        evidence('f', { simhash: x, createdAt: at(6) }),
        evidence('g', {
          simhash: y,
          createdAt: at(7),
          perceptualHashes: [{ hash: '5555aaaa3333cccc', flipped: '5555aaaa3333cccc' }],
        }),
        evidence('f', {
          simhash: x,
          createdAt: at(6),
          revision: 2,
          perceptualHashes: [{ hash: '5555aaaa3333cccc', flipped: '5555aaaa3333cccc' }],
        }),
      ],
      1,
    );
    expect(finalClaims(run)).toMatchObject([{ claimId: 'a', posts: 7, headline: 'text of a' }]);
    const aliases = run.told.filter((claim) => claim.mergedInto !== null);
    expect(aliases.map(({ claimId, mergedInto, posts }) => [claimId, mergedInto, posts])).toEqual([
      ['b', 'a', 0],
      ['d', 'a', 0],
    ]);
    expect(run.told.at(-2)).toMatchObject({ claimId: 'a', aliases: ['b', 'd'] });
    const revisions = run.told.filter(({ claimId }) => claimId === 'a').map(({ revision }) => revision);
    expect(revisions).toEqual([...new Set(revisions)].sort((p, q) => p - q));
  });

  it('begins a new claim when the old one was silent for more than a week', () => {
    const simhash = CENTRES[0] as string;
    const day = (n: number): Evidence => evidence(`day${n}`, { simhash, createdAt: START + n * DAY });
    expect(finalClaims(runAll([day(0), day(7), day(15), day(16)]))).toMatchObject([
      { claimId: 'day0', posts: 2 },
      { claimId: 'day15', posts: 2 },
    ]);
  });

  it('says that it is not scored while the answer is pending', () => {
    const simhash = CENTRES[0] as string;
    const [claim] = finalClaims(runAll([evidence('a', { simhash }), evidence('b', { simhash })]));
    expect(claim).toMatchObject({
      rumour: { status: 'not_scored', probability: null, decision: 'unsure', evidence: ['pending'] },
    });
  });
});

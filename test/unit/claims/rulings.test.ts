import { describe, expect, it } from 'vitest';
import type { Claim } from '../../../src/event/records.ts';
import {
  evidence,
  finalClaims,
  type Input,
  type Run,
  ruling,
  runAll,
  START,
  slice,
  startRun,
} from './evidence.ts';

const X = '0f0f0f0f0f0f0f0f';
const Y = 'f0c3a5961e2d4b78';
const PICTURE = { hash: '5555aaaa3333cccc', flipped: '5555aaaa3333cccc' };
const a = evidence('a', { simhash: X });
const b = evidence('b', { simhash: X, createdAt: START + 1 });
const c = evidence('c', { simhash: Y, createdAt: START + 2 });
const d = evidence('d', { simhash: Y, createdAt: START + 3 });

const rulingsOf = (run: Run): (string | undefined)[] =>
  (finalClaims(run) as Claim[]).map(({ ruling: mark }) => mark?.id);

describe('rulings', () => {
  it('are carried by the claim that holds the named post, and told with the posts that they cover', () => {
    const run = runAll([a, b, ruling('r', { claimId: 'a', by: 'lead', at: START + 9 })]);
    expect(finalClaims(run)).toMatchObject([
      { claimId: 'a', ruling: { id: 'r', ruling: 'false', by: 'lead', at: START + 9 } },
    ]);
    expect(run.feedback).toMatchObject([
      { rulingId: 'r', claimId: 'a', postIds: ['a', 'b'], task: 'rumour' },
    ]);
  });

  it('make a claim of a single post', () => {
    expect(finalClaims(runAll([a, c, ruling('r', { postId: 'a' })]))).toMatchObject([
      { claimId: 'a', posts: 1, ruling: { id: 'r' } },
    ]);
  });

  it('follow an id that is only an alias now', () => {
    const run = runAll(
      [b, evidence('z', { simhash: X, createdAt: START + 9 }), a, ruling('r', { claimId: 'b' })],
      1,
    );
    expect(finalClaims(run)).toMatchObject([{ claimId: 'a', posts: 3, ruling: { id: 'r' } }]);
  });

  it('are both kept when claims merge; the later one holds, and the earlier again when that is taken back', () => {
    const tie = [a, c].map((post) => ({ ...post, revision: 2, perceptualHashes: [PICTURE] }));
    const run = runAll([
      a,
      b,
      c,
      d,
      ruling('late', { claimId: 'a', ruling: 'true', at: START + 20 }),
      ruling('early', { claimId: 'c', ruling: 'false', at: START + 10 }),
    ]);
    expect(rulingsOf(run)).toEqual(['late', 'early']);
    slice(run, tie);
    expect(finalClaims(run)).toMatchObject([
      { claimId: 'a', posts: 4, ruling: { id: 'late', ruling: 'true' } },
    ]);
    slice(run, [ruling('undo', { undoes: 'late', at: START + 30 })]);
    expect(rulingsOf(run)).toEqual(['early']);
    expect(run.feedback.at(-1)).toMatchObject({
      rulingId: 'undo',
      undoes: 'late',
      postIds: ['a', 'b', 'c', 'd'],
    });
    slice(run, [ruling('redo', { undoes: 'undo', at: START + 40 })]);
    expect(rulingsOf(run)).toEqual(['late']);
  });

  it('of one moment are ordered by id', () => {
    const both: Input[] = [ruling('r2', { postId: 'a', ruling: 'true' }), ruling('r1', { postId: 'b' })];
    expect(rulingsOf(runAll([a, b, ...both]))).toEqual(['r2']);
    expect(rulingsOf(runAll([...both.reverse(), a, b]))).toEqual(['r2']);
  });

  it('wait for their post, and take-backs for their ruling', () => {
    const run = runAll([
      ruling('undo', { undoes: 'r2', at: START + 9 }),
      ruling('r2', { postId: 'a', ruling: 'true', at: START + 8 }),
      ruling('r1', { postId: 'a', ruling: 'unclear', at: START + 7 }),
    ]);
    expect(run.feedback).toEqual([]);
    slice(run, [b, a]);
    expect(rulingsOf(run)).toEqual(['r1']);
    expect(run.feedback.map(({ rulingId }) => rulingId).sort()).toEqual(['r1', 'r2', 'undo']);
  });

  it('come once: a repeated id says nothing new', () => {
    const run = runAll([a, b, ruling('r', { postId: 'a' }), ruling('r', { postId: 'a', ruling: 'true' })]);
    expect(finalClaims(run)).toMatchObject([{ ruling: { ruling: 'false' } }]);
    expect(run.feedback).toHaveLength(1);
    expect(run.index.ledger()).toMatchObject({ rulings: 1, known: 1 });
  });

  it('cannot be taken back by what is earlier, nor by rings of take-backs', () => {
    expect(
      rulingsOf(
        runAll([
          a,
          b,
          ruling('r', { postId: 'a', at: START + 5 }),
          ruling('before', { undoes: 'r', at: START + 4 }),
          ruling('u', { undoes: 'v', at: START + 6 }),
          ruling('v', { undoes: 'u', at: START + 7 }),
        ]),
      ),
    ).toEqual(['r']);
  });

  it('on information cover the named post alone and leave the claim without a mark', () => {
    const run = runAll([a, b, ruling('r', { postId: 'b', task: 'informative', ruling: 'not_informative' })]);
    expect(run.feedback).toMatchObject([{ postIds: ['b'], task: 'informative' }]);
    expect(rulingsOf(run)).toEqual([undefined]);
  });

  it('of other collections do not reach a post of the same id', () => {
    expect(rulingsOf(runAll([a, b, ruling('r', { collection: 'quake', postId: 'a' })]))).toEqual([undefined]);
  });

  it('that wait in too great numbers are let go, oldest first', () => {
    const run = startRun({ maxWaiting: 2 });
    slice(
      run,
      [1, 2, 3].map((i) => ruling(`r${i}`, { postId: `p${i}` })),
    );
    expect([...run.state.keys()].filter((entry) => entry.startsWith('ruling/'))).toHaveLength(2);
    slice(
      run,
      [1, 2, 3].map((i) => evidence(`p${i}`)),
    );
    expect(rulingsOf(run)).toEqual(['r2', 'r3']);
  });
});

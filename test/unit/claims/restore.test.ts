import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Limits } from '../../../src/claims/memory.ts';
import {
  DAY,
  evidence,
  hashWith,
  type Input,
  MINUTE,
  requestIdOf,
  ruling,
  runAll,
  START,
  score,
  slice,
  startRun,
  stateText,
} from './evidence.ts';

/** So small that claims are let go all the time, by silence … */
const SILENT: Limits = {
  silentMs: DAY,
  keepRecords: 6,
  maxPosts: 1_000,
  sweepEvery: 2,
  sweepPosts: 3,
  maxWaiting: 2,
};
/** … or because there are too many. */
const SMALL: Limits = {
  silentMs: DAY,
  keepRecords: 10,
  maxPosts: 12,
  sweepEvery: 4,
  sweepPosts: 5,
  maxWaiting: 2,
};

const hash = fc
  .tuple(fc.constantFrom('0f0f0f0f0f0f0f0f', 'f0c3a5961e2d4b78', '00ff00ff3c3c5555'), fc.nat(5))
  .map(([base, bit]) => hashWith(base, [bit]));
const input: fc.Arbitrary<Input> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .record({
        id: fc.nat(60),
        revision: fc.integer({ min: 1, max: 2 }),
        simhash: fc.oneof(fc.constant(''), hash),
        pictures: fc.array(hash, { maxLength: 2 }),
        collection: fc.constantFrom('flood', 'flood', 'flood', 'quake'),
        jitter: fc.nat(600),
      })
      .map(({ id, revision, simhash, pictures, collection, jitter }) =>
        evidence(`p${id}`, {
          revision,
          simhash,
          collection,
          createdAt: START + jitter * MINUTE,
          authorHash: String(id % 7).repeat(32),
          perceptualHashes: pictures.map((p) => ({ hash: p, flipped: hashWith(p, [50, 51, 52]) })),
          storeKeys: pictures,
        }),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ id: fc.nat(9), post: fc.nat(60), undoes: fc.option(fc.nat(9)), at: fc.nat(20) })
      .map(({ id, post, undoes, at }) =>
        ruling(`r${id}`, {
          postId: `p${post}`,
          undoes: undoes === null ? null : `r${undoes}`,
          at: START + at,
        }),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ post: fc.nat(60), probability: fc.option(fc.double({ min: 0, max: 1, noNaN: true })) })
      .map(({ post, probability }) => score(requestIdOf(`text of p${post}`), probability)),
  },
);

/** Three hours from each to the next, more or less. */
const inTime = (inputs: readonly Input[]): Input[] =>
  inputs.map((one, i) =>
    one.kind === 'Evidence' ? { ...one, createdAt: one.createdAt + i * 180 * MINUTE } : one,
  );

describe('the claim index, restored', () => {
  for (const [name, limits] of [
    ['with room for everything', {}],
    ['while silent claims are let go', SILENT],
    ['while posts are let go for want of room', SMALL],
  ] as const)
    it(`tells and remembers what the uninterrupted one does, ${name}`, () => {
      fc.assert(
        fc.property(
          fc.array(input, { minLength: 1, maxLength: 100, size: 'max' }).map(inTime),
          fc.integer({ min: 1, max: 7 }),
          fc.uniqueArray(fc.nat(40), { maxLength: 4 }),
          (inputs, sliceRecords, restarts) => {
            const whole = runAll(inputs, sliceRecords, limits);
            let run = startRun(limits);
            const told = [];
            for (let i = 0, k = 0; i < inputs.length; i += sliceRecords, k += 1) {
              if (restarts.includes(k)) run = startRun(limits, run.state);
              told.push(slice(run, inputs.slice(i, i + sliceRecords)));
            }
            expect(stateText(run)).toEqual(stateText(whole));
            expect(told.flatMap((s) => s.claims.map(({ record }) => record))).toEqual(whole.told);
            expect(told.flatMap((s) => s.alerts.map(({ record }) => record))).toEqual(whole.alerts);
            expect(told.flatMap((s) => s.feedback.map(({ record }) => record))).toEqual(whole.feedback);
            expect(told.flatMap((s) => s.rumours.map(({ record }) => record))).toEqual(whole.rumours);
            expect(told.flatMap((s) => s.requests.map(({ record }) => record))).toEqual(whole.requests);
          },
        ),
        { numRuns: 100 },
      );
    });

  it('keeps an alert firing over a restart and resolves it afterwards', () => {
    const hot = Array.from({ length: 12 }, (_, i) =>
      evidence(`hot${i}`, { simhash: '0f0f0f0f0f0f0f0f', createdAt: START + i * 1_000 }),
    );
    const before = startRun();
    slice(before, hot);
    const after = startRun({}, before.state);
    slice(after, [evidence('later', { createdAt: START + 30 * MINUTE })]);
    expect(before.alerts.map(({ state }) => state)).toEqual(['firing']);
    expect(after.alerts).toMatchObject([{ state: 'resolved', id: before.alerts[0]?.id }]);
  });

  it('passes over entries of kinds that it does not know', () => {
    const run = startRun({}, new Map([['tomorrow/1', new TextEncoder().encode('{}')]]));
    expect(run.index.ledger().received).toBe(0);
  });
});

describe('letting go', () => {
  const simhash = '0f0f0f0f0f0f0f0f';

  it('forgets claims silent for long, their rulings and their state, and begins anew', () => {
    const run = startRun({ ...SMALL, maxPosts: 1_000, sweepEvery: 1 });
    slice(run, [evidence('a', { simhash }), evidence('b', { simhash }), ruling('r', { postId: 'a' })]);
    const filler = Array.from({ length: 30 }, (_, i) => evidence(`f${i}`, { createdAt: START + 3 * DAY }));
    slice(run, filler);
    expect(run.index.ledger().letGo).toBe(2);
    expect([...run.state.keys()].filter((entry) => /^(claim|ruling)\//.test(entry))).toEqual([]);
    // A post and its pending request each, the collection and the ledger.
    expect(run.state.size).toBe(2 * filler.length + 2);
  });

  it('leaves nothing behind of claims that were merged', () => {
    const run = startRun({ ...SMALL, maxPosts: 1_000, sweepEvery: 1 });
    const tie = { perceptualHashes: [{ hash: '00ff00ff3c3c5555', flipped: '00ff00ff3c3c5555' }] };
    const other = 'f0c3a5961e2d4b78';
    slice(run, [evidence('a', { simhash }), evidence('b', { simhash, ...tie })]);
    slice(run, [evidence('c', { simhash: other }), evidence('d', { simhash: other })]);
    slice(run, [evidence('c', { simhash: other, revision: 2, ...tie })]);
    expect(run.told.filter(({ mergedInto }) => mergedInto === 'a')).toHaveLength(1);
    slice(
      run,
      Array.from({ length: 30 }, (_, i) => evidence(`f${i}`, { createdAt: START + 3 * DAY })),
    );
    expect([...run.state.keys()].filter((entry) => entry.startsWith('claim/'))).toEqual([]);
    expect(run.index.ledger().letGo).toBe(4);
  });

  it('keeps what is silent but came only just now: a replay runs through weeks in seconds', () => {
    const run = startRun({ ...SMALL, maxPosts: 1_000, sweepEvery: 1 });
    slice(run, [evidence('a', { simhash }), evidence('z', { createdAt: START + 30 * DAY })]);
    slice(run, [evidence('b', { simhash, createdAt: START + 1 })]);
    expect(run.told).toMatchObject([{ claimId: 'a', posts: 2 }]);
  });

  it('ends the alert of a claim that it lets go', () => {
    const run = startRun({ ...SILENT, sweepPosts: 100 });
    slice(
      run,
      Array.from({ length: 12 }, (_, i) => evidence(`hot${i}`, { simhash })),
    );
    // Time that moves on by a post of no consequence would resolve it; here it is let go for want of room.
    const full = startRun({ ...SILENT, maxPosts: 5, sweepPosts: 100 }, run.state);
    slice(full, [evidence('x'), evidence('y')]);
    expect(full.alerts).toMatchObject([{ state: 'resolved', id: run.alerts[0]?.id }]);
  });

  it('does not count a post again when a later revision finds it gone', () => {
    const run = startRun({ ...SMALL, maxPosts: 1_000, sweepEvery: 1 });
    slice(run, [evidence('a', { simhash })]);
    slice(
      run,
      Array.from({ length: 30 }, (_, i) => evidence(`f${i}`, { createdAt: START + 3 * DAY })),
    );
    slice(run, [evidence('a', { simhash, revision: 2, storeKeys: ['k'] })]);
    expect(run.index.ledger()).toMatchObject({ late: 1, posts: 31 });
  });

  it('keeps within its cap: posts that are alone go first', () => {
    const run = startRun({ ...SMALL, keepRecords: 1_000 });
    slice(run, [evidence('a', { simhash }), evidence('b', { simhash })]);
    for (let i = 0; i < 100; i += 1) slice(run, [evidence(`f${i}`)]);
    expect([...run.state.keys()].filter((entry) => entry.startsWith('post/')).length).toBeLessThanOrEqual(16);
    slice(run, [evidence('c', { simhash })]);
    expect(run.told.at(-1)).toMatchObject({ claimId: 'a', posts: 3 });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Claim } from '../../../src/event/records.ts';
import {
  DAY,
  evidence,
  finalClaims,
  hashWith,
  type Input,
  MINUTE,
  requestIdOf,
  runAll,
  START,
  score,
  slice,
  startRun,
} from './evidence.ts';

const SIMHASH = '0f0f0f0f0f0f0f0f';

describe('asking for scores', () => {
  it('asks once for a content, however often it is posted', () => {
    const run = startRun();
    const copies = ['a', 'b', 'c'].map((id) =>
      evidence(id, { text: 'the dam has failed', simhash: SIMHASH }),
    );
    slice(run, copies);
    slice(run, [evidence('d', { text: 'the dam has failed', simhash: SIMHASH })]);
    expect(run.requests).toHaveLength(1);
    expect(run.requests[0]).toMatchObject({
      requestId: requestIdOf('the dam has failed'),
      text: 'the dam has failed',
      askedAt: START,
    });
  });

  it('asks again when pictures make it another content, and forgets the one that nobody has any more', () => {
    const run = startRun();
    slice(run, [evidence('a', { text: 'look' })]);
    slice(run, [evidence('a', { text: 'look', revision: 2, storeKeys: ['k2', 'k1'] })]);
    expect(run.requests.map(({ storeKeys }) => storeKeys)).toEqual([[], ['k1', 'k2']]);
    const late = run.index.score(score(requestIdOf('look'), 0.9), { traceparent: null, replayId: null });
    expect(late).toBe('late');
    expect([...run.state.keys()].filter((entry) => entry.startsWith('score/'))).toEqual([
      `score/${requestIdOf('look', ['k1', 'k2'])}`,
    ]);
  });

  it('asks for what spreads and informs first, and never for more than it has room for', () => {
    const run = startRun();
    const alone = Array.from({ length: 300 }, (_, i) => evidence(`alone${i}`));
    slice(run, alone);
    expect(run.requests).toHaveLength(256);
    slice(run, [
      evidence('dull', { text: 'dull' }),
      evidence('informing', { text: 'informing', informative: 0.9 }),
      evidence('spreads1', { text: 'spreading', simhash: SIMHASH }),
      evidence('spreads2', { text: 'spreading indeed', simhash: hashWith(SIMHASH, [3]), informative: 0.9 }),
    ]);
    expect(run.requests).toHaveLength(256);
    const asked = run.requests.length;
    slice(
      run,
      run.requests.slice(0, 3).map(({ requestId }) => score(requestId, 0.5)),
    );
    expect(run.requests.slice(asked).map(({ text }) => text)).toEqual([
      'spreading indeed',
      'spreading',
      'informing',
    ]);
  });

  it('asks again after a day without an answer', () => {
    const run = startRun();
    slice(run, [evidence('a', { text: 'x' })], START);
    slice(run, [evidence('b', { text: 'y' })], START + DAY - 1);
    slice(run, [evidence('c', { text: 'z' })], START + DAY);
    expect(run.requests.map(({ text, askedAt }) => [text, askedAt - START])).toEqual([
      ['x', 0],
      ['y', DAY - 1],
      ['z', DAY],
      ['x', DAY],
    ]);
  });
});

describe('scores', () => {
  const content = (id: string, text: string, bit: number): Input =>
    evidence(id, { text, simhash: hashWith(SIMHASH, [bit]), createdAt: START + bit * MINUTE });

  it('reach every post with the content, and its claim', () => {
    const run = startRun();
    slice(run, [content('a', 'one', 1), content('b', 'one', 1), content('c', 'two', 2)]);
    slice(run, [score(requestIdOf('one'), 0.9)]);
    expect(run.rumours.map(({ postId, own }) => [postId, own.probability, own.decision])).toEqual([
      ['a', 0.9, 'yes'],
      ['b', 0.9, 'yes'],
    ]);
    expect(run.told.at(-1)?.rumour).toMatchObject({
      status: 'scored',
      probability: 0.9,
      decision: 'yes',
      evidence: ['contents:1', 'pending:1'],
      model: { name: 'test' },
    });
    slice(run, [content('d', 'one', 1)]);
    expect(run.rumours.at(-1)).toMatchObject({ postId: 'd', own: { probability: 0.9 }, claimId: 'a' });
  });

  it('say once what the contents were scored by', () => {
    const run = startRun();
    slice(run, [content('a', 'one', 1), content('b', 'two', 2)]);
    slice(run, [score(requestIdOf('one'), 0.9, { evidence: ['from:text', 'from:image', 'text_share:40'] })]);
    slice(run, [score(requestIdOf('two'), 0.8, { evidence: ['from:text'] })]);
    expect(run.told.at(-1)?.rumour.evidence).toEqual(['contents:2', 'from:image', 'from:text']);
  });

  it('say how much of an answer stands on the text, on average over the contents', () => {
    const run = startRun();
    slice(run, [content('a', 'one', 1), content('b', 'two', 2)]);
    slice(run, [score(requestIdOf('one'), 0.9, { byModality: { text: 0.8, image: 0.5 } })]);
    slice(run, [score(requestIdOf('two'), 0.9, { byModality: { text: 0.9, image: null } })]);
    expect(run.told.at(-1)?.rumour).toMatchObject({ decision: 'yes' });
    // 73 and 100.
    expect(run.told.at(-1)?.rumour.evidence).toEqual(['contents:2', 'text_share:87']);
  });

  it.each([
    ['text alone', 0.9, { text: 0.9, image: null }],
    ['an unsure answer', 0.5, { text: 0.8, image: 0.3 }],
  ])('say nothing of a share for %s', (_, probability, byModality) => {
    const run = startRun();
    slice(run, [content('a', 'one', 1), content('b', 'one', 1)]);
    slice(run, [score(requestIdOf('one'), probability, { byModality })]);
    expect(run.told.at(-1)?.rumour.evidence).toEqual(['contents:1']);
  });

  it('count once for a text that is copied, and cancel out where contents disagree', () => {
    const run = startRun();
    slice(run, [
      content('a', 'one', 1),
      content('b', 'one', 1),
      content('c', 'one', 1),
      content('d', 'two', 2),
    ]);
    slice(run, [score(requestIdOf('one'), 0.9), score(requestIdOf('two'), 0.1)]);
    expect(run.told.at(-1)?.rumour).toMatchObject({ probability: 0.5, decision: 'unsure' });
  });

  it('that failed leave the claim unscored, with the reason', () => {
    const run = startRun();
    slice(run, [content('a', 'one', 1), content('b', 'one', 1)]);
    slice(run, [score(requestIdOf('one'), null, { evidence: ['bad_request'] })]);
    expect(run.told.at(-1)?.rumour).toMatchObject({ status: 'not_scored', decision: 'unsure' });
    expect(run.rumours[0]?.own).toMatchObject({ status: 'not_scored', evidence: ['bad_request'] });
  });

  it('are taken once, and only for what was asked', () => {
    const run = startRun();
    slice(run, [content('a', 'one', 1), content('b', 'one', 1)]);
    slice(run, [score(requestIdOf('one'), 0.9), score(requestIdOf('one'), 0.1), score('f'.repeat(32), 0.9)]);
    expect(run.index.ledger()).toMatchObject({ received: 5, posts: 2, scores: 1, known: 1, late: 1 });
    expect((run.told.at(-1) as Claim).rumour.probability).toBe(0.9);
  });

  it('give the same claims in whatever order posts and answers come', () => {
    const posts = Array.from({ length: 12 }, (_, i) => content(`p${i}`, `text ${i % 5}`, i % 4));
    const answers = Array.from({ length: 5 }, (_, i) => score(requestIdOf(`text ${i}`), (i + 1) / 7));
    /** Nobody answers what was not asked: the first answer comes after the slice with the last post. */
    const inSlices = (order: readonly Input[], replies: readonly Input[], size: number): object[] => {
      const run = runAll(order, size);
      for (let i = 0; i < replies.length; i += size) slice(run, replies.slice(i, i + size));
      return finalClaims(run);
    };
    const wanted = inSlices(posts, answers, 4);
    expect(wanted).toHaveLength(1);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(posts, { minLength: posts.length }),
        fc.shuffledSubarray(answers, { minLength: answers.length }),
        fc.integer({ min: 1, max: 6 }),
        (order, replies, size) => {
          expect(inSlices(order, replies, size)).toEqual(wanted);
        },
      ),
      { numRuns: 50 },
    );
  });
});

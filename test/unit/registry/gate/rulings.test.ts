/** What counts as people's word on an answer. */
import { expect, it } from 'vitest';
import type { Feedback } from '../../../../src/event/records.ts';
import { createRulings } from '../../../../src/registry/gate/rulings.ts';
import { feedback } from '../../../support/feedback.ts';

/** Heard of the champion, after it said yes of `a` and `b`, no of `c`, and was unsure of `d`. */
function heard(...rulings: readonly Feedback[]) {
  const known = createRulings(10);
  const decisions = { a: 'yes', b: 'yes', c: 'no', d: 'unsure' } as const;
  for (const [id, decision] of Object.entries(decisions)) known.answered(id, 'champion', decision);
  for (const ruling of rulings) known.see(ruling);
  return known.of('champion');
}

it('counts rulings on posts that the model answered, and those that say the contrary', () => {
  expect(heard()).toEqual({ ruled: 0, contrary: 0 });
  expect(heard(...['a', 'c', 'd', 'unknown'].map((id) => feedback(id)))).toEqual({ ruled: 2, contrary: 1 });
  expect(heard(feedback('a', { task: 'rumour', ruling: 'false' }))).toEqual({ ruled: 0, contrary: 0 });
  expect(heard(feedback('a', { postIds: ['a', 'b', 'c'], ruling: 'not_informative' }))).toEqual({
    ruled: 3,
    contrary: 2,
  });
});

it('takes the last word on a post, whatever came first', () => {
  const [first, second] = [
    feedback('a', { rulingId: '1', ruling: 'not_informative', at: 1 }),
    feedback('a', { rulingId: '2', ruling: 'informative', at: 2 }),
  ];
  for (const order of [
    [first, second],
    [second, first],
  ])
    expect(heard(...order)).toEqual({ ruled: 1, contrary: 0 });
});

it('forgets a ruling that was taken back, and knows it again when that is taken back', () => {
  const wrong = feedback('a', { rulingId: '1', ruling: 'not_informative', at: 1 });
  const back = feedback('a', { rulingId: '2', ruling: 'not_informative', at: 2, undoes: '1' });
  const again = feedback('a', { rulingId: '3', ruling: 'not_informative', at: 3, undoes: '2' });
  expect(heard(wrong, back)).toEqual({ ruled: 0, contrary: 0 });
  expect(heard(wrong, back, again)).toEqual({ ruled: 1, contrary: 1 });
});

it('tells the two models apart, and takes the newest answer', () => {
  const known = createRulings(10);
  known.answered('a', 'champion', 'no');
  known.answered('a', 'challenger', 'yes');
  known.see(feedback('a'));
  expect([known.of('champion').ruled, known.of('challenger')]).toEqual([0, { ruled: 1, contrary: 0 }]);
  known.answered('a', 'challenger', 'unsure');
  expect(known.of('challenger').ruled).toBe(0);
});

it('remembers the newest posts only', () => {
  const known = createRulings(2);
  for (const id of ['a', 'b', 'c']) {
    known.answered(id, 'champion', 'no');
    known.see(feedback(id));
  }
  expect(known.of('champion')).toEqual({ ruled: 2, contrary: 2 });
});

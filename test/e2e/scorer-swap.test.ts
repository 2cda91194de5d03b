/** Promotions of the rumour model under load on the embedded bus, the short form; twenty of them are in test/full. */
import { expect, it } from 'vitest';
import { swapScorer } from '../support/scorer-swap-suite.ts';

it('promotes the rumour model while it scores: nothing lost or doubled, each score of one model, threads given back', async () => {
  const { faults, threads } = await swapScorer({ bus: 'embedded', promotions: 3, rate: 100 });
  expect(faults).toEqual([]);
  expect(new Set(threads).size, String(threads)).toBe(1);
});

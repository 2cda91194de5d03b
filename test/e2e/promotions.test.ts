/** Promotions under load on the embedded bus, the short form; twenty of them are in test/full. */
import { expect, it } from 'vitest';
import { promoteUnderLoad } from '../support/promotion-suite.ts';

it('promotes three times under load: nothing lost or doubled, every label of one state, threads given back', async () => {
  const figures = await promoteUnderLoad({
    bus: 'embedded',
    promotions: 3,
    rate: 100,
    everyMs: 1_500,
    calm: 1,
    missing: true,
  });
  expect(figures.faults).toEqual([]);
  const { threads } = figures.before;
  expect(figures.swaps.map((swap) => swap.threads)).toEqual([threads, threads, threads]);
});

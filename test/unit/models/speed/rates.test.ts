/** Rates by a clock moved by hand: turns alternate, a slow step still counts, medians lie in the middle. */
import { expect, it } from 'vitest';
import { spread, takeTurns } from '../../../../src/models/speed/rates.ts';
import { createManualClock } from '../../../support/manual-clock.ts';

it('gives samples per second of each turn, contenders in turns', async () => {
  const clock = createManualClock();
  const order: string[] = [];
  const contender = (name: string, samples: number, ms: number) => ({
    samples,
    step: () => {
      order.push(name);
      clock.advance(ms);
    },
  });
  const rates = await takeTurns([contender('a', 32, 100), contender('b', 1, 2_000)], 3, 0.5, clock);
  expect(rates).toEqual([
    [320, 320, 320],
    [0.5, 0.5, 0.5],
  ]);
  const measured = order.slice(6).join(''); // without the warm-up
  expect(measured).toBe('aaaaab'.repeat(3));
});

it('says the middle and the ends', () => {
  expect(spread([3, 1, 2])).toEqual({ median: 2, low: 1, high: 3 });
  expect(spread([4, 1, 2, 3])).toEqual({ median: 2.5, low: 1, high: 4 });
  expect(spread([0.123456])).toEqual({ median: 0.123, low: 0.123, high: 0.123 });
});

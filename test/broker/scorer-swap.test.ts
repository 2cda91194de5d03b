/** Promotions of the rumour model under load on Kafka, the short form; twenty of them are in test/full. */
import { expect, inject, it } from 'vitest';
import { swapScorer } from '../support/scorer-swap-suite.ts';

it('promotes the rumour model while it scores, past a promotion that was missed', async () => {
  const brokers = inject('kafkaBrokers');
  const { faults, threads } = await swapScorer({ bus: 'kafka', brokers, promotions: 2, rate: 50 });
  expect(faults).toEqual([]);
  expect(new Set(threads).size, String(threads)).toBe(1);
});

/** Twenty promotions of the rumour model under load, on both buses. */
import { expect, inject, it } from 'vitest';
import { swapScorer } from '../support/scorer-swap-suite.ts';

it.each(['embedded', 'kafka'] as const)('promotes the rumour model twenty times (%s)', async (bus) => {
  const figures = await swapScorer({
    bus,
    ...(bus === 'kafka' ? { brokers: inject('kafkaBrokers') } : {}),
    promotions: 20,
    rate: 100,
  });
  console.log(JSON.stringify(figures));
  expect(figures.faults).toEqual([]);
  expect(new Set(figures.threads).size, String(figures.threads)).toBe(1);
});

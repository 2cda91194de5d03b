/** Twenty promotions under 300 posts a second, on both buses. */
import { expect, inject, it } from 'vitest';
import { promoteUnderLoad } from '../support/promotion-suite.ts';

it.each(['embedded', 'kafka'] as const)('promotes twenty times under 300 posts/s (%s)', async (bus) => {
  const figures = await promoteUnderLoad({
    bus,
    ...(bus === 'kafka' ? { brokers: inject('kafkaBrokers') } : {}),
    promotions: 20,
    rate: 300,
    everyMs: 3_000,
    calm: 5,
    missing: true,
  });
  console.log(JSON.stringify(figures));
  expect(figures).toMatchObject({ faults: [], lost: 0, doubled: 0 });
});

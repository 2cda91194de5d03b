/** Promotions under load on Kafka, the short form; twenty of them are in test/full. */
import { expect, inject, it } from 'vitest';
import { promoteUnderLoad } from '../support/promotion-suite.ts';

it('promotes twice under load, past a worker that was stopped: nothing lost or doubled, no label below the fence', async () => {
  const figures = await promoteUnderLoad({
    bus: 'kafka',
    brokers: inject('kafkaBrokers'),
    promotions: 2,
    rate: 100,
    everyMs: 1_500,
    calm: 1,
    missing: true,
  });
  expect(figures).toMatchObject({ faults: [], lost: 0, doubled: 0 });
});

/** The short form; `npm run test:full` kills ten times as often (test/full/kill-workers.test.ts). */
import { expect, inject, it } from 'vitest';
import { killAtRandom } from '../support/kill-suite.ts';

it('loses and doubles nothing when label, claim and media workers are killed under load', async () => {
  const figures = await killAtRandom({
    brokers: inject('kafkaBrokers'),
    posts: 6_000,
    kills: { label: 2, claims: 1, media: 1 },
    proveOpenTransactions: false,
    seed: 3,
  });
  expect(figures).toMatchObject({ lost: 0, doubled: 0, kills: 4 });
});

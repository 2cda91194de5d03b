/** Thirty kills in 20,000 posts. With 0 failures in 10 kills of a service, its true rate is below 30 % (95 %, rule of three). */
import { expect, inject, it } from 'vitest';
import { killAtRandom } from '../support/kill-suite.ts';

it('loses and doubles nothing of 20,000 posts when each worker is killed ten times', async () => {
  const figures = await killAtRandom({
    brokers: inject('kafkaBrokers'),
    posts: 20_000,
    kills: { label: 10, claims: 10, media: 10 },
    proveOpenTransactions: true,
    seed: 5,
  });
  console.log(JSON.stringify(figures));
  expect(figures).toMatchObject({ lost: 0, doubled: 0, kills: 30 });
});

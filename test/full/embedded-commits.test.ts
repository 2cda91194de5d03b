/** The short form is in test/unit/bus/embedded/store.test.ts. */
import { expect, it } from 'vitest';
import { killCommitters } from '../support/commit-suite.ts';

it('loses and damages no commit while 300 processes open the store and are killed', async () => {
  const { faults, commits } = await killCommitters(4, 300);
  expect(faults).toEqual([]);
  expect(commits).toBeGreaterThan(4_000);
});

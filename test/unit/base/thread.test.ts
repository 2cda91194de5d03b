/** Threads start from TypeScript sources, with the data they are given. */
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { startThread } from '../../../src/base/thread.ts';

it('runs a TypeScript module of ours in a thread', async () => {
  const thread = startThread(import.meta.url, '../../support/echo-child', { workerData: { said: 'flood' } });
  const [answer] = (await once(thread, 'message')) as [string];
  expect(answer).toBe('flood');
  await thread.terminate();
});

it('reports a module that does not exist as an error of the thread', async () => {
  const thread = startThread(import.meta.url, './no-such-module', {});
  const [error] = (await once(thread, 'error')) as [Error];
  expect(error.message).toContain('no-such-module');
});

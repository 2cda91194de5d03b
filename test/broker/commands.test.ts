/** `tocsin kafka` and `tocsin topics` as a person runs them. */
import { afterAll, expect, inject, it } from 'vitest';
import { freePort } from '../../src/bus/kafka/broker/launch.ts';
import { loadTopics } from '../../src/bus/topics.ts';
import '../support/broker-setup.ts';
import { temporaryFolder, tocsin, tocsinOk } from '../support/tocsin.ts';

const folder = temporaryFolder();

afterAll(async () => {
  await tocsin(['kafka', 'stop', '--data', folder.path]);
  folder.remove();
});

it('plans, makes and lists topics, and marks the environment once', async () => {
  const flags = [
    '--bus',
    'kafka',
    '--brokers',
    inject('kafkaBrokers'),
    '--environment',
    `cmd-${process.pid}`,
    '--log',
    'error',
  ];
  const count = loadTopics().length;
  expect(await tocsinOk(['topics', 'plan', ...flags])).toContain(`${count} to create`);
  const unasked = await tocsin(['topics', 'apply', ...flags]);
  expect([unasked.code, unasked.stdout.includes('add --yes')]).toEqual([2, true]);
  expect(await tocsinOk(['topics', 'plan', ...flags])).toContain(`${count} to create`);
  expect(await tocsinOk(['topics', 'apply', '--yes', ...flags])).toContain('marked not live');
  expect(await tocsinOk(['topics', 'plan', ...flags])).toContain(
    `0 to create, 0 to change, ${count} as they should be`,
  );
  const list = await tocsinOk(['topics', 'list', ...flags]);
  for (const { name } of loadTopics()) expect(list).toContain(name);
  const turned = await tocsin(['topics', 'apply', '--yes', '--live', ...flags]);
  expect([turned.code, turned.stderr.includes('was made not live and stays so')]).toEqual([2, true]);
});

it('says within seconds that no broker answers', async () => {
  const port = await freePort();
  const { code, stderr } = await tocsin([
    'topics',
    'list',
    '--bus',
    'kafka',
    '--brokers',
    `127.0.0.1:${port}`,
  ]);
  expect([code, stderr.includes(`127.0.0.1:${port}`)]).toEqual([4, true]);
});

it('starts a broker, finds it again, keeps its topics over a restart, and stops it', async () => {
  const data = ['--data', folder.path, '--log', 'error'];
  expect((await tocsin(['kafka', 'status', ...data])).code).toBe(3);
  const port = await freePort();
  const started = await tocsinOk(['kafka', 'start', '--port', String(port), ...data]);
  expect(started).toContain(`export KAFKA_BROKERS=127.0.0.1:${port}`);
  expect(await tocsinOk(['kafka', 'start', ...data])).toBe(started);
  const bus = ['--bus', 'kafka', '--brokers', `127.0.0.1:${port}`, '--log', 'error'];
  await tocsinOk(['topics', 'apply', '--yes', ...bus]);
  expect(await tocsinOk(['kafka', 'stop', ...data])).toContain('stopped');
  expect((await tocsin(['kafka', 'status', ...data])).code).toBe(3);
  await tocsinOk(['kafka', 'start', '--port', String(port), ...data]);
  expect(await tocsinOk(['topics', 'list', ...bus])).toContain('crisis.events.v1');
});

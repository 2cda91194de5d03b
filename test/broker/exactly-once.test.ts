/**
 * Exactly once under kills, zombies and overlapping aborts. Kafka's own Java console consumer is the judge.
 * The long form, with more kills and random moments, is in test/full.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openKafkaBus } from '../../src/bus/kafka/bus.ts';
import { inner } from '../../src/bus/kafka/internals.ts';
import type { Probe } from '../../src/bus/kafka/transaction.ts';
import type { Bus } from '../../src/bus/port.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import { caughtUp, copying, countedBy, numbered, readAll, text } from '../contract/bus/support.ts';
import { readWithJava } from '../support/broker.ts';
import type { CopyOrder } from '../support/copy-child.ts';
import '../support/broker-setup.ts';
import { until } from '../support/until.ts';

const CHILD = fileURLToPath(new URL('../support/copy-child.ts', import.meta.url));
const SESSION_TIMEOUT_MS = 2_000;
const environment = `eos-${process.pid}`;
const brokers = inject('kafkaBrokers').split(',');
let bus: Bus;
const children = new Set<ChildProcess>();

interface Child {
  readonly process: ChildProcess;
  readonly said: () => string;
}

function startCopy(order: Pick<CopyOrder, 'group' | 'input' | 'output' | 'strike'>): Child {
  const full: CopyOrder = {
    ...order,
    brokers,
    environment,
    sliceRecords: 40,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
  };
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, JSON.stringify(full)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.add(child);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  return { process: child, said: () => said };
}

async function end(child: Child): Promise<void> {
  if (child.process.exitCode === null && child.process.signalCode === null) {
    const gone = once(child.process, 'exit');
    child.process.kill('SIGKILL');
    await gone;
  }
  children.delete(child.process);
}

async function topics(): Promise<{ group: string; input: string; output: string }> {
  const id = Math.floor(performance.now());
  const names = { group: `copy${id}`, input: `in${id}`, output: `out${id}` };
  const spec = { partitions: 3, retentionMs: null, cleanup: 'delete' as const };
  await bus.admin.createTopics([
    { name: names.input, ...spec },
    { name: names.output, ...spec },
  ]);
  return names;
}

const javaKeys = async (topic: string, isolation: 'read_committed' | 'read_uncommitted'): Promise<string[]> =>
  (await readWithJava({ brokers: brokers.join(','), topic: `${environment}.${topic}`, isolation }))
    .map((record) => `${record.key} ${text(record.value)}`)
    .sort();

beforeAll(async () => {
  bus = await openKafkaBus({
    brokers,
    environment,
    clock: systemClock,
    log: silentLog,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
  });
  await bus.admin.createTopics([
    { name: TOPICS.state, partitions: 6, retentionMs: null, cleanup: 'compact' },
  ]);
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await bus.close();
});

describe('exactly once on Kafka', () => {
  it('loses and doubles nothing when workers are killed inside open transactions', async () => {
    const names = await topics();
    const count = 6_000;
    await bus.produce(numbered(names.input, count));
    const kills: readonly { readonly at: Probe; readonly after: number }[] = [
      { at: 'before-commit', after: 5 },
      { at: 'sent', after: 9 },
      { at: 'committed', after: 7 },
      { at: 'restored', after: 2 },
      { at: 'before-commit', after: 12 },
    ];
    for (const kill of kills) {
      const child = startCopy({ ...names, strike: { ...kill, signal: 'SIGKILL' } });
      await until(
        () => child.process.signalCode === 'SIGKILL',
        () => `the kill at ${kill.at}: ${child.said()}`,
        60_000,
      );
      children.delete(child.process);
    }
    expect(await caughtUp(bus, names.group, names.input)).toBe(false);
    const survivor = startCopy(names);
    await until(
      () => caughtUp(bus, names.group, names.input),
      () => `the rest: ${survivor.said()}`,
      60_000,
    );
    await end(survivor);

    const wanted = numbered(names.output, count)
      .map((record) => `${record.key} ${text(record.value)}`)
      .sort();
    const [committed, uncommitted] = [
      await javaKeys(names.output, 'read_committed'),
      await javaKeys(names.output, 'read_uncommitted'),
    ];
    expect(committed).toEqual(wanted);
    // The proof that kills hit open transactions: what they had written is there, and is not committed.
    expect(uncommitted.length).toBeGreaterThan(committed.length);
    expect((await readAll(bus, names.output)).length).toBe(count);
    expect(await countedBy(bus, names.group, names.input)).toBe(count);
  });

  it('refuses the commit of a worker that was stopped, overtaken and woken again', async () => {
    const names = await topics();
    const count = 1_500;
    await bus.produce(numbered(names.input, count));
    const zombie = startCopy({ ...names, strike: { at: 'before-commit', after: 4, signal: 'SIGSTOP' } });
    await until(
      () => zombie.said().includes('ready') || zombie.process.exitCode !== null,
      'the first worker',
      60_000,
    );
    const heir = startCopy(names);
    await until(
      () => caughtUp(bus, names.group, names.input),
      () => `the heir: ${heir.said()}`,
      60_000,
    );
    zombie.process.kill('SIGCONT');
    await until(
      () => zombie.said().includes('BUS_FENCED'),
      () => `the refusal: ${zombie.said()}`,
      60_000,
    );
    await bus.produce(numbered(names.input, 300, count + 300, count));
    await until(() => caughtUp(bus, names.group, names.input), 'both go on', 60_000);
    await end(zombie);
    await end(heir);
    expect(await javaKeys(names.output, 'read_committed')).toEqual(
      numbered(names.output, count + 300)
        .map((record) => `${record.key} ${text(record.value)}`)
        .sort(),
    );
    expect(await countedBy(bus, names.group, names.input)).toBe(count + 300);
  });

  it('ends a worker whose state and offset do not belong together', async () => {
    const names = await topics();
    await bus.produce(numbered(names.input, 30));
    const first = startCopy(names);
    await until(
      () => caughtUp(bus, names.group, names.input),
      () => `the copy: ${first.said()}`,
      60_000,
    );
    await end(first);
    // What a torn transaction looks like, or an operator's `kafka-consumer-groups --reset-offsets`.
    const admin = new (inner().kafkajs.Kafka)({ brokers, logLevel: 0 }).admin();
    await admin.connect();
    const group = `${environment}.${names.group}`;
    await until(
      async () => (await admin.describeGroups([group])).groups[0]?.members.length === 0,
      'an empty group',
    );
    await admin.setOffsets({
      groupId: group,
      topic: `${environment}.${names.input}`,
      partitions: [{ partition: 0, offset: '1' }],
    });
    await admin.disconnect();
    const consumer = await bus.consume(copying(names.group, names.input, names.output));
    expect(await consumer.ended).toMatchObject({ code: 'BUS_STATE_MISMATCH' });
    expect((await readAll(bus, names.output)).length).toBe(30);
  });

  it('reads what Java reads where aborted transactions of several producers overlap', async () => {
    const { output } = await topics();
    const topic = `${environment}.${output}`;
    const kafka = new (inner().kafkajs.Kafka)({
      brokers,
      logLevel: 0,
      retry: { initialRetryTime: 5, retries: 50 },
    });
    const producers = ['a', 'b', 'c'].map((id) =>
      kafka.producer({
        transactionalId: `${topic}.${id}`,
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
      }),
    );
    await Promise.all(producers.map((producer) => producer.connect()));
    try {
      for (let round = 0; round < 8; round += 1) {
        const open = [];
        for (const producer of producers) open.push(await producer.transaction());
        // Keys of four zero bytes look like an abort marker to a careless reader.
        for (let step = 0; step < 4; step += 1)
          for (const [i, transaction] of open.entries())
            await transaction.send({
              topic,
              messages: [
                { key: step === 1 ? Buffer.alloc(4) : `k${i}`, value: `${round}:${i}:${step}`, partition: 0 },
              ],
            });
        for (const [i, transaction] of [...open.entries()].reverse())
          await ((round >> i) & 1 ? transaction.abort() : transaction.commit());
      }
    } finally {
      await Promise.all(producers.map((producer) => producer.disconnect()));
    }
    const java = await readWithJava({ brokers: brokers.join(','), topic, isolation: 'read_committed' });
    const wanted = java.map((record) => [record.offset, text(record.value)]);
    expect(wanted.length).toBe(4 * 12);
    const ours = await readAll(bus, output, { partitions: [0] });
    expect(ours.map((record) => [Number(record.offset), text(record.value)])).toEqual(wanted);
    // Also from places inside: the broker then tells of transactions that began before.
    for (const last of [1, 5, 17, 30])
      expect(
        (await readAll(bus, output, { partitions: [0], from: { lastRecords: last } })).map((r) =>
          text(r.value),
        ),
      ).toEqual(wanted.slice(-last).map(([, value]) => value));
  });
});

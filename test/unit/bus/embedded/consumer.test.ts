import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { createMembership } from '../../../../src/bus/embedded/group.ts';
import type { Consumption, Transaction } from '../../../../src/bus/port.ts';
import { plainTopic, temporaryBus, temporaryDir, temporaryStore } from '../../../support/embedded.ts';
import { gate, until } from '../../../support/until.ts';

const record = (key: string) => ({ topic: 'in', key, value: new Uint8Array(1), headers: {} });
const watching = (seen: string[]): Consumption => ({
  group: 'g',
  topic: 'in',
  mode: 'exactly-once',
  sliceRecords: 10,
  sliceMs: 5,
  concurrency: 1,
  open: async () => ({
    async process(records) {
      seen.push(...records.map((r) => r.key as string));
    },
  }),
});

describe('consumer', () => {
  it('joins again after it was put out, and goes on where the other member stopped', async () => {
    const dir = temporaryDir();
    const bus = await temporaryBus({ dir });
    await bus.admin.createTopics([plainTopic('in', 2)]);
    const seen: string[] = [];
    const consumer = await bus.consume(watching(seen));
    await until(() => consumer.assigned().length === 2, 'all partitions');
    const store = await temporaryStore(join(dir, 'lab.mdb'));
    // As another member does that has not heard of it for a lease.
    await store.write(() => {
      for (const { key } of store.groups.range(['member'], ['membes'])) store.groups.remove(key);
      store.groups.put(['generation', 'g', 'in'], { number: 99, members: [] });
    });
    const usurper = createMembership(store, 'g', 'in', randomUUID(), {
      clock: systemClock,
      pid: process.pid,
      place: 'here',
    });
    await usurper.beat();
    const claims = [await usurper.acquire(0, false), await usurper.acquire(1, false)];
    expect(claims).not.toContain(null);
    await until(() => consumer.assigned().length === 0, 'it noticed');
    for (const claim of claims) if (claim) await usurper.release(claim);
    await usurper.leave();
    await until(() => consumer.assigned().length === 2, 'it is back');
    await bus.produce([record('a'), record('b'), record('c')]);
    await until(() => seen.length === 3, 'it works again');
    await consumer.close();
    expect(await consumer.ended).toBe(null);
    expect([...seen].sort()).toEqual(['a', 'b', 'c']);
  });

  it('aborts the slice in hand when its partition was taken away', async () => {
    const dir = temporaryDir();
    const bus = await temporaryBus({ dir });
    await bus.admin.createTopics([plainTopic('in')]);
    await bus.produce([record('a')]);
    const signals: AbortSignal[] = [];
    const hold = gate();
    const consumer = await bus.consume({
      ...watching([]),
      open: async () => ({
        async process(_records, _transaction, signal) {
          signals.push(signal);
          await hold.opened;
        },
      }),
    });
    await until(() => signals.length === 1, 'the slice');
    const store = await temporaryStore(join(dir, 'lab.mdb'));
    await store.write(() => store.groups.put(['owner', 'g', 'in', 0], { member: 'another', epoch: 99 }));
    await until(() => signals[0]?.aborted === true, 'the abort');
    expect(await bus.admin.committed('g', 'in')).toEqual([null]);
    hold.open();
    await until(async () => (await bus.admin.committed('g', 'in'))[0] === 1n, 'it takes the partition again');
    await consumer.close();
    expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
  });

  it('does not commit over an offset that was moved under it', async () => {
    const dir = temporaryDir();
    const bus = await temporaryBus({ dir });
    await bus.admin.createTopics([plainTopic('in')]);
    await bus.produce(['a', 'b', 'c'].map(record));
    const slices: string[] = [];
    const hold = gate();
    const consumer = await bus.consume({
      ...watching([]),
      open: async () => ({
        async process(records) {
          slices.push(records.map((r) => r.key).join(''));
          await hold.opened;
        },
      }),
    });
    await until(() => slices.length === 1, 'the slice');
    const store = await temporaryStore(join(dir, 'lab.mdb'));
    await store.write(() => store.offsets.put(['g', 'in', 0], 2));
    hold.open();
    await until(async () => (await bus.admin.committed('g', 'in'))[0] === 3n, 'the rest');
    await consumer.close();
    expect(slices).toEqual(['abc', 'c']);
  });

  it('refuses an unknown topic and a closed bus', async () => {
    const bus = await temporaryBus();
    await bus.admin.createTopics([plainTopic('in')]);
    await expect(bus.consume({ ...watching([]), topic: 'missing' })).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC',
    });
    await bus.close();
    await expect(bus.consume(watching([]))).rejects.toMatchObject({ code: 'BUS_CLOSED' });
  });

  it('takes nothing into a transaction whose slice is over', async () => {
    const bus = await temporaryBus();
    await bus.admin.createTopics([plainTopic('in')]);
    await bus.produce([record('a')]);
    let kept: Transaction | null = null;
    const consumer = await bus.consume({
      ...watching([]),
      open: async () => ({
        async process(_records, transaction) {
          kept = transaction;
        },
      }),
    });
    await until(async () => (await bus.admin.committed('g', 'in'))[0] === 1n, 'the commit');
    await consumer.close();
    const late = kept as unknown as Transaction;
    expect(() => late.send(record('late'))).toThrow(expect.objectContaining({ code: 'BAD_USAGE' }));
    expect(() => late.putState('late', null)).toThrow(expect.objectContaining({ code: 'BAD_USAGE' }));
  });

  it('tries again when a task cannot be opened', async () => {
    const bus = await temporaryBus();
    await bus.admin.createTopics([plainTopic('in')]);
    await bus.produce([record('a')]);
    const seen: string[] = [];
    let refusals = 2;
    const consumer = await bus.consume({
      ...watching(seen),
      async open(partition, restored) {
        if (refusals-- > 0) throw new Error('not yet');
        return watching(seen).open(partition, restored);
      },
    });
    await until(() => seen.length === 1, 'the record');
    await consumer.close();
  });

  it('shows signs of life while it waits and none of others’ work is lost to a slow one', async () => {
    const bus = await temporaryBus();
    await bus.admin.createTopics([plainTopic('in', 2)]);
    const hold = gate();
    const done: number[] = [];
    const consumer = await bus.consume({
      ...watching([]),
      concurrency: 2,
      open: async ({ partition }) => ({
        async process() {
          if (partition === 0) await hold.opened;
          done.push(partition);
        },
      }),
    });
    await bus.produce([
      { ...record('a'), partition: 0 },
      { ...record('b'), partition: 1 },
    ]);
    await until(() => done.includes(1), 'the quick partition');
    expect(done).toEqual([1]);
    await until(() => consumer.idleMs() < 1_000, 'a sign of life');
    hold.open();
    await consumer.close();
    expect(done).toEqual([1, 0]);
  });
});

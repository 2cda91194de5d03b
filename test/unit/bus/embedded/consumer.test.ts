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
    const store = temporaryStore(join(dir, 'lab.mdb'));
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

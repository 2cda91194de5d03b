import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { silentLog } from '../../../../src/base/log.ts';
import { seededRandom } from '../../../../src/base/random.ts';
import { createSemaphore } from '../../../../src/base/semaphore.ts';
import { openEmbeddedBus } from '../../../../src/bus/embedded/bus.ts';
import { createMembership } from '../../../../src/bus/embedded/group.ts';
import { append, encodeBatches, readOn } from '../../../../src/bus/embedded/log.ts';
import { runPartition } from '../../../../src/bus/embedded/slices.ts';
import { createWakeups } from '../../../../src/bus/embedded/wake.ts';
import type { Bus, Consumption, OutgoingRecord } from '../../../../src/bus/port.ts';
import type { ChildOrder } from '../../../support/bus-child.ts';
import {
  makeTopics,
  plainTopic,
  temporaryBus,
  temporaryDir,
  temporaryStore,
} from '../../../support/embedded.ts';
import { gate, until } from '../../../support/until.ts';

const CHILD = fileURLToPath(new URL('../../../support/bus-child.ts', import.meta.url));

const record = (topic: string, key: string, size = 1): OutgoingRecord => ({
  topic,
  key,
  value: new Uint8Array(size),
  headers: {},
});

async function keysIn(bus: Bus, topic: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const batch of bus.read(topic, { from: 'earliest', stopAtEnd: true }))
    keys.push(...batch.map((r) => r.key as string));
  return keys;
}

const copy = (output: string): Consumption => ({
  group: 'g',
  topic: 'in',
  mode: 'exactly-once',
  sliceRecords: 10,
  sliceMs: 5,
  concurrency: 1,
  open: async () => ({
    async process(records, transaction) {
      for (const r of records) transaction.send(record(output, r.key as string));
    },
  }),
});

describe('embedded bus', () => {
  it('keeps environments apart in one folder', async () => {
    const dir = temporaryDir();
    const lab = await temporaryBus({ dir, environment: 'lab' });
    const other = await temporaryBus({ dir, environment: 'other' });
    await lab.admin.createTopics([plainTopic('in')]);
    await lab.produce([record('in', 'k')]);
    expect(await other.admin.topics()).toEqual([]);
    await expect(other.produce([record('in', 'k')])).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
  });

  it('refuses environment names that would leave the folder', async () => {
    for (const environment of ['', '../x', 'a/b', 'A', '.'])
      await expect(temporaryBus({ environment })).rejects.toMatchObject({ code: 'BAD_CONFIG' });
  });

  it('is full at the door but lets what came in be worked off', async () => {
    const bus = await temporaryBus({ maxBytes: 1_000_000 });
    await bus.admin.createTopics([plainTopic('in'), plainTopic('out')]);
    await bus.produce(Array.from({ length: 9 }, (_, i) => record('in', `k${i}`, 100_000)));
    await expect(bus.produce([record('in', 'more', 200_000)])).rejects.toMatchObject({ code: 'BUS_FULL' });
    expect(await keysIn(bus, 'in')).toHaveLength(9);
    const big = copy('out');
    const consumer = await bus.consume({
      ...big,
      open: async () => ({
        async process(records, transaction) {
          for (const r of records) transaction.send(record('out', r.key as string, 100_000));
        },
      }),
    });
    await until(async () => (await keysIn(bus, 'out')).length === 9, 'the outputs');
    await consumer.close();
    await expect(bus.produce([record('in', 'more', 10)])).rejects.toMatchObject({ code: 'BUS_FULL' });
  });

  it('never commits the slice of a partition that was lost meanwhile, and aborts it', async () => {
    const store = await temporaryStore();
    const wakeups = createWakeups(() => store.commits(), systemClock);
    await makeTopics(store, [plainTopic('in'), plainTopic('out')]);
    const batches = encodeBatches(store, [record('in', 'a'), record('in', 'b')], 1);
    await store.write(() => append(store, batches, null));
    const me = { clock: systemClock, pid: process.pid, place: 'here' };
    const [zombie, heir] = ['zombie', 'heir'].map((id) => createMembership(store, 'g', 'in', id, me)) as [
      ReturnType<typeof createMembership>,
      ReturnType<typeof createMembership>,
    ];
    await zombie.beat();
    await heir.beat();
    const claim = await zombie.acquire(0, false);
    if (!claim) throw new Error('no claim');
    const hold = gate();
    let inside = 0;
    let aborted = false;
    let closed = 0;
    const run = runPartition(
      {
        ...copy('out'),
        open: async () => ({
          async process(records, transaction, signal) {
            inside += 1;
            for (const r of records) transaction.send(record('out', r.key as string));
            transaction.putState('x', new Uint8Array(1));
            await hold.opened;
            aborted = signal.aborted;
          },
          close() {
            closed += 1;
          },
        }),
      },
      claim,
      {
        store,
        wakeups,
        clock: systemClock,
        log: silentLog,
        semaphore: createSemaphore(1),
        alive: () => {},
      },
    );
    await until(() => inside === 1, 'the slice');
    await heir.acquire(0, true);
    run.lose();
    hold.open();
    await run.ended;
    store.fresh();
    expect([inside, aborted, closed]).toEqual([1, true, 1]);
    expect(readOn(store, 'out', 0, 0)).toBe(null);
    expect(store.offsets.get(['g', 'in', 0])).toBe(undefined);
    expect(store.state.keys(['g'], ['h'])).toEqual([]);
    wakeups.close();
  });

  it('goes on with a partition after its records expired unread', async () => {
    const dir = temporaryDir();
    const bus = await temporaryBus({ dir });
    await bus.admin.createTopics([plainTopic('in'), plainTopic('out')]);
    await bus.produce([record('in', 'gone')]);
    await bus.admin.seekToTime('g', 'in', 0);
    expect(await bus.admin.committed('g', 'in')).toEqual([0n]);
    const store = await temporaryStore(`${dir}/lab.mdb`);
    await store.write(() => {
      store.chunks.remove(['in', 0, 0]);
      store.notes.remove(['in', 0, 0]);
    });
    expect(await bus.admin.committed('g', 'in')).toEqual([1n]);
    await bus.produce([record('in', 'kept')]);
    const consumer = await bus.consume(copy('out'));
    await until(async () => (await keysIn(bus, 'out')).length === 1, 'the record that is left');
    await consumer.close();
    expect(await keysIn(bus, 'out')).toEqual(['kept']);
    expect(await bus.admin.committed('g', 'in')).toEqual([2n]);
  });

  it('ends what reads and consumes when it is closed', async () => {
    const bus = await openEmbeddedBus({
      dir: temporaryDir(),
      environment: 'lab',
      maxBytes: 1_000_000,
      clock: systemClock,
      log: silentLog,
    });
    await bus.admin.createTopics([plainTopic('in'), plainTopic('out')]);
    const consumer = await bus.consume(copy('out'));
    const reading = (async () => {
      for await (const _ of bus.read('in', { from: 'earliest' }));
      return 'ended';
    })();
    await bus.close();
    expect(await consumer.ended).toBe(null);
    expect(await reading).toBe('ended');
    await bus.close();
  });

  it('loses and doubles nothing while consumers are killed at random', async () => {
    const dir = temporaryDir();
    const bus = await temporaryBus({ dir });
    await bus.admin.createTopics([plainTopic('in', 4), plainTopic('out', 4)]);
    const random = seededRandom(11);
    const total = 6_000;
    let produced = 0;
    const producing = (async () => {
      while (produced < total) {
        await bus.produce(Array.from({ length: 20 }, (_, i) => record('in', `k${produced + i}`)));
        produced += 20;
        await systemClock.sleep(5);
      }
    })();
    const order: ChildOrder = {
      bus: { kind: 'embedded', dir, environment: 'lab', maxBytes: 1_000_000_000 },
      group: 'g',
      topic: 'in',
      output: 'out',
      sliceRecords: 10,
      hangAfter: Number.MAX_SAFE_INTEGER,
    };
    for (let round = 0; round < 4; round += 1) {
      const before = (await keysIn(bus, 'out')).length;
      const child = spawn(process.execPath, ['--import', 'tsx', CHILD, JSON.stringify(order)], {
        stdio: 'ignore',
      });
      const exited = once(child, 'exit');
      await until(async () => (await keysIn(bus, 'out')).length > before, 'the child works');
      await systemClock.sleep(random() * 100);
      child.kill('SIGKILL');
      await exited;
    }
    const survivor = await bus.consume(copy('out'));
    await producing;
    await until(async () => {
      const [ranges, committed] = [await bus.admin.ranges('in'), await bus.admin.committed('g', 'in')];
      return ranges.every((range) => committed[range.partition] === range.high);
    }, 'all is worked off');
    await survivor.close();
    const keys = await keysIn(bus, 'out');
    expect(keys).toHaveLength(total);
    expect(new Set(keys).size).toBe(total);
  });
});

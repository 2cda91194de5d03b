/**
 * The embedded bus: a partitioned log in one LMDB file per environment, shared by the processes of one machine.
 * What it promises and what not is said in store.ts. Everything of a commit (outputs, state, offset) is one LMDB
 * transaction, so both modes of consuming are exactly-once here.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Bus, Consumer } from '../port.ts';
import { createAdmin } from './admin.ts';
import { startConsumer } from './consumer.ts';
import type { Self } from './group.ts';
import { append, encodeBatches } from './log.ts';
import { MAINTENANCE_MS, maintain } from './maintenance.ts';
import { placeOfPids } from './place-of-pids.ts';
import { readTopic } from './reader.ts';
import { createStateView } from './state.ts';
import { markFormat, openStore } from './store.ts';
import { createWakeups } from './wake.ts';

export interface EmbeddedBusOptions {
  /** Folder of the files; made when it is missing. */
  readonly dir: string;
  readonly environment: string;
  /** Cap on the records kept, roughly in bytes on the disk; state comes on top. */
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Throws BUS_UNREACHABLE when the file cannot be opened and BAD_CONFIG when another version wrote it. */
export async function openEmbeddedBus(options: EmbeddedBusOptions): Promise<Bus> {
  const { clock, log, maxBytes } = options;
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(options.environment))
    throw new TocsinError('BAD_CONFIG', `not an environment name: ${options.environment}`);
  const store = await openStore(join(options.dir, `${options.environment}.mdb`), maxBytes, () =>
    wakeups.notify(),
  );
  const wakeups = createWakeups(() => store.commits(), clock);
  await markFormat(store);
  const me: Self = { clock, pid: process.pid, place: placeOfPids() };
  const closing = new AbortController();
  const consumers = new Set<Consumer>();
  const check = (): void => {
    if (closing.signal.aborted) throw new TocsinError('BUS_CLOSED', 'the embedded bus is closed');
  };

  async function keepHouse(): Promise<void> {
    for (;;) {
      await clock.sleep(MAINTENANCE_MS, closing.signal);
      if (closing.signal.aborted) return;
      try {
        await maintain(store, clock, closing.signal);
      } catch (error) {
        log.warn({ err: error }, 'Housekeeping of the embedded bus failed.');
      }
    }
  }
  const house = keepHouse();

  return {
    kind: 'embedded',
    admin: createAdmin(store, me),
    async produce(records) {
      check();
      if (records.length === 0) return;
      store.fresh();
      const batches = encodeBatches(store, records, clock.now());
      await store.write(() => append(store, batches, maxBytes));
    },
    async consume(consumption) {
      check();
      store.fresh();
      const consumer = await startConsumer(consumption, randomUUID(), me, { store, wakeups, clock, log });
      consumers.add(consumer);
      void consumer.ended.then(() => consumers.delete(consumer));
      return consumer;
    },
    read(topic, readOptions) {
      check();
      return readTopic(topic, readOptions, { store, wakeups, closing: closing.signal });
    },
    async watchState(group, topic, filter) {
      check();
      store.fresh();
      return createStateView(store, group, topic, filter, clock);
    },
    async ping() {
      check();
      store.commits();
    },
    async close() {
      if (closing.signal.aborted) return;
      await Promise.all([...consumers].map((consumer) => consumer.close()));
      closing.abort();
      wakeups.close();
      await house;
      await store.close();
    },
  };
}

/** A bus in memory with what the dashboard uses of one; faults can be switched on. */
import { TocsinError } from '../../src/base/errors.ts';
import { partitionOf } from '../../src/base/murmur2.ts';
import type { Bus, OutgoingRecord, ReadOptions, ReceivedRecord, RestoredState } from '../../src/bus/port.ts';

export interface MemoryBus extends Bus {
  readonly records: (topic: string) => readonly ReceivedRecord[];
  /** State of the label worker by partition, as `watchState` shows it. */
  readonly state: Map<number, RestoredState>;
  /** While set, every call fails with it. */
  fault: TocsinError | null;
  /** Ends all reads that are under way with the fault. */
  breakReads(): void;
}

const PARTITIONS = 6;

export function createMemoryBus(now: () => number = () => Date.now()): MemoryBus {
  const logs = new Map<string, ReceivedRecord[][]>();
  const wakers = new Set<() => void>();
  let generation = 0;
  const log = (topic: string): ReceivedRecord[][] => {
    const known = logs.get(topic) ?? Array.from({ length: PARTITIONS }, () => []);
    logs.set(topic, known);
    return known;
  };
  const wake = (): void => {
    for (const waker of [...wakers]) waker();
  };
  const check = (): void => {
    if (bus.fault) throw bus.fault;
  };

  const startOf = (records: readonly ReceivedRecord[], from: ReadOptions['from']): number => {
    if (from === 'earliest') return 0;
    if (from === 'latest') return records.length;
    if ('lastRecords' in from) return Math.max(0, records.length - from.lastRecords);
    const at = records.findIndex((record) => record.timestamp >= from.timestamp);
    return at < 0 ? records.length : at;
  };

  async function* read(topic: string, options: ReadOptions): AsyncIterable<readonly ReceivedRecord[]> {
    check();
    const mine = generation;
    const partitions = log(topic).map((records, partition) => ({
      records,
      next: startOf(records, options.from),
      end: records.length,
      wanted: options.partitions?.includes(partition) ?? true,
    }));
    while (!options.signal?.aborted) {
      if (generation !== mine) throw bus.fault ?? new TocsinError('BUS_UNREACHABLE', 'broken by the test');
      let got = false;
      for (const place of partitions) {
        const end = options.stopAtEnd ? place.end : place.records.length;
        if (!place.wanted || place.next >= end) continue;
        const batch = place.records.slice(place.next, end);
        place.next = end;
        got = true;
        yield batch;
      }
      if (got) continue;
      if (options.stopAtEnd) return;
      await new Promise<void>((resolve) => {
        const waker = (): void => {
          wakers.delete(waker);
          options.signal?.removeEventListener('abort', waker);
          resolve();
        };
        wakers.add(waker);
        options.signal?.addEventListener('abort', waker, { once: true });
      });
    }
  }

  const bus: MemoryBus = {
    kind: 'embedded',
    fault: null,
    state: new Map(),
    records: (topic) => log(topic).flat(),
    breakReads() {
      generation += 1;
      wake();
    },
    async produce(records: readonly OutgoingRecord[]) {
      check();
      for (const { topic, key, value, headers, partition, timestamp } of records) {
        const at = partition ?? partitionOf(key, PARTITIONS);
        const list = log(topic)[at] as ReceivedRecord[];
        list.push({
          topic,
          partition: at,
          offset: BigInt(list.length),
          key,
          value,
          headers,
          timestamp: timestamp ?? now(),
        });
      }
      wake();
    },
    read,
    async watchState() {
      check();
      return { partitions: () => bus.state, refresh: async () => check(), close: async () => {} };
    },
    async ping() {
      check();
    },
    close: async () => {},
    consume: () => Promise.reject(new TocsinError('INTERNAL', 'this bus has no consumers')),
    admin: {
      ranges: async (topic: string) => {
        check();
        return log(topic).map((records, partition) => ({
          topic,
          partition,
          low: 0n,
          high: BigInt(records.length),
        }));
      },
      topics: async () => [],
      createTopics: async () => {},
      alterTopic: async () => {},
      committed: async () => [],
      seekToTime: async () => {},
      live: async () => null,
      markLive: async () => {},
    },
  };
  return bus;
}

/** Small things that the contract's parts share. */
import { type ErrorCode, TocsinError } from '../../../src/base/errors.ts';
import { partitionOf } from '../../../src/base/murmur2.ts';
import type {
  Bus,
  Consumption,
  OutgoingRecord,
  ReadOptions,
  ReceivedRecord,
  RestoredState,
  Transaction,
} from '../../../src/bus/port.ts';

export const text = (bytes: Uint8Array | null | undefined): string =>
  Buffer.from(bytes ?? []).toString('utf8');
export const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A record whose value is text. */
export const post = (
  topic: string,
  key: string,
  value: string,
  more: Partial<OutgoingRecord> = {},
): OutgoingRecord => ({
  topic,
  key,
  value: bytes(value),
  headers: {},
  ...more,
});

/** `count` records with the values 0, 1, 2 …, on `keys` keys in turn. */
export const numbered = (topic: string, count: number, keys: number = count, from = 0): OutgoingRecord[] =>
  Array.from({ length: count }, (_, i) => post(topic, `key-${(from + i) % keys}`, String(from + i)));

/** `each` records for every partition, with values `<partition>:<number>`. */
export const onEveryPartition = (
  topic: string,
  partitions: number,
  each: number,
  from = 0,
): OutgoingRecord[] =>
  Array.from({ length: partitions * each }, (_, i) => {
    const partition = i % partitions;
    const n = from + Math.floor(i / partitions);
    let key = `${partition}:${n}`;
    for (let salt = 0; partitionOf(key, partitions) !== partition; salt += 1)
      key = `${partition}:${n}:${salt}`;
    return post(topic, key, `${partition}:${n}`);
  });

/** Everything that is committed now. */
export async function readAll(
  bus: Bus,
  topic: string,
  options: Partial<ReadOptions> = {},
): Promise<ReceivedRecord[]> {
  const all: ReceivedRecord[] = [];
  for await (const batch of bus.read(topic, { from: 'earliest', stopAtEnd: true, ...options }))
    all.push(...batch);
  return all;
}

/** Committed values, sorted. */
export async function valuesIn(bus: Bus, topic: string): Promise<string[]> {
  return (await readAll(bus, topic)).map((record) => text(record.value)).sort();
}

/** The code that a rejected promise carries; fails when it does not reject with a TocsinError. */
export async function codeOf(promise: Promise<unknown>): Promise<ErrorCode> {
  const outcome = await promise.then(
    () => 'it resolved',
    (error: unknown) => error,
  );
  if (outcome instanceof TocsinError) return outcome.code;
  throw new Error(`Expected a TocsinError, but: ${String(outcome)}`);
}

type Work = (
  records: readonly ReceivedRecord[],
  transaction: Transaction,
  context: { readonly partition: number; readonly restored: RestoredState; readonly signal: AbortSignal },
) => Promise<void> | void;

/** A consumption with the usual settings, whose task is one function. */
export function consumption(
  group: string,
  topic: string,
  work: Work,
  more: Partial<Consumption> = {},
): Consumption {
  return {
    group,
    topic,
    mode: 'exactly-once',
    sliceRecords: 256,
    sliceMs: 20,
    concurrency: 4,
    open: async (partition, restored) => ({
      process: async (records, transaction, signal) =>
        work(records, transaction, { partition: partition.partition, restored, signal }),
    }),
    ...more,
  };
}

/** A consumption that copies to `output` and counts, per partition, in the state entry `count`. */
export function copying(
  group: string,
  topic: string,
  output: string,
  more: Partial<Consumption> = {},
): Consumption {
  return {
    ...consumption(group, topic, () => {}),
    open: async (_partition, restored) => {
      let count = Number(text(restored.entries.get('count')));
      return {
        async process(records, transaction) {
          for (const record of records)
            transaction.send(post(output, record.key as string, text(record.value)));
          count += records.length;
          transaction.putState('count', bytes(String(count)));
        },
      };
    },
    ...more,
  };
}

/** Sum of the `count` entries of all partitions, as the bus has them. */
export async function countedBy(bus: Bus, group: string, topic: string): Promise<number> {
  const view = await bus.watchState(group, topic, (entry) => entry === 'count');
  try {
    await view.refresh();
    let sum = 0;
    for (const state of view.partitions().values()) sum += Number(text(state.entries.get('count')));
    return sum;
  } finally {
    await view.close();
  }
}

/** Whether the group has worked off all that is in the topic. */
export async function caughtUp(bus: Bus, group: string, topic: string): Promise<boolean> {
  const [ranges, committed] = await Promise.all([bus.admin.ranges(topic), bus.admin.committed(group, topic)]);
  return ranges.every((range) => range.high === range.low || committed[range.partition] === range.high);
}

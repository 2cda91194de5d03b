/** Fetching committed records: one request, the offsets of a topic, and a pump that keeps several partitions supplied. */
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { ReceivedRecord } from '../port.ts';
import { fromKafka, isTransient, kafkaType } from './errors.ts';
import { type BrokerApi, inner, type ProtocolRequest } from './internals.ts';
import { type AbortedTransaction, decodeBatches } from './record-batches.ts';
import { REQUEST_TIMEOUT_MS, type Session } from './session.ts';

const READ_COMMITTED = 1;
const MAX_BYTES = 4_194_304;
const MAX_PARTITION_BYTES = 1_048_576;
const OFFSET_OUT_OF_RANGE = 1;
const RETRY_PAUSE_MS = 100;

export const EARLIEST = -2;
export const LATEST = -1;

export interface FetchedPartition {
  readonly partition: number;
  /** The offset that was asked for. */
  readonly from: bigint;
  readonly errorCode: number;
  readonly records: readonly ReceivedRecord[];
  readonly next: bigint;
  readonly bytes: number;
}

/** A topic as it is called outside and inside. */
export interface TopicNames {
  readonly logical: string;
  readonly physical: string;
}

export interface Wanted {
  readonly partition: number;
  readonly offset: bigint;
}

/** The broker's own string, array and byte fields, read in order. */
class Reader {
  private at = 0;
  private readonly bytes: Buffer;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  int16(): number {
    this.at += 2;
    return this.bytes.readInt16BE(this.at - 2);
  }
  int32(): number {
    this.at += 4;
    return this.bytes.readInt32BE(this.at - 4);
  }
  int64(): bigint {
    this.at += 8;
    return this.bytes.readBigInt64BE(this.at - 8);
  }
  slice(length: number): Buffer {
    this.at += Math.max(0, length);
    return this.bytes.subarray(this.at - Math.max(0, length), this.at);
  }
  array<T>(item: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, item);
  }
}

/** Fetch response, version 11. */
function decodeFetch(
  data: Buffer,
  topic: TopicNames,
  wanted: ReadonlyMap<number, bigint>,
): FetchedPartition[] {
  const reader = new Reader(data);
  reader.int32(); // throttle
  const errorCode = reader.int16();
  reader.int32(); // session
  const perTopic = reader.array(() => {
    reader.slice(reader.int16()); // name: there is one topic
    return reader.array((): FetchedPartition => {
      const partition = reader.int32();
      const partitionError = reader.int16();
      reader.int64(); // high watermark
      reader.int64(); // last stable offset
      reader.int64(); // log start
      const aborted = reader.array(
        (): AbortedTransaction => ({ producerId: reader.int64(), firstOffset: reader.int64() }),
      );
      reader.int32(); // preferred replica
      const bytes = reader.slice(reader.int32());
      const from = wanted.get(partition) ?? 0n;
      const { records, next } = decodeBatches(bytes, { topic: topic.logical, partition, from }, aborted);
      return { partition, from, errorCode: partitionError || errorCode, records, next, bytes: bytes.length };
    });
  });
  return perTopic.flat();
}

/** One fetch from one broker. Partitions that have an error say so each by itself. */
export async function fetchFrom(
  broker: BrokerApi,
  topic: TopicNames,
  wanted: readonly Wanted[],
  maxWaitMs: number,
): Promise<readonly FetchedPartition[]> {
  const offsets = new Map(wanted.map((w) => [w.partition, w.offset]));
  const request: ProtocolRequest<readonly FetchedPartition[]> = {
    request: inner().fetchRequest({
      replicaId: -1,
      isolationLevel: READ_COMMITTED,
      maxWaitTime: maxWaitMs,
      minBytes: 1,
      maxBytes: MAX_BYTES,
      topics: [
        {
          topic: topic.physical,
          partitions: wanted.map((w) => ({
            partition: w.partition,
            fetchOffset: w.offset.toString(),
            maxBytes: MAX_PARTITION_BYTES,
          })),
        },
      ],
    }),
    response: {
      decode: async (data) => decodeFetch(data, topic, offsets),
      parse: async (data) => data,
    },
    requestTimeout: maxWaitMs + REQUEST_TIMEOUT_MS,
  };
  try {
    return await broker.connectionPool.send(request);
  } catch (thrown) {
    // Not awaited: it may wait for answers that will never come.
    if (kafkaType(thrown) === 'KafkaJSConnectionClosedError') void broker.disconnect().catch(() => {});
    throw thrown;
  }
}

/**
 * Offset of every asked partition: EARLIEST, LATEST (the end of what is stable) or a time (first record at or after
 * it; -1 where there is none).
 */
export async function listOffsets(
  session: Session,
  topic: string,
  partitions: readonly number[],
  timestamp: number,
): Promise<ReadonlyMap<number, bigint>> {
  const byLeader = new Map<number, number[]>();
  for (const { partitionId, leader } of await session.partitions(topic))
    if (partitions.includes(partitionId))
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), partitionId]);
  const answers = await Promise.all(
    [...byLeader.values()].map(async (ids) => {
      const broker = await session.leader(topic, ids[0] as number);
      const { responses } = await broker.listOffsets({
        isolationLevel: READ_COMMITTED,
        topics: [{ topic, partitions: ids.map((partition) => ({ partition, timestamp })) }],
      });
      return responses.flatMap((response) => response.partitions);
    }),
  );
  return new Map(answers.flat().map(({ partition, offset }) => [partition, BigInt(offset)]));
}

export interface PumpOptions {
  readonly session: Session;
  readonly topic: TopicNames;
  readonly clock: Clock;
  readonly log: Log;
  /** Longest wait of a fetch that finds nothing. */
  readonly maxWaitMs: number;
  /** Partitions that can take more now, and from where. */
  hungry(): readonly Wanted[];
  deliver(fetched: FetchedPartition): void;
  /** The offset is no longer kept (or not yet there). `low` is the first that is. */
  outOfRange(partition: number, low: bigint): void;
  /** The broker answered. */
  alive(): void;
  /** An error that trying again will not mend. */
  broken(error: Error): void;
}

export interface Pump {
  /** Somebody has become hungry. */
  wake(): void;
  stop(): Promise<void>;
}

/** Fetches for whoever is hungry, from each broker independently, until it is stopped. */
export function startPump(options: PumpOptions): Pump {
  const { session, topic, clock } = options;
  const stopped = new AbortController();
  const busy = new Map<number, Promise<void>>();
  let wakeUp: () => void = () => {};

  const serve = async (leader: number, wanted: readonly Wanted[]): Promise<void> => {
    try {
      const broker = await session.leader(topic.physical, (wanted[0] as Wanted).partition);
      const fetched = await fetchFrom(broker, topic, wanted, options.maxWaitMs);
      if (stopped.signal.aborted) return;
      options.alive();
      let stale = false;
      for (const part of fetched) {
        if (part.errorCode === OFFSET_OUT_OF_RANGE) {
          const low = await listOffsets(session, topic.physical, [part.partition], EARLIEST);
          options.outOfRange(part.partition, low.get(part.partition) ?? 0n);
        } else if (part.errorCode !== 0) stale = true;
        else options.deliver(part);
      }
      if (stale) {
        await session.recover(null);
        await clock.sleep(RETRY_PAUSE_MS, stopped.signal);
      }
    } catch (thrown) {
      if (stopped.signal.aborted) return;
      if (!isTransient(thrown)) {
        options.broken(fromKafka(thrown, `fetching from ${topic.physical}`));
        stopped.abort();
        return;
      }
      options.log.debug({ topic: topic.logical, leader, error: kafkaType(thrown) }, 'A fetch failed.');
      await session.recover(thrown);
      await clock.sleep(RETRY_PAUSE_MS, stopped.signal);
    }
  };

  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        wakeUp = resolve;
      });
      try {
        const leaders = new Map(
          (await session.partitions(topic.physical)).map((p) => [p.partitionId, p.leader]),
        );
        const byLeader = new Map<number, Wanted[]>();
        for (const wanted of options.hungry()) {
          const leader = leaders.get(wanted.partition);
          if (leader !== undefined) byLeader.set(leader, [...(byLeader.get(leader) ?? []), wanted]);
        }
        for (const [leader, wanted] of byLeader)
          if (!busy.has(leader))
            busy.set(
              leader,
              serve(leader, wanted).finally(() => busy.delete(leader)),
            );
      } catch (thrown) {
        if (!isTransient(thrown)) {
          options.broken(fromKafka(thrown, `fetching from ${topic.physical}`));
          return;
        }
        await session.recover(thrown);
        await clock.sleep(RETRY_PAUSE_MS, stopped.signal);
        continue; // nobody would wake it
      }
      await Promise.race([woken, ...busy.values()]);
    }
  };
  const running = run();
  return {
    wake: () => wakeUp(),
    async stop() {
      stopped.abort();
      wakeUp();
      await Promise.race([Promise.all([running, ...busy.values()]), clock.sleep(options.maxWaitMs + 500)]);
    },
  };
}

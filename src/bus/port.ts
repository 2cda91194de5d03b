/**
 * The bus port: what Tocsin asks of a log of records, whatever carries it.
 * Two adapters (embedded/, kafka/) pass the one suite in test/contract/bus-contract.ts.
 *
 * The bus carries bytes. Encoding is the business of codec.ts; decoding is a stage, because it can fail.
 */

import type { ErrorCode } from '../base/errors.ts';

/** Header values are text; on Kafka they travel as UTF-8. */
export type Headers = Readonly<Record<string, string>>;

/** A record on its way out. The partition follows from the key (murmur2), unless it is given. */
export interface OutgoingRecord {
  readonly topic: string;
  /** Never empty: a keyless record would be re-partitioned on retry and defeat idempotence. */
  readonly key: string;
  readonly value: Uint8Array;
  readonly headers: Headers;
  /** Only for tests and for records that must follow their input's partition. */
  readonly partition?: number;
  /** Milliseconds; the time of production where it is left out. */
  readonly timestamp?: number;
}

/** A record as it was read. Key and value may be null: other clients write to the same topics. */
export interface ReceivedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string | null;
  readonly value: Uint8Array | null;
  readonly headers: Headers;
  readonly timestamp: number;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** What a worker remembered of a partition: entry name → bytes, as of `upto`. */
export interface RestoredState {
  /** The next offset to be worked on. */
  readonly upto: bigint;
  readonly entries: ReadonlyMap<string, Uint8Array>;
}

/**
 * Collects what one slice does; `send` throws BAD_RECORD for an empty key. Nothing is visible to anybody until the adapter commits it
 * together with the slice's offsets; after an error nothing of it ever is.
 */
export interface Transaction {
  send(record: OutgoingRecord): void;
  /** Writes (or, with null, forgets) one entry of this partition's state. Throws BAD_USAGE in at-least-once mode. */
  putState(entry: string, value: Uint8Array | null): void;
}

/** Works on one input partition. Made by `Consumption.open`, thrown away on revocation and after any error. */
export interface PartitionTask {
  /**
   * Works on consecutive records of the partition. When it resolves, the adapter commits outputs, state and
   * offset as one. When it throws, the task is closed, a new one is opened from the committed state and the same
   * records come again.
   */
  process(records: readonly ReceivedRecord[], transaction: Transaction, signal: AbortSignal): Promise<void>;
  /** Told once after each commit of what `process` resolved for, before the next slice. For counting, never for work. */
  committed?(): void;
  close?(): Promise<void> | void;
}

export interface Consumption {
  /** Also the service's name: the group and the transactional ids are made of it and of the environment. */
  readonly group: string;
  readonly topic: string;
  /**
   * `exactly-once`: outputs, state and offsets commit together.
   * `at-least-once`: outputs are flushed, then the offset is committed; no transaction is ever open.
   */
  readonly mode: 'exactly-once' | 'at-least-once';
  /** A slice holds at most this many records … */
  readonly sliceRecords: number;
  /** … and is closed this long after its first record was there to take. */
  readonly sliceMs: number;
  /** How many partitions may be inside `process` at once; 1 where the task is bound to one core. */
  readonly concurrency: number;
  /** Called at every assignment, before the first slice. */
  open(partition: TopicPartition, restored: RestoredState): Promise<PartitionTask>;
  /** Told after a slice was given up that will come again. For counting, never for work. */
  failed?(code: ErrorCode): void;
}

/** A running consumer. */
export interface Consumer {
  /** Partitions that it holds now. */
  assigned(): readonly TopicPartition[];
  /** Milliseconds (monotonic clock) since the consumer last proved that it is alive: polled, joined or committed. */
  idleMs(): number;
  /** Settles when the consumer can go on no longer: null after `close`, else what broke it. */
  readonly ended: Promise<Error | null>;
  /** Finishes the slice in hand, commits it, leaves the group. */
  close(): Promise<void>;
}

/** Where a groupless read begins. */
export type ReadFrom =
  | 'earliest'
  | 'latest'
  | { readonly timestamp: number }
  /** At most this many of each partition, counted in offsets. */
  | { readonly lastRecords: number };

export interface ReadOptions {
  readonly from: ReadFrom;
  /** Stop at the end as it is when the read starts, instead of following the topic. */
  readonly stopAtEnd?: boolean;
  readonly partitions?: readonly number[];
  readonly signal?: AbortSignal;
}

export interface PartitionRange extends TopicPartition {
  /** First offset still kept. */
  readonly low: bigint;
  /** The offset that the next record will get (read-committed: end of what is stable). */
  readonly high: bigint;
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** Null: kept for ever. */
  readonly retentionMs: number | null;
  readonly cleanup: 'delete' | 'compact';
}

export interface BusAdmin {
  /** Existing topics with what the bus knows of them. */
  topics(): Promise<readonly TopicSpec[]>;
  /** Makes those that are missing. Throws BUS_TOPIC_MISMATCH where one exists with another partition count. */
  createTopics(specs: readonly TopicSpec[]): Promise<void>;
  /** Changes retention and cleanup. Throws BUS_TOPIC_MISMATCH for another partition count: keys would move. */
  alterTopic(spec: TopicSpec): Promise<void>;
  ranges(topic: string): Promise<readonly PartitionRange[]>;
  /** Committed offset per partition (the first kept one where that is later); null where the group has none. */
  committed(group: string, topic: string): Promise<readonly (bigint | null)[]>;
  /**
   * Moves a group that has no running member (else it throws BAD_USAGE) to the first record at or after the time,
   * or to the end. The group's state of the topic is forgotten: it belonged to another offset.
   */
  seekToTime(group: string, topic: string, timestamp: number): Promise<void>;
  /** Whether this environment was marked live when it was created; null when it was never marked. */
  live(): Promise<boolean | null>;
  markLive(live: boolean): Promise<void>;
}

/** Committed state of another service, seen from outside (dashboard, audit). */
export interface StateView {
  /** Newest known entries of each partition, only those that the filter lets through. */
  partitions(): ReadonlyMap<number, RestoredState>;
  /** Resolves when everything that was committed before the call is in the view. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

export interface Bus {
  readonly kind: 'embedded' | 'kafka';
  readonly admin: BusAdmin;
  /**
   * Durable when it resolves; on the embedded bus that means against the death of processes, not of the machine.
   * Order is kept per key within one call and between awaited calls.
   * Throws BUS_FULL at the cap, BAD_RECORD for an empty key, UNKNOWN_TOPIC; then nothing was written.
   */
  produce(records: readonly OutgoingRecord[]): Promise<void>;
  consume(consumption: Consumption): Promise<Consumer>;
  /** Committed records only, partition by partition in order, in batches as they come. */
  read(topic: string, options: ReadOptions): AsyncIterable<readonly ReceivedRecord[]>;
  watchState(group: string, topic: string, filter: (entry: string) => boolean): Promise<StateView>;
  /** Whether the bus answers now. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

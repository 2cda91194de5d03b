/** The partitioned log in the store: appending, reading on, finding offsets. */
import { TocsinError } from '../../base/errors.ts';
import { partitionOf } from '../../base/murmur2.ts';
import { checkOutgoing } from '../outgoing.ts';
import type { OutgoingRecord, PartitionRange, ReadFrom, ReceivedRecord, TopicSpec } from '../port.ts';
import {
  CHUNK_BYTES,
  CHUNK_RECORDS,
  type ChunkRecord,
  decodeChunk,
  encodeChunk,
  recordBound,
} from './chunk.ts';
import type { Store } from './store.ts';

/** Greater than any offset. */
export const END: number = Number.MAX_SAFE_INTEGER;

/** Encoded records of one partition, to be appended. */
export interface Batch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Uint8Array;
  readonly records: number;
  readonly newest: number;
}

/** Throws UNKNOWN_TOPIC. */
export function topicOf(store: Store, name: string): TopicSpec {
  const spec = store.meta.get(['topic', name]) as TopicSpec | undefined;
  if (!spec) throw new TocsinError('UNKNOWN_TOPIC', `no topic ${name} on the embedded bus`);
  return spec;
}

/** Partitions and encodes, outside of any transaction. Throws BAD_RECORD and UNKNOWN_TOPIC. */
export function encodeBatches(store: Store, records: readonly OutgoingRecord[], now: number): Batch[] {
  interface Open {
    readonly topic: string;
    readonly partition: number;
    records: ChunkRecord[];
    size: number;
    newest: number;
  }
  const partitions = new Map<string, number>();
  const open = new Map<string, Open>();
  const batches: Batch[] = [];
  const shut = (batch: Open): void => {
    batches.push({
      topic: batch.topic,
      partition: batch.partition,
      bytes: encodeChunk(batch.records),
      records: batch.records.length,
      newest: batch.newest,
    });
    batch.records = [];
    batch.size = 0;
    batch.newest = 0;
  };
  for (const record of records) {
    checkOutgoing(record);
    let count = partitions.get(record.topic);
    if (count === undefined) {
      count = topicOf(store, record.topic).partitions;
      partitions.set(record.topic, count);
    }
    const partition = record.partition ?? partitionOf(record.key, count);
    if (!Number.isInteger(partition) || partition < 0 || partition >= count)
      throw new TocsinError('BAD_RECORD', `${record.topic} has no partition ${partition}`);
    const id = `${partition}/${record.topic}`;
    let batch = open.get(id);
    if (!batch) {
      batch = { topic: record.topic, partition, records: [], size: 0, newest: 0 };
      open.set(id, batch);
    }
    const timestamp = record.timestamp ?? now;
    const entry: ChunkRecord = {
      delta: batch.records.length,
      timestamp,
      key: record.key,
      headers: record.headers,
      value: record.value,
    };
    const size = recordBound(entry);
    if (
      batch.records.length > 0 &&
      (batch.records.length >= CHUNK_RECORDS || batch.size + size > CHUNK_BYTES)
    ) {
      shut(batch);
      batch.records.push({ ...entry, delta: 0 });
    } else batch.records.push(entry);
    batch.size += size;
    batch.newest = Math.max(batch.newest, timestamp);
  }
  for (const batch of open.values()) if (batch.records.length > 0) shut(batch);
  return batches;
}

/** Roughly what a chunk takes on the disk: large values lie on pages of their own. */
const stored = (bytes: number): number =>
  (bytes > 2_000 ? Math.ceil((bytes + 16) / 4_096) * 4_096 : bytes) + 150;

/** Bytes of all chunks, as counted against the cap. */
export function storedBytes(store: Store): number {
  return (store.meta.get(['bytes']) as number | undefined) ?? 0;
}

/** Appends; inside a write transaction. Throws BUS_FULL before anything is written when a cap is given and passed. */
export function append(store: Store, batches: readonly Batch[], maxBytes: number | null): void {
  if (batches.length === 0) return;
  let bytes = storedBytes(store);
  for (const batch of batches) bytes += stored(batch.bytes.length);
  if (maxBytes !== null && bytes > maxBytes)
    throw new TocsinError(
      'BUS_FULL',
      `the embedded bus holds its ${maxBytes} bytes; older records must expire first`,
    );
  store.meta.put(['bytes'], bytes);
  for (const batch of batches) {
    const head = store.heads.get([batch.topic, batch.partition]) ?? 0;
    const key = [batch.topic, batch.partition, head];
    store.chunks.put(key, batch.bytes);
    store.notes.put(key, [batch.newest, stored(batch.bytes.length), batch.records]);
    store.heads.put([batch.topic, batch.partition], head + batch.records);
  }
}

/** Replaces a chunk by fewer of its records, or removes it (null); inside a write transaction. */
export function replaceChunk(
  store: Store,
  key: readonly [string, number, number],
  records: readonly ChunkRecord[] | null,
): void {
  const note = store.notes.get(key);
  if (!note) return;
  let bytes = storedBytes(store) - note[1];
  if (records === null || records.length === 0) {
    store.chunks.remove(key);
    store.notes.remove(key);
  } else {
    const chunk = encodeChunk(records);
    store.chunks.put(key, chunk);
    store.notes.put(key, [note[0], stored(chunk.length), records.length]);
    bytes += stored(chunk.length);
  }
  store.meta.put(['bytes'], Math.max(0, bytes));
}

export function head(store: Store, topic: string, partition: number): number {
  return store.heads.get([topic, partition]) ?? 0;
}

/** First offset still kept. */
export function low(store: Store, topic: string, partition: number): number {
  const [first] = store.notes.keys([topic, partition, 0], [topic, partition, END], { limit: 1 });
  return first === undefined ? head(store, topic, partition) : (first[2] as number);
}

export function ranges(store: Store, topic: string): PartitionRange[] {
  const spec = topicOf(store, topic);
  return Array.from({ length: spec.partitions }, (_, partition) => ({
    topic,
    partition,
    low: BigInt(low(store, topic, partition)),
    high: BigInt(head(store, topic, partition)),
  }));
}

/** A stretch of a partition, at most one chunk long. */
export interface Stretch {
  readonly records: readonly ReceivedRecord[];
  /** Where to read on. */
  readonly next: number;
}

/** The records of the chunk at or after `offset`; null at the end. */
export function readOn(store: Store, topic: string, partition: number, offset: number): Stretch | null {
  if (offset >= head(store, topic, partition)) return null;
  const stretch = (base: number, bytes: Uint8Array): Stretch | null => {
    const records = decodeChunk(bytes, { topic, partition, base, from: offset });
    const last = records.at(-1);
    return last === undefined ? null : { records, next: Number(last.offset) + 1 };
  };
  // Usual case: reading on where a chunk begins.
  const exact = store.chunks.get([topic, partition, offset]);
  if (exact) return stretch(offset, exact);
  const [before] = store.chunks.range([topic, partition, offset], [topic, partition, -1], {
    reverse: true,
    limit: 1,
  });
  const inside = before && stretch(before.key[2] as number, before.value);
  if (inside) return inside;
  const [after] = store.chunks.range([topic, partition, offset], [topic, partition, END], { limit: 1 });
  return after ? stretch(after.key[2] as number, after.value) : null;
}

/** Offset of the first record at or after the time; the end where there is none. */
export function offsetAt(store: Store, topic: string, partition: number, timestamp: number): number {
  for (const { key, value } of store.notes.range([topic, partition, 0], [topic, partition, END])) {
    if (value[0] < timestamp) continue;
    const found = readOn(store, topic, partition, key[2] as number)?.records.find(
      (r) => r.timestamp >= timestamp,
    );
    if (found) return Number(found.offset);
  }
  return head(store, topic, partition);
}

/** Where a groupless read of a partition begins. */
export function startOf(store: Store, topic: string, partition: number, from: ReadFrom): number {
  if (from === 'earliest') return low(store, topic, partition);
  if (from === 'latest') return head(store, topic, partition);
  if ('timestamp' in from) return offsetAt(store, topic, partition, from.timestamp);
  return Math.max(low(store, topic, partition), head(store, topic, partition) - from.lastRecords);
}

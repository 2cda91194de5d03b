/**
 * Many records as one value. A chunk is what one call or commit appended to one partition, cut at 1 MB.
 *
 * Layout (little-endian): version u8, records u32, then per record: offset − base u32, timestamp f64, key, header
 * set, value. Strings and values are length-prefixed (u32; 0xffffffff: null). Records of one writer carry the same
 * header names in the same order, and most of their values repeat: a header set is a number (u16) into the sets
 * seen so far in the chunk, spelt out at its first use, and 0xfffffffe stands for the value it had the last time.
 */
import { TocsinError } from '../../base/errors.ts';
import type { ReceivedRecord } from '../port.ts';

/** What a chunk holds of a record. */
export interface ChunkRecord {
  /** Offset − the chunk's first offset. */
  readonly delta: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Uint8Array | null;
}

export const CHUNK_BYTES: number = 1_000_000;
export const CHUNK_RECORDS: number = 4_096;

const VERSION = 1;
const NULL = 0xffffffff;
const SAME = 0xfffffffe;

/** Upper bound of a record's size in a chunk. */
export function recordBound(record: Omit<ChunkRecord, 'delta'>): number {
  let bound = 32 + (record.key?.length ?? 0) * 3 + (record.value?.length ?? 0);
  for (const name in record.headers)
    bound += 12 + 3 * (name.length + (record.headers[name] as string).length);
  return bound;
}

export function encodeChunk(records: readonly ChunkRecord[]): Uint8Array {
  let bound = 5;
  for (const record of records) bound += recordBound(record);
  const out = Buffer.allocUnsafe(bound);
  let at = out.writeUInt32LE(records.length, out.writeUInt8(VERSION, 0));
  const text = (value: string): void => {
    const length = out.write(value, at + 4, 'utf8');
    out.writeUInt32LE(length, at);
    at += 4 + length;
  };
  const sets = new Map<string, { readonly number: number; readonly last: string[] }>();
  for (const record of records) {
    at = out.writeUInt32LE(record.delta, at);
    at = out.writeDoubleLE(record.timestamp, at);
    if (record.key === null) at = out.writeUInt32LE(NULL, at);
    else text(record.key);
    const names = Object.keys(record.headers);
    const id = JSON.stringify(names);
    let set = sets.get(id);
    if (set === undefined) {
      set = { number: sets.size, last: [] };
      sets.set(id, set);
      at = out.writeUInt16LE(set.number, at);
      at = out.writeUInt32LE(names.length, at);
      for (const name of names) text(name);
    } else at = out.writeUInt16LE(set.number, at);
    for (let i = 0; i < names.length; i += 1) {
      const value = record.headers[names[i] as string] as string;
      if (set.last[i] === value) at = out.writeUInt32LE(SAME, at);
      else text(value);
      set.last[i] = value;
    }
    if (record.value === null) at = out.writeUInt32LE(NULL, at);
    else {
      at = out.writeUInt32LE(record.value.length, at);
      out.set(record.value, at);
      at += record.value.length;
    }
  }
  return out.subarray(0, at);
}

/**
 * The records of a chunk from `from` on, in order. Values are views of `bytes`.
 * Throws INTERNAL when the bytes are not a chunk: the file was damaged.
 */
export function decodeChunk(
  bytes: Uint8Array,
  at: { readonly topic: string; readonly partition: number; readonly base: number; readonly from: number },
): ReceivedRecord[] {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return decode(input, at);
  } catch (cause) {
    if (cause instanceof TocsinError) throw cause;
    throw new TocsinError('INTERNAL', `damaged chunk ${at.topic}/${at.partition}@${at.base}`, { cause });
  }
}

function decode(
  input: Buffer,
  where: { readonly topic: string; readonly partition: number; readonly base: number; readonly from: number },
): ReceivedRecord[] {
  if (input.readUInt8(0) !== VERSION) throw new RangeError(`chunk version ${input[0]}`);
  const count = input.readUInt32LE(1);
  let at = 5;
  const skip = (length: number): number => {
    const start = at;
    at += length;
    if (at > input.length) throw new RangeError('chunk ends early');
    return start;
  };
  const u32 = (): number => input.readUInt32LE(skip(4));
  const text = (length: number): string => {
    const start = skip(length);
    return input.toString('utf8', start, at);
  };
  const sets: { readonly names: string[]; readonly last: string[] }[] = [];
  const records: ReceivedRecord[] = [];
  for (let i = 0; i < count; i += 1) {
    const delta = u32();
    const timestamp = input.readDoubleLE(skip(8));
    const keyLength = u32();
    const wanted = where.base + delta >= where.from;
    let key: string | null = null;
    if (keyLength !== NULL) {
      if (wanted) key = text(keyLength);
      else skip(keyLength);
    }
    const number = input.readUInt16LE(skip(2));
    let set = sets[number];
    if (set === undefined) {
      set = { names: Array.from({ length: u32() }, () => text(u32())), last: [] };
      sets[number] = set;
    }
    const headers: Record<string, string> = {};
    for (let j = 0; j < set.names.length; j += 1) {
      const length = u32();
      if (length !== SAME) set.last[j] = text(length);
      headers[set.names[j] as string] = set.last[j] as string;
    }
    const length = u32();
    const start = length === NULL ? 0 : skip(length);
    if (!wanted) continue;
    records.push({
      topic: where.topic,
      partition: where.partition,
      offset: BigInt(where.base + delta),
      key,
      value: length === NULL ? null : new Uint8Array(input.buffer, input.byteOffset + start, length),
      headers,
      timestamp,
    });
  }
  return records;
}

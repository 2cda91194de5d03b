/**
 * Record batches (magic 2) as a fetch returns them → committed records.
 *
 * Aborted transactions are left out as Kafka's Java client does it: the list is put in order of first offset, a
 * transaction counts from its first offset to its producer's abort marker, markers are known by the batch's control
 * bit. (kafkajs takes the list unsorted, one entry per message, and takes any record keyed 00000000 for a marker: K2.)
 */
import { gunzipSync } from 'node:zlib';
import { TocsinError } from '../../base/errors.ts';
import type { ReceivedRecord } from '../port.ts';

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

export interface DecodedBatches {
  readonly records: ReceivedRecord[];
  /** Where to fetch next: behind the last whole batch, be it of markers, aborted or emptied by compaction. */
  readonly next: bigint;
}

const HEADER_BYTES = 61;
/** From base offset to the end of the length field. */
const PREFIX_BYTES = 12;
const CONTROL = 0x20;
const TRANSACTIONAL = 0x10;
const LOG_APPEND_TIME = 0x08;
const CODEC = 0x07;
const GZIP = 1;
/** A compressed batch may not become bigger than this: 900 MB of zeros fit into a 1 MB message. */
const MAX_INFLATED_BYTES = 32_000_000;
const ABORT_MARKER = 0;

interface Where {
  readonly topic: string;
  readonly partition: number;
  /** Records below it are left out: a batch may begin earlier. */
  readonly from: bigint;
}

/** Reads one partition's record set. Throws BAD_RECORD when it is damaged. */
export function decodeBatches(
  bytes: Buffer,
  where: Where,
  aborted: readonly AbortedTransaction[] = [],
): DecodedBatches {
  try {
    return decode(bytes, where, aborted);
  } catch (thrown) {
    if (thrown instanceof TocsinError) throw thrown;
    const detail = `${where.topic}/${where.partition} from ${where.from}: ${(thrown as Error).message}`;
    throw new TocsinError('BAD_RECORD', `a damaged batch in ${detail}`, { cause: thrown });
  }
}

function decode(bytes: Buffer, where: Where, aborted: readonly AbortedTransaction[]): DecodedBatches {
  const records: ReceivedRecord[] = [];
  const toCome = [...aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const open = new Set<bigint>();
  let next = where.from;
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const end = at + PREFIX_BYTES + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break; // the rest did not fit into the fetch
    if (end < at + HEADER_BYTES)
      throw new TocsinError('BAD_RECORD', `a batch without a header in ${where.topic}`);
    const magic = bytes.readInt8(at + 16);
    if (magic !== 2) throw new TocsinError('BAD_RECORD', `record batch of format ${magic} in ${where.topic}`);
    const baseOffset = bytes.readBigInt64BE(at);
    const attributes = bytes.readInt16BE(at + 21);
    const lastOffset = baseOffset + BigInt(bytes.readInt32BE(at + 23));
    const producerId = bytes.readBigInt64BE(at + 43);
    while (toCome[0] && toCome[0].firstOffset <= lastOffset)
      open.add((toCome.shift() as AbortedTransaction).producerId);
    if (attributes & CONTROL) {
      if (isAbortMarker(bytes.subarray(at + HEADER_BYTES, end))) open.delete(producerId);
    } else if (!(attributes & TRANSACTIONAL && open.has(producerId))) {
      readRecords(bytes.subarray(at, end), attributes, baseOffset, where, records);
    }
    if (lastOffset >= next) next = lastOffset + 1n;
    at = end;
  }
  return { records, next };
}

/** Where a reader stands in a buffer. */
interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

/** Zigzag varint, up to 53 bits: lengths, deltas of offset and of time. */
function varint(cursor: Cursor): number {
  let value = 0;
  let scale = 1;
  for (;;) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) throw new TocsinError('BAD_RECORD', 'a record runs beyond its batch');
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
    scale *= 128;
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function sized(cursor: Cursor): Buffer | null {
  const length = varint(cursor);
  if (length < 0) return null;
  const end = cursor.at + length;
  if (end > cursor.bytes.length) throw new TocsinError('BAD_RECORD', 'a record runs beyond its batch');
  const slice = cursor.bytes.subarray(cursor.at, end);
  cursor.at = end;
  return slice;
}

/** A control record's key is its version and type, 16 bits each. */
function isAbortMarker(body: Buffer): boolean {
  const cursor: Cursor = { bytes: body, at: 0 };
  varint(cursor); // length
  cursor.at += 1; // attributes
  varint(cursor); // time
  varint(cursor); // offset
  const key = sized(cursor);
  return key !== null && key.length >= 4 && key.readInt16BE(2) === ABORT_MARKER;
}

function inflate(body: Buffer, attributes: number, topic: string): Buffer {
  const codec = attributes & CODEC;
  if (codec === 0) return body;
  if (codec !== GZIP)
    throw new TocsinError(
      'BAD_RECORD',
      `record batch with compression ${codec} in ${topic}; only gzip is read`,
    );
  try {
    return gunzipSync(body, { maxOutputLength: MAX_INFLATED_BYTES });
  } catch (cause) {
    throw new TocsinError('BAD_RECORD', `compressed batch in ${topic}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function readRecords(
  batch: Buffer,
  attributes: number,
  baseOffset: bigint,
  where: Where,
  records: ReceivedRecord[],
): void {
  const baseTime = Number(batch.readBigInt64BE(27));
  const appendTime = attributes & LOG_APPEND_TIME ? Number(batch.readBigInt64BE(35)) : null;
  const count = batch.readInt32BE(57);
  const cursor: Cursor = { bytes: inflate(batch.subarray(HEADER_BYTES), attributes, where.topic), at: 0 };
  for (let i = 0; i < count; i += 1) {
    const length = varint(cursor);
    const end = cursor.at + length;
    if (length < 0) throw new TocsinError('BAD_RECORD', 'a record of negative length');
    cursor.at += 1; // attributes, unused
    const timestamp = baseTime + varint(cursor);
    const offset = baseOffset + BigInt(varint(cursor));
    const key = sized(cursor);
    const value = sized(cursor);
    if (offset >= where.from)
      records.push({
        topic: where.topic,
        partition: where.partition,
        offset,
        key: key === null ? null : key.toString('utf8'),
        value,
        headers: readHeaders(cursor),
        timestamp: appendTime ?? timestamp,
      });
    cursor.at = end;
  }
}

/** Where a header is given twice the last one counts, as for Kafka's `lastHeader`. */
function readHeaders(cursor: Cursor): Record<string, string> {
  const headers: Record<string, string> = {};
  const count = varint(cursor);
  for (let i = 0; i < count; i += 1) {
    const name = sized(cursor);
    const value = sized(cursor);
    if (name !== null) headers[name.toString('utf8')] = value === null ? '' : value.toString('utf8');
  }
  return headers;
}

/**
 * Avro in single-object encoding: C3 01, the writer schema's CRC-64-AVRO (little-endian), then the body.
 * The fingerprint says which record it is and which version wrote it; older versions are read through resolvers.
 * Longs are exact up to ±2^52 (avsc counts in doubles): times in ms and offsets, which they are, stay far below.
 */
import avsc from 'avsc';
import { TocsinError } from '../base/errors.ts';
import type { AnyRecord, RecordKind, RecordOf } from '../event/records.ts';
import { guardCollections } from './avro-guard.ts';
import { crc64Avro } from './crc64.ts';
import { type AvroJson, historicSchemas, recordNames, recordSchema, TOPICS_DIR } from './schemas.ts';

const HEADER_BYTES = 10;

/** The body's size is the record's own business; this bounds what a reader will look at. */
export const MAX_VALUE_BYTES: number = 4_000_000;

export interface Codec {
  encode(record: AnyRecord): Uint8Array;
  /** Throws BAD_RECORD for anything that is not a whole, well-formed record and UNKNOWN_SCHEMA for a foreign fingerprint. */
  decode(bytes: Uint8Array): AnyRecord;
  /** 16 hex digits. */
  fingerprint(kind: RecordKind): string;
  /** What the bytes claim to be, by their fingerprint alone; null for a foreign one or for no record. */
  kindOf(bytes: Uint8Array): RecordKind | null;
}

/** The fingerprint that the bytes claim, 16 hex digits; null when they are not single-object encoded. */
export function claimedFingerprint(bytes: Uint8Array): string | null {
  if (bytes.length < HEADER_BYTES || bytes[0] !== 0xc3 || bytes[1] !== 0x01) return null;
  return Buffer.from(bytes.subarray(2, HEADER_BYTES)).reverse().toString('hex');
}

/** Parsing Canonical Form, and with it the fingerprint, of a type. */
export function schemaFingerprint(type: avsc.Type): string {
  const canonical = JSON.stringify(type.schema());
  return crc64Avro(new TextEncoder().encode(canonical)).toString(16).padStart(16, '0');
}

const parse = (schema: AvroJson): avsc.Type =>
  avsc.Type.forSchema(structuredClone(schema) as avsc.Schema, {
    wrapUnions: false,
    typeHook: guardCollections,
  });

/** Builds the codec from the schemas under `dir` (topics/ of this project by default). */
export function createCodec(dir: string = TOPICS_DIR): Codec {
  const writers = new Map<
    string,
    {
      readonly type: avsc.Type;
      readonly header: Uint8Array;
      readonly hex: string;
      /** Only such records are looked through for Uint8Arrays. */
      readonly hasBytes: boolean;
    }
  >();
  const readers = new Map<string, { readonly kind: string; readonly decode: (body: Buffer) => object }>();
  for (const kind of recordNames(dir)) {
    const schema = recordSchema(kind, dir);
    const type = parse(schema);
    const hex = schemaFingerprint(type);
    const hasBytes = JSON.stringify(schema).includes('"bytes"');
    const header = Buffer.concat([Buffer.from([0xc3, 0x01]), Buffer.from(hex, 'hex').reverse()]);
    writers.set(kind, { type, header, hex, hasBytes });
    readers.set(hex, { kind, decode: (body) => type.fromBuffer(body) as object });
  }
  for (const { record, schema } of historicSchemas(dir)) {
    const current = writers.get(record);
    if (!current)
      throw new TocsinError('BAD_CONFIG', `topics/history has a schema of an unknown record ${record}`);
    const old = parse(schema);
    const hex = schemaFingerprint(old);
    if (hex === current.hex) continue;
    let resolver: ReturnType<avsc.Type['createResolver']>;
    try {
      resolver = current.type.createResolver(old);
    } catch (cause) {
      throw new TocsinError('BAD_CONFIG', `topics/history: ${record} of today cannot read schema ${hex}`, {
        cause,
      });
    }
    readers.set(hex, {
      kind: record,
      decode: (body) => current.type.fromBuffer(body, resolver) as object,
    });
  }
  return {
    encode(record) {
      const writer = writers.get(record.kind);
      if (!writer) throw new TocsinError('UNKNOWN_SCHEMA', `no schema for record ${String(record.kind)}`);
      let body: Buffer;
      try {
        body = writer.type.toBuffer(writer.hasBytes ? avroReady(record) : record);
      } catch (cause) {
        throw new TocsinError('BAD_RECORD', `cannot encode a ${record.kind}: ${(cause as Error).message}`, {
          cause,
        });
      }
      const out = new Uint8Array(HEADER_BYTES + body.length);
      out.set(writer.header);
      out.set(body, HEADER_BYTES);
      return out;
    },
    decode(bytes) {
      const claimed = claimedFingerprint(bytes);
      if (claimed === null) throw new TocsinError('BAD_RECORD', 'not a single-object Avro record');
      const reader = readers.get(claimed);
      if (!reader) throw new TocsinError('UNKNOWN_SCHEMA', `unknown schema fingerprint ${claimed}`);
      if (bytes.length > MAX_VALUE_BYTES)
        throw new TocsinError(
          'BAD_RECORD',
          `a ${reader.kind} of ${bytes.length} bytes is too large to be read`,
        );
      try {
        const body = Buffer.from(bytes.buffer, bytes.byteOffset + HEADER_BYTES, bytes.length - HEADER_BYTES);
        const value = reader.decode(body) as { kind?: string };
        value.kind = reader.kind;
        return value as AnyRecord;
      } catch (cause) {
        throw new TocsinError('BAD_RECORD', `broken ${reader.kind}: ${(cause as Error).message}`, { cause });
      }
    },
    fingerprint(kind) {
      const writer = writers.get(kind);
      if (!writer) throw new TocsinError('UNKNOWN_SCHEMA', `no schema for record ${kind}`);
      return writer.hex;
    },
    kindOf(bytes) {
      const claimed = claimedFingerprint(bytes);
      return ((claimed !== null && readers.get(claimed)?.kind) || null) as RecordKind | null;
    },
  };
}

/** avsc takes bytes only as Buffers; wraps Uint8Arrays (without copying) wherever they stand. */
function avroReady(value: unknown): unknown {
  if (value instanceof Uint8Array)
    return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (Array.isArray(value)) return value.map(avroReady);
  if (value !== null && typeof value === 'object') {
    const copy: Record<string, unknown> = {};
    for (const key in value) copy[key] = avroReady((value as Record<string, unknown>)[key]);
    return copy;
  }
  return value;
}

/** Narrows a decoded record, or throws BAD_RECORD naming both kinds. */
export function expectKind<K extends RecordKind>(record: AnyRecord, kind: K): RecordOf<K> {
  if (record.kind !== kind) throw new TocsinError('BAD_RECORD', `expected a ${kind}, found a ${record.kind}`);
  return record as RecordOf<K>;
}

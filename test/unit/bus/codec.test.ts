import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { TocsinError } from '../../../src/base/errors.ts';
import { claimedFingerprint, createCodec, expectKind, MAX_VALUE_BYTES } from '../../../src/bus/codec.ts';
import {
  type AvroJson,
  recordNames,
  recordSchema,
  sharedTypeNames,
  TOPICS_DIR,
} from '../../../src/bus/schemas.ts';
import type { AnyRecord, RecordKind } from '../../../src/event/records.ts';
import { arbitraryOf } from '../../support/avro-arbitrary.ts';

const codec = createCodec();
const kinds = recordNames() as RecordKind[];
const randomRecord = (kind: RecordKind): fc.Arbitrary<AnyRecord> =>
  arbitraryOf(recordSchema(kind)).map((value) => ({ kind, ...(value as object) }) as AnyRecord);
/** Without avsc's prototypes. */
const plain = (value: unknown): unknown => structuredClone(value);

/** What decoding gives: the record, or the code of the TocsinError. Anything else is thrown on. */
function outcome(bytes: Uint8Array): AnyRecord | string {
  try {
    return codec.decode(bytes);
  } catch (error) {
    if (error instanceof TocsinError) return error.code;
    throw error;
  }
}

const header = (kind: RecordKind): Buffer =>
  Buffer.concat([Buffer.from([0xc3, 0x01]), Buffer.from(codec.fingerprint(kind), 'hex').reverse()]);

/** Zig-zag varint. */
function long(n: bigint): Buffer {
  const bytes: number[] = [];
  let rest = n >= 0n ? n * 2n : -n * 2n - 1n;
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest ? low | 0x80 : low);
  } while (rest);
  return Buffer.from(bytes);
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A copy of topics/ with an older schema of a record in its history. */
function withHistory(
  record: string,
  change: (schema: { fields: Record<string, unknown>[] }) => void,
): string {
  const dir = mkdtempSync(join(tmpdir(), 'tocsin-topics-'));
  folders.push(dir);
  cpSync(TOPICS_DIR, dir, { recursive: true });
  const old = structuredClone(recordSchema(record)) as { fields: Record<string, unknown>[] };
  change(old);
  mkdirSync(join(dir, 'history'), { recursive: true });
  writeFileSync(join(dir, 'history', `${record}.1.avsc`), JSON.stringify(old));
  return dir;
}

describe('codec', () => {
  it.each(kinds)('gives a %s back as it was', (kind) => {
    fc.assert(
      fc.property(randomRecord(kind), (record) => {
        expect(plain(codec.decode(codec.encode(record)))).toEqual(plain(record));
      }),
      { numRuns: 60 },
    );
  });

  it('takes Uint8Arrays for bytes, also as views and inside of lists', () => {
    const view = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);
    const encoded = codec.encode({ kind: 'StateEntry', upto: 5, value: view });
    expect([...expectKind(codec.decode(encoded), 'StateEntry').value]).toEqual([1, 2, 3]);
  });

  it('writes the header of single-object encoding', () => {
    for (const kind of kinds) {
      const [record] = fc.sample(randomRecord(kind), { numRuns: 1, seed: 1 }) as [AnyRecord];
      const encoded = codec.encode(record);
      expect([encoded[0], encoded[1]]).toEqual([0xc3, 0x01]);
      expect(claimedFingerprint(encoded)).toBe(codec.fingerprint(kind));
    }
  });

  it('refuses to encode what is not such a record', () => {
    expect(() => codec.encode({ kind: 'StateEntry', upto: 'x', value: null } as never)).toThrow(
      expect.objectContaining({ code: 'BAD_RECORD' }),
    );
    expect(() => codec.encode({ kind: 'Nothing' } as never)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_SCHEMA' }),
    );
    expect(() => codec.fingerprint('Nothing' as never)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_SCHEMA' }),
    );
  });

  it.each(kinds)('answers a %s that is cut anywhere with a code', (kind) => {
    for (const record of fc.sample(randomRecord(kind), { numRuns: 10, seed: 7 })) {
      const encoded = codec.encode(record);
      for (let length = 0; length < encoded.length; length += 1)
        expect(outcome(encoded.subarray(0, length))).toBe('BAD_RECORD');
      expect(outcome(Buffer.concat([encoded, Buffer.from([0])]))).toBe('BAD_RECORD');
    }
  });

  it.each(kinds)('answers a %s with flipped bits with a record or a code', (kind) => {
    const [record] = fc.sample(randomRecord(kind), { numRuns: 1, seed: 3 }) as [AnyRecord];
    const encoded = codec.encode(record);
    for (let bit = 0; bit < encoded.length * 8; bit += 1) {
      const broken = Uint8Array.from(encoded);
      broken[bit >> 3] = (broken[bit >> 3] as number) ^ (1 << (bit & 7));
      const result = outcome(broken);
      if (bit < 80) expect(['BAD_RECORD', 'UNKNOWN_SCHEMA']).toContain(result);
      else if (typeof result === 'string') expect(result).toBe('BAD_RECORD');
    }
  });

  it('answers any bytes with a record or a code', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.uint8Array({ maxLength: 200 }), (kind, body) => {
        for (const bytes of [body, Buffer.concat([header(kind), body])]) {
          const result = outcome(bytes);
          if (typeof result === 'string') expect(['BAD_RECORD', 'UNKNOWN_SCHEMA']).toContain(result);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is not drawn into work by announced sizes', () => {
    // Believing a size would take minutes and gigabytes.
    let refused = 0;
    for (const kind of kinds)
      for (const size of [
        1n << 20n,
        100_000_000n,
        1n << 32n,
        (1n << 53n) - 1n,
        1n << 62n,
        -(1n << 31n),
        -(1n << 62n),
      ])
        for (let before = 0; before < 24; before += 1) {
          // Wherever a string, list or map begins after some zeros, it announces more than there is.
          const bomb = Buffer.concat([header(kind), Buffer.alloc(before), long(size), Buffer.alloc(3)]);
          const result = outcome(bomb);
          if (result === 'BAD_RECORD') refused += 1;
          else expect(typeof result).toBe('object');
        }
    expect(refused).toBeGreaterThan(1_000);
  });

  it('does not read what is longer than any value may be', () => {
    const encoded = codec.encode({ kind: 'StateEntry', upto: 1, value: new Uint8Array(MAX_VALUE_BYTES) });
    expect(outcome(encoded)).toBe('BAD_RECORD');
  });

  it('names a foreign fingerprint and bytes of another kind', () => {
    expect(outcome(Buffer.concat([Buffer.from('c3010102030405060708', 'hex'), Buffer.alloc(4)]))).toBe(
      'UNKNOWN_SCHEMA',
    );
    expect(outcome(Buffer.from('{"id":"a JSON record"}'))).toBe('BAD_RECORD');
    expect(outcome(new Uint8Array())).toBe('BAD_RECORD');
    expect(claimedFingerprint(Buffer.from('c3010807060504030201', 'hex'))).toBe('0102030405060708');
    expect(() => expectKind({ kind: 'StateEntry', upto: 1, value: new Uint8Array() }, 'Label')).toThrow(
      expect.objectContaining({ code: 'BAD_RECORD' }),
    );
  });

  it('reads what an older writer wrote, with defaults for what it did not know', () => {
    const dir = withHistory('DeadLetter', (schema) => {
      schema.fields = schema.fields.filter((field) => field['name'] !== 'truncated');
    });
    const today = createCodec(dir);
    const past = mkdtempSync(join(tmpdir(), 'tocsin-topics-'));
    folders.push(past);
    cpSync(TOPICS_DIR, past, { recursive: true });
    cpSync(join(dir, 'history', 'DeadLetter.1.avsc'), join(past, 'records', 'DeadLetter.avsc'));
    const old = createCodec(past).encode({
      kind: 'DeadLetter',
      reason: 'bad_avro',
      detail: 'd',
      service: 'label',
      topic: 't',
      partition: 1,
      offset: 2,
      schemaFingerprint: null,
      bytes: Uint8Array.from([1, 2]),
      traceparent: null,
    } as never);
    expect(claimedFingerprint(old)).not.toBe(codec.fingerprint('DeadLetter'));
    expect(outcome(old)).toBe('UNKNOWN_SCHEMA');
    expect(plain(today.decode(old))).toMatchObject({
      kind: 'DeadLetter',
      reason: 'bad_avro',
      offset: 2,
      truncated: false,
    });
    for (let length = 10; length < old.length; length += 1)
      expect(() => today.decode(old.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'BAD_RECORD' }),
      );
  });

  it('guards lists of older writers too', () => {
    const dir = withHistory('Alert', (schema) => {
      schema.fields = schema.fields.filter((field) => field['name'] !== 'summary');
    });
    const schema = JSON.parse(readFileSync(join(dir, 'records', 'Alert.avsc'), 'utf8')) as {
      fields: Record<string, unknown>[];
    };
    for (const field of schema.fields) if (field['name'] === 'summary') field['default'] = '';
    writeFileSync(join(dir, 'records', 'Alert.avsc'), JSON.stringify(schema));
    const past = mkdtempSync(join(tmpdir(), 'tocsin-topics-'));
    folders.push(past);
    cpSync(TOPICS_DIR, past, { recursive: true });
    cpSync(join(dir, 'history', 'Alert.1.avsc'), join(past, 'records', 'Alert.avsc'));
    const fingerprint = Buffer.from(createCodec(past).fingerprint('Alert'), 'hex').reverse();
    const bomb = Buffer.concat([
      Buffer.from([0xc3, 0x01]),
      fingerprint,
      Buffer.alloc(3),
      long(3_000_000_000n),
    ]);
    expect(() => createCodec(dir).decode(bomb)).toThrow(
      expect.objectContaining({
        code: 'BAD_RECORD',
        message: expect.stringContaining('more items announced'),
      }),
    );
  });

  it('says which history it cannot use', () => {
    const incompatible = withHistory('StateEntry', (schema) => {
      for (const field of schema.fields) field['type'] = 'boolean';
    });
    expect(() => createCodec(incompatible)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }));
    const unknown = withHistory('StateEntry', () => {});
    writeFileSync(join(unknown, 'history', 'Gone.1.avsc'), JSON.stringify(recordSchema('StateEntry')));
    expect(() => createCodec(unknown)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }));
  });

  it('holds every list and map to items that take at least a byte', () => {
    const sizeless = (schema: AvroJson): boolean => {
      if (schema === 'null') return true;
      if (typeof schema !== 'object' || Array.isArray(schema)) return false;
      const node = schema as Readonly<Record<string, AvroJson>>;
      if (node['type'] === 'record')
        return (node['fields'] as unknown as { type: AvroJson }[]).every((field) => sizeless(field.type));
      if (node['type'] === 'fixed') return (node['size'] as unknown as number) === 0;
      return typeof node['type'] === 'object' && sizeless(node['type']);
    };
    const found: string[] = [];
    let collections = 0;
    const visit = (schema: AvroJson, where: string): void => {
      if (typeof schema === 'string') return;
      if (Array.isArray(schema)) {
        for (const branch of schema) visit(branch, where);
        return;
      }
      const node = schema as Readonly<Record<string, AvroJson>>;
      for (const part of ['items', 'values'] as const)
        if (node[part] !== undefined) {
          collections += 1;
          if (sizeless(node[part])) found.push(where);
          visit(node[part], where);
        }
      if (typeof node['type'] === 'object') visit(node['type'], where);
      for (const field of (node['fields'] ?? []) as unknown as { name: string; type: AvroJson }[])
        visit(field.type, `${where}.${field.name}`);
    };
    for (const kind of kinds) visit(recordSchema(kind), kind);
    expect(found).toEqual([]);
    expect(collections).toBeGreaterThan(10);
    expect(sharedTypeNames().length).toBeGreaterThan(0);
  });

  it('keeps the fingerprints that are out in the world', () => {
    // A changed line here means that a schema changed: keep the old one in topics/history/ first.
    expect(Object.fromEntries(kinds.map((kind) => [kind, codec.fingerprint(kind)]))).toMatchInlineSnapshot(`
      {
        "AdversarialSample": "e8e987fb60632b56",
        "Alert": "d674e99ecf6d1487",
        "AuditEntry": "0ee36cd042cd38cc",
        "Claim": "7e4b63fb2f1647ab",
        "DeadLetter": "cff957cc4d189531",
        "DesiredState": "d64084d07b353bc2",
        "Evidence": "55fbb8b59af10195",
        "Feedback": "16fa4f0ae47ce86c",
        "Label": "2c2baf5aa665696e",
        "MediaEvent": "3232a9631774c8a1",
        "MediaRequest": "df5ceb4ceba99ffb",
        "ModelRequest": "97fd3d13f033b16c",
        "PictureEvent": "b60e4b1f46e06553",
        "PostEvent": "43371641dd428ac9",
        "Ruling": "578467f348c815dd",
        "Rumour": "3626a2cfb09f7934",
        "Score": "c189108997d117ba",
        "ScoreRequest": "e57e8ebcd8c8559f",
        "StateEntry": "93557b8b7092de52",
      }
    `);
  });
});

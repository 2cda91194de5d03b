import avsc from 'avsc';
import { describe, expect, it } from 'vitest';
import { schemaFingerprint } from '../../../src/bus/codec.ts';
import { crc64Avro } from '../../../src/bus/crc64.ts';

const hex = (text: string): string =>
  crc64Avro(new TextEncoder().encode(text)).toString(16).padStart(16, '0');

describe('CRC-64-AVRO', () => {
  // Apache Avro, share/test/data/schema-tests.txt.
  it.each([
    ['"null"', '7195948357588979594'],
    ['"boolean"', '-6970731678124411036'],
    ['"int"', '8247732601305521295'],
    ['"long"', '-3434872931120570953'],
    ['"float"', '5583340709985441680'],
    ['"double"', '-8181574048448539266'],
    ['"bytes"', '5746618253357095269'],
    ['"string"', '-8142146995180207161'],
  ])('of %s is what the Avro project says', (canonical, signed) => {
    expect(BigInt.asIntN(64, crc64Avro(new TextEncoder().encode(canonical)))).toBe(BigInt(signed));
  });

  it('is that of the specification for "int"', () => {
    expect(hex('"int"')).toBe('7275d51a3f395c8f');
    expect(hex('')).toBe('c15d213aa4d7a795');
  });

  it('rests on the canonical form of a schema', () => {
    const noisy = avsc.Type.forSchema({
      type: 'record',
      name: 'R',
      namespace: 'a.b',
      doc: 'noise',
      fields: [
        {
          name: 'at',
          doc: 'noise',
          type: { type: 'long', logicalType: 'timestamp-millis' } as never,
          default: 1 as never,
        },
        { name: 'e', type: { type: 'enum', name: 'E', symbols: ['X'] } },
      ],
    });
    const canonical =
      '{"name":"a.b.R","type":"record","fields":[{"name":"at","type":"long"},{"name":"e","type":{"name":"a.b.E","type":"enum","symbols":["X"]}}]}';
    expect(schemaFingerprint(noisy)).toBe(hex(canonical));
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TocsinError } from '../../../../src/base/errors.ts';
import { type ChunkRecord, decodeChunk, encodeChunk } from '../../../../src/bus/embedded/chunk.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const name = fc.constantFrom('ce_id', 'ce_type', 'traceparent', 'Ü', '__x', '');
const records: fc.Arbitrary<ChunkRecord[]> = fc
  .array(
    fc.record({
      delta: fc.constant(0),
      timestamp: fc.integer({ min: 0, max: 2 ** 45 }),
      key: fc.option(text),
      headers: fc.dictionary(name, fc.constantFrom('', 'same', 'other', '🌊'), { noNullPrototype: true }),
      value: fc.option(fc.uint8Array({ maxLength: 50 })),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .chain((list) =>
    fc
      .array(fc.integer({ min: 1, max: 5 }), { minLength: list.length, maxLength: list.length })
      .map((gaps) => {
        let delta = -1;
        return list.map((record, i) => {
          delta += gaps[i] as number;
          return { ...record, delta };
        });
      }),
  );

const where = (base: number, from = base) => ({ topic: 't', partition: 3, base, from });

describe('chunk', () => {
  it('gives back what was put in, from any offset on', () => {
    fc.assert(
      fc.property(records, fc.nat(200), fc.nat(100), (list, base, skip) => {
        const found = decodeChunk(encodeChunk(list), where(base, base + skip));
        expect(found).toEqual(
          list
            .filter((record) => record.delta >= skip)
            .map(({ delta, ...rest }) => ({
              ...rest,
              topic: 't',
              partition: 3,
              offset: BigInt(base + delta),
            })),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('does not take header sets for one another', () => {
    const sets = [
      {},
      { '': 'x' },
      { 'a\0b': '1', c: '2' },
      { a: '1', 'b\0c': '2' },
      { b: '1', a: '2' },
      { a: '1', b: '2' },
    ];
    const list = sets.map(
      (headers, delta): ChunkRecord => ({ delta, timestamp: 1, key: 'k', headers, value: null }),
    );
    expect(decodeChunk(encodeChunk(list), where(0)).map((record) => record.headers)).toEqual(sets);
  });

  it('spells out repeated headers once', () => {
    const headers = {
      ce_type: 'tocsin.PostEvent.v1',
      ce_dataschema: '0123456789abcdef',
      'content-type': 'application/avro',
    };
    const one: ChunkRecord = { delta: 0, timestamp: 1, key: 'k', headers, value: new Uint8Array(10) };
    const many = Array.from({ length: 100 }, (_, delta) => ({ ...one, delta }));
    expect(encodeChunk(many).length).toBeLessThan(100 * 60);
  });

  it('is read whole or reported as damaged, never misread silently beyond its end', () => {
    const bytes = encodeChunk([
      { delta: 0, timestamp: 1, key: 'key', headers: { a: 'b' }, value: new Uint8Array(5) },
      { delta: 1, timestamp: 2, key: null, headers: {}, value: null },
    ]);
    for (let length = 0; length < bytes.length; length += 1) {
      const cut = (): unknown => decodeChunk(bytes.subarray(0, length), where(0));
      expect(cut).toThrow(TocsinError);
      expect(cut).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    }
  });
});

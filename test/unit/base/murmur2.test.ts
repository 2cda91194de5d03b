import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { murmur2, partitionOf } from '../../../src/base/murmur2.ts';

const utf8 = new TextEncoder();

describe('murmur2', () => {
  // org.apache.kafka.common.utils.UtilsTest#testMurmur2.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('of %s is what Java says', (key, hash) => {
    expect(murmur2(utf8.encode(key))).toBe(hash);
  });

  it('takes bytes above 127 as they are', () => {
    expect(murmur2(Uint8Array.from([0xff, 0x80, 0x7f, 0x00, 0xfe]))).not.toBe(
      murmur2(Uint8Array.from([0x7f, 0x00, 0x7f, 0x00, 0x7e])),
    );
  });
});

describe('partitionOf', () => {
  it('is a partition, always the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 100 }), (key, count) => {
        const partition = partitionOf(key, count);
        expect(Number.isInteger(partition) && partition >= 0 && partition < count).toBe(true);
        expect(partitionOf(key, count)).toBe(partition);
      }),
    );
  });

  it('drops the sign as Java does, instead of taking the absolute value', () => {
    expect(partitionOf('21', 6)).toBe((-973932308 & 0x7fffffff) % 6);
  });
});

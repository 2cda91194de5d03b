/** float16: every pattern survives the round trip, and rounding goes to the nearest, ties to even. */
import { describe, expect, it } from 'vitest';
import { fromHalves, halfTable, toHalves } from '../../../src/models/half.ts';

const half = (value: number): number => toHalves(Float32Array.of(value))[0] as number;

describe('float16', () => {
  it('brings every number back that it can hold', () => {
    const table = halfTable();
    const patterns = Uint16Array.from({ length: 65_536 }, (_, i) => i).filter(
      (i) => !Number.isNaN(table[i] as number),
    );
    expect(patterns).toHaveLength(65_536 - 2 * 1_023);
    expect(toHalves(fromHalves(patterns, table))).toEqual(patterns);
    expect(halfTable()[half(Number.NaN)]).toBeNaN();
  });

  it.each([
    [1 + 2 ** -11, 0x3c00], // half way, down to even
    [1 + 3 * 2 ** -11, 0x3c02], // half way, up to even
    [1 + 2 ** -11 + 2 ** -20, 0x3c01],
    [2047.5 * 2, 0x6c00], // carries into the exponent
    [65_519, 0x7bff],
    [65_520, 0x7c00],
    [1e30, 0x7c00],
    [-1e30, 0xfc00],
    [2 ** -25, 0], // half of the smallest, down to even
    [2 ** -25 * 1.01, 1],
    [1e-30, 0],
    [-0, 0x8000],
  ])('%d is 0x%i', (value, bits) => {
    expect(half(value)).toBe(bits);
  });
});

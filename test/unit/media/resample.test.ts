import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { luma, type Pixels, resample } from '../../../src/media/resample.ts';

const row = (...data: number[]): Pixels => ({
  data: Uint8Array.from(data),
  width: data.length,
  height: 1,
  channels: 1,
});

describe('resample', () => {
  it('leaves a picture of the same size as it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 36, maxLength: 36 }), (data) => {
        expect(resample({ data, width: 4, height: 3, channels: 3 }, 4, 3).data).toEqual(data);
      }),
    );
  });

  it('never leaves the range of its input and keeps a plain colour', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 35, maxLength: 35 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        (data, width, height) => {
          const out = resample({ data, width: 7, height: 5, channels: 1 }, width, height).data;
          expect(out).toHaveLength(width * height);
          expect(Math.min(...out)).toBeGreaterThanOrEqual(Math.min(...data));
          expect(Math.max(...out)).toBeLessThanOrEqual(Math.max(...data));
        },
      ),
    );
    const plain = { data: new Uint8Array(300).fill(77), width: 10, height: 10, channels: 3 };
    expect(new Set(resample(plain, 64, 3).data)).toEqual(new Set([77]));
  });

  it('widens the filter when it shrinks (no aliasing) and interpolates when it grows', () => {
    expect([...resample(row(0, 255, 0, 255, 0, 255, 0, 255), 2, 1).data]).toEqual([118, 137]);
    expect([...resample(row(0, 100), 4, 1).data]).toEqual([0, 25, 75, 100]);
  });
});

describe('luma', () => {
  it('weighs red, green and blue', () => {
    const data = Uint8Array.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]);
    expect([...luma({ data, width: 4, height: 1, channels: 3 }).data]).toEqual([76, 150, 29, 255]);
  });
});

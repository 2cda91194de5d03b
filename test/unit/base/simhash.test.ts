import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hammingHex, popcount32, simhash64 } from '../../../src/base/simhash.ts';

const FLOOD = 'The bridge over the Guadalupe river has collapsed, nobody may cross it tonight';

describe('simhash64', () => {
  it('gives 16 hex digits, always the same ones', () => {
    expect(simhash64(FLOOD)).toMatch(/^[0-9a-f]{16}$/);
    expect(simhash64(FLOOD)).toBe(simhash64(FLOOD));
    // A pin: evidence records and states of older runs carry these hashes.
    expect(simhash64(FLOOD)).toBe('030f6c63b43c8c8e');
  });

  it('looks past case, punctuation, emoji and white space', () => {
    const dressed = `  ${FLOOD.toUpperCase().replaceAll(' ', '\t ')}!!! 🌊🌊 🔗 @⋯`;
    expect(simhash64(dressed)).toBe(simhash64(FLOOD));
  });

  it('puts near-duplicates near and other texts far', () => {
    const near = hammingHex(simhash64(FLOOD), simhash64(`${FLOOD}!`.replace('tonight', 'to-night')));
    const other = hammingHex(
      simhash64(FLOOD),
      simhash64('Volunteers hand out drinking water and blankets at the stadium since noon'),
    );
    expect(near).toBeLessThanOrEqual(5);
    expect(other).toBeGreaterThan(15);
  });

  it('says nothing of texts too short to compare', () => {
    expect(simhash64('')).toBe('');
    expect(simhash64('pray for houston')).toBe('');
    expect(simhash64('🙏'.repeat(60))).toBe('');
  });

  it('compares scripts without spaces: a dense character counts double', () => {
    const quake = '昨夜の地震で駅前の橋が崩れました';
    expect(simhash64(quake)).not.toBe('');
    expect(simhash64('地震です')).toBe('');
    expect(hammingHex(simhash64(quake), simhash64(`${quake}。`))).toBe(0);
  });

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(simhash64(text)).toMatch(/^([0-9a-f]{16})?$/);
      }),
    );
  });
});

describe('hammingHex', () => {
  it('counts differing bits as BigInt would', () => {
    const hash = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
    fc.assert(
      fc.property(hash, hash, (a, b) => {
        const hex = (v: bigint): string => v.toString(16).padStart(16, '0');
        const bits = [...(a ^ b).toString(2)].filter((bit) => bit === '1').length;
        expect(hammingHex(hex(a), hex(b))).toBe(bits);
      }),
    );
    expect(popcount32(-1)).toBe(32);
  });
});

/** What every encoder promises; encoders.test.ts runs it for each one that is on this machine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/base/log.ts';
import { seededRandom } from '../../../src/base/random.ts';
import type { EncoderRow } from '../../../src/models/encoders/catalogue.ts';
import type { Encoder, Modality, Packed, Samples } from '../../../src/models/encoders/contract.ts';
import { openEncoder } from '../../../src/models/encoders/open.ts';
import { fits, type Unpacked, unpacker } from '../../../src/models/encoders/pack.ts';

const LONG_WORD = 'floodwater'.repeat(60);
const TEXTS: readonly string[] = [
  'Flood water is over the old bridge in Port Alder, please send boats.',
  '',
  'ok',
  'RT @someone: #flood http://example.org/x 3 people missing!!!',
  'Wasser steht in der Straße, bitte räumen',
  '地震发生在山区，道路中断',
  'زلزال قوي يضرب المدينة',
  '🌊🏚️🙏',
  `broken \ud83c half of a pair`,
  LONG_WORD,
  'the river is still rising and '.repeat(20_000),
  'A much longer report: the council opened two schools as shelters, the road to the north is closed, and power is out.',
];

/** One colour everywhere: what a picture of one pixel becomes. */
const flat = (r: number, g: number, b: number): Uint8Array =>
  Uint8Array.from({ length: 224 * 224 * 3 }, (_, i) => [r, g, b][i % 3] as number);
function noisy(seed: number): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length: 224 * 224 * 3 }, () => Math.floor(random() * 256));
}
const gradient = Uint8Array.from(
  { length: 224 * 224 * 3 },
  (_, i) => (Math.floor(i / 3) % 224) ^ ((i % 3) * 40),
);
const PICTURES: readonly Uint8Array[] = [
  noisy(1),
  flat(200, 30, 10),
  gradient,
  flat(0, 0, 0),
  flat(255, 255, 255),
];

const SAMPLES: { readonly [M in Modality]: readonly Samples[M][] } = { text: TEXTS, image: PICTURES };

export function describeEncoder(row: EncoderRow, dir: string): void {
  describe(`encoder ${row.id}`, () => {
    const samples = SAMPLES[row.modality] as readonly Samples[typeof row.modality][];
    let encoder: Encoder;
    let rows: readonly Packed[];
    let unpack: (packed: Packed) => Unpacked;

    beforeAll(async () => {
      encoder = await openEncoder(row, row.modality, { dir, threads: 2, log: silentLog });
      rows = await encoder.encode(samples);
      unpack = unpacker(encoder.outputs);
    });
    afterAll(() => encoder.close());

    it('says what it is', () => {
      const { id, version, modality, outputs, differentiable, preprocess, weights } = encoder;
      expect({ id, version, modality, outputs }).toEqual({
        id: row.id,
        version: row.version,
        modality: row.modality,
        outputs: row.outputs,
      });
      expect(differentiable).toBe(false);
      expect(preprocess).toMatch(/^[0-9a-f]{64}$/);
      expect(weights.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(weights.licence).not.toBe('');
    });

    it('gives each sample of a batch what it gives the sample alone, bit for bit', async () => {
      for (const [i, sample] of samples.entries())
        expect([(await encoder.encode([sample]))[0], `sample ${i}`]).toEqual([rows[i], `sample ${i}`]);
    });

    it('does not depend on order and company', async () => {
      const order = samples.map((_, i) => (i * 7 + 3) % samples.length);
      const shuffled = await encoder.encode(order.map((i) => samples[i] as (typeof samples)[number]));
      expect(shuffled).toEqual(order.map((i) => rows[i]));
    });

    it('gives the same on a fresh start', async () => {
      const again = await openEncoder(row, row.modality, { dir, threads: 1, log: silentLog });
      try {
        expect(await again.encode(samples)).toEqual(rows);
        expect(again.preprocess).toBe(encoder.preprocess);
      } finally {
        await again.close();
      }
    });

    it('gives outputs of the declared sizes, all of them numbers', () => {
      for (const packed of rows) {
        expect(fits(encoder.outputs, packed.length)).toBe(true);
        const parts = unpack(packed);
        for (const { name, dims } of encoder.outputs) {
          const values = parts[name] as Float32Array;
          expect(values.every(Number.isFinite)).toBe(true);
          const [first, size] = dims;
          if (first !== null) expect(values).toHaveLength(first as number);
          else {
            expect(values.length % (size as number)).toBe(0);
            expect(values.length / (size as number)).toBeLessThanOrEqual(row.maxTokens);
          }
        }
      }
    });

    it('tells different samples apart', () => {
      const seen = new Set(
        [rows[0], rows[2], rows[3]].map((packed) => Buffer.from(packed as Packed).toString('hex')),
      );
      expect(seen.size).toBe(3);
    });

    it('takes an empty batch', async () => {
      expect(await encoder.encode([])).toEqual([]);
    });

    if (row.modality === 'text') {
      it('reads an empty text as its two marks and a very long one up to the limit', () => {
        const lengthOf = (text: string): number => {
          const { tokens, sentence } = unpack(rows[samples.indexOf(text)] as Packed);
          return (tokens?.length ?? 0) / (sentence?.length ?? 1);
        };
        expect(lengthOf('')).toBe(2);
        expect(lengthOf(TEXTS[10] as string)).toBe(row.maxTokens);
      });

      it('gives the mean of the token vectors as the sentence', () => {
        const { tokens, sentence } = unpack(rows[0] as Packed) as Record<string, Float32Array>;
        const d = (sentence as Float32Array).length;
        const n = (tokens as Float32Array).length / d;
        (sentence as Float32Array).forEach((value, j) => {
          let sum = 0;
          for (let i = 0; i < n; i += 1) sum += (tokens as Float32Array)[i * d + j] as number;
          expect(Math.abs(value - sum / n)).toBeLessThanOrEqual(1e-3 * Math.max(1, Math.abs(value)));
        });
      });
    } else
      it('refuses a picture of another size', async () => {
        await expect(encoder.encode([new Uint8Array(64 * 64 * 3)] as never)).rejects.toMatchObject({
          code: 'BAD_RECORD',
        });
      });
  });
}

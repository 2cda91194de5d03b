import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type PerceptualHashes, perceptualHashes } from '../../../src/media/perceptual-hash.ts';
import { resample } from '../../../src/media/resample.ts';
import { fixturePicture } from '../../support/pictures.ts';

const SCENES = ['scene.jpg', ...Array.from({ length: 7 }, (_, i) => `scene-${i + 2}.jpg`)];

async function hashOf(bytes: Uint8Array): Promise<PerceptualHashes> {
  const { data, info } = await sharp(bytes)
    .resize(224, 224, { fit: 'inside', withoutEnlargement: true })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const small = { data, width: info.width, height: info.height, channels: info.channels };
  const hashes = perceptualHashes(resample(small, 64, 64));
  if (!hashes) throw new Error('no hash');
  return hashes;
}

function distance(a: string, b: string): number {
  let bits = BigInt(`0x${a}`) ^ BigInt(`0x${b}`);
  let count = 0;
  for (; bits > 0n; bits >>= 1n) count += Number(bits & 1n);
  return count;
}

describe('perceptualHashes', () => {
  it.each(SCENES)('is at most 4 bits off in copies of %s', async (name) => {
    const bytes = fixturePicture(name);
    const { hash } = await hashOf(bytes);
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
    const copies = await Promise.all([
      sharp(bytes).jpeg({ quality: 30 }).toBuffer(),
      sharp(bytes).webp({ quality: 40 }).toBuffer(),
      sharp(bytes).png().toBuffer(),
      sharp(bytes).resize(150).jpeg({ quality: 60 }).toBuffer(),
      sharp(bytes).resize(1_000).jpeg({ quality: 60 }).toBuffer(),
      sharp(bytes).modulate({ brightness: 1.05 }).jpeg().toBuffer(),
      sharp(bytes).greyscale().jpeg().toBuffer(),
    ]);
    for (const copy of copies) expect(distance((await hashOf(copy)).hash, hash)).toBeLessThanOrEqual(4);
  });

  it.each(SCENES)('finds the mirrored %s by the flipped hash', async (name) => {
    const bytes = fixturePicture(name);
    const original = await hashOf(bytes);
    const mirrored = await hashOf(await sharp(bytes).flop().jpeg({ quality: 60 }).toBuffer());
    expect(distance(mirrored.hash, original.flipped)).toBeLessThanOrEqual(4);
    expect(distance(mirrored.flipped, original.hash)).toBeLessThanOrEqual(4);
    expect(distance(mirrored.hash, original.hash)).toBeGreaterThan(10);
  });

  it('keeps unrelated scenes more than 10 bits apart', async () => {
    const hashes = await Promise.all(SCENES.map((name) => hashOf(fixturePicture(name))));
    for (const [i, a] of hashes.entries())
      for (const b of hashes.slice(i + 1)) {
        expect(distance(a.hash, b.hash)).toBeGreaterThan(10);
        expect(distance(a.hash, b.flipped)).toBeGreaterThan(10);
      }
  });

  it('gives a plain colour no hash, since it would equal every other plain colour', () => {
    for (const value of [0, 128, 255])
      expect(
        perceptualHashes({
          data: new Uint8Array(60 * 40 * 3).fill(value),
          width: 60,
          height: 40,
          channels: 3,
        }),
      ).toBeNull();
  });

  it('equals the definition, computed slowly', () => {
    // A 32 × 32 picture is not resampled, so the DCT can be written out.
    const data = new Uint8Array(32 * 32 * 3);
    const grey = (x: number, y: number): number => (x * x * 7 + y * 31 + x * y * 3) % 256;
    for (let y = 0; y < 32; y += 1)
      for (let x = 0; x < 32; x += 1) data.fill(grey(x, y), (y * 32 + x) * 3, (y * 32 + x) * 3 + 3);
    const coefficients: number[] = [];
    for (let v = 0; v < 8; v += 1)
      for (let u = 0; u < 8; u += 1) {
        let sum = 0;
        for (let y = 0; y < 32; y += 1)
          for (let x = 0; x < 32; x += 1)
            sum +=
              grey(x, y) *
              Math.cos((Math.PI * u * (2 * x + 1)) / 64) *
              Math.cos((Math.PI * v * (2 * y + 1)) / 64);
        coefficients.push(sum);
      }
    const median = [...coefficients.slice(1)].sort((a, b) => a - b)[31] as number;
    const bits = coefficients.map((value) => (value > median ? '1' : '0')).join('');
    const expected = BigInt(`0b${bits}`).toString(16).padStart(16, '0');
    expect(perceptualHashes({ data, width: 32, height: 32, channels: 3 })?.hash).toBe(expected);
  });
});

import sharp from 'sharp';
import { thumbHashToRGBA } from 'thumbhash';
import { describe, expect, it } from 'vitest';
import { type Decoded, decodePicture } from '../../../src/media/decode.ts';
import { shutLoaders } from '../../../src/media/image-check.ts';
import { fixturePicture } from '../../support/pictures.ts';

shutLoaders();

async function decoded(bytes: Uint8Array): Promise<Decoded> {
  const answer = await decodePicture(bytes);
  if ('refused' in answer) throw new Error(`refused: ${answer.refused} ${answer.detail}`);
  return answer;
}
const fixture = (name: string): Promise<Decoded> => decoded(fixturePicture(name));

/** Mean difference per byte. */
function difference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += Math.abs((a[i] as number) - (b[i] as number));
  return sum / a.length;
}

describe('decodePicture', () => {
  it('gives the model 64 × 64 RGB, a thumbhash and a preview without metadata', async () => {
    const picture = await fixture('rotated.jpg');
    expect(picture.pixels64).toHaveLength(12_288);
    expect(picture.thumbhash.length).toBeLessThanOrEqual(25);
    const preview = await sharp(picture.preview).metadata();
    expect(preview).toMatchObject({ format: 'jpeg', width: 224, height: 168 });
    expect(preview.exif ?? preview.icc ?? preview.orientation).toBeUndefined();
    const { w, h } = thumbHashToRGBA(picture.thumbhash);
    expect(w / h).toBeCloseTo(4 / 3, 0);
  });

  it('gives the same bytes for the same bytes', async () => {
    const bytes = fixturePicture('scene.jpg');
    const [first, ...others] = await Promise.all(Array.from({ length: 4 }, () => decoded(bytes)));
    for (const other of others) expect(other).toEqual(first);
  });

  it.each([
    ['still.webp', 6],
    ['rotated.jpg', 6],
    ['cmyk.jpg', 16],
    ['sixteen-bit.png', 12],
    ['alpha.png', 6],
    ['animated.webp', 14],
    ['polyglot.jpg', 0],
  ])('sees in %s the scene that it was drawn from', async (name, limit) => {
    const scene = await fixture('scene.jpg');
    expect(difference((await fixture(name)).pixels64, scene.pixels64)).toBeLessThanOrEqual(limit);
    expect(difference((await fixture('scene-3.jpg')).pixels64, scene.pixels64)).toBeGreaterThan(30);
  });

  it('tiles grey into three equal channels', async () => {
    const { pixels64 } = await fixture('grey.jpg');
    for (let i = 0; i < pixels64.length; i += 3)
      expect([pixels64[i + 1], pixels64[i + 2]]).toEqual([pixels64[i], pixels64[i]]);
  });

  it('stretches, does not crop', async () => {
    // Left half red, right half blue, four times as wide as high: both halves are still there.
    const wide = Buffer.alloc(400 * 100 * 3);
    for (let i = 0; i < 40_000; i += 1) wide[i * 3 + (i % 400 < 200 ? 0 : 2)] = 255;
    const png = await sharp(wide, { raw: { width: 400, height: 100, channels: 3 } })
      .png()
      .toBuffer();
    const { pixels64 } = await decoded(png);
    const at = (x: number, y: number): number[] => [
      ...pixels64.subarray((y * 64 + x) * 3, (y * 64 + x) * 3 + 3),
    ];
    expect(at(0, 0)).toEqual([255, 0, 0]);
    expect(at(20, 63)).toEqual([255, 0, 0]);
    expect(at(44, 0)).toEqual([0, 0, 255]);
    expect(at(63, 63)).toEqual([0, 0, 255]);
  });

  it('does not enlarge the preview of a small picture', async () => {
    const small = await sharp(Buffer.alloc(10 * 8 * 3, 90), { raw: { width: 10, height: 8, channels: 3 } })
      .png()
      .toBuffer();
    const picture = await decoded(small);
    expect(await sharp(picture.preview).metadata()).toMatchObject({ width: 10, height: 8 });
    expect(picture.pixels64.every((value) => value === 90)).toBe(true);
  });

  it('takes very long and one-pixel pictures', async () => {
    for (const [width, height] of [
      [1, 1],
      [3_000, 2],
      [2, 3_000],
    ] as const) {
      const png = await sharp(Buffer.alloc(width * height * 3, 10), { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer();
      expect((await decoded(png)).pixels64).toHaveLength(12_288);
    }
  });

  it.each(['truncated.jpg', 'damaged.jpg', 'header-says-more-rows.png'])('refuses %s', async (name) => {
    expect(await decodePicture(fixturePicture(name))).toMatchObject({ refused: 'broken_picture' });
  });

  it('refuses a bomb even when nobody has checked it', async () => {
    expect(await decodePicture(fixturePicture('bomb-256-megapixels.png'))).toMatchObject({
      refused: 'too_many_pixels',
    });
  });
});

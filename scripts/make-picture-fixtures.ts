/**
 * Draws the pictures that the tests of the media worker use, good ones and bad ones, into test/fixtures/pictures/.
 *   node --import tsx scripts/make-picture-fixtures.ts
 * Everything is rendered here: no photograph is in it. Encoders of another sharp version may give other bytes.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { drawScene } from './lib/scenes.ts';

const folder = fileURLToPath(new URL('../test/fixtures/pictures', import.meta.url));
mkdirSync(folder, { recursive: true });
const write = (name: string, bytes: Uint8Array): void => {
  writeFileSync(join(folder, name), bytes);
  console.log(`${name}  ${bytes.length} B`);
};

const draw = (seed: number, width = 480, height = 360): Sharp =>
  sharp(Buffer.from(drawScene(seed, width, height)));
const jpeg = (image: Sharp, quality = 80): Promise<Buffer> =>
  image.removeAlpha().jpeg({ quality }).toBuffer();

const scene = await jpeg(draw(1));
write('scene.jpg', scene);
for (let seed = 2; seed <= 8; seed += 1) write(`scene-${seed}.jpg`, await jpeg(draw(seed, 320, 240), 70));

write('alpha.png', await draw(1, 160, 120).removeAlpha().ensureAlpha(0.5).png().toBuffer());
write('grey.jpg', await draw(1, 320, 240).greyscale().jpeg({ quality: 75 }).toBuffer());
write(
  'cmyk.jpg',
  await draw(1, 320, 240).removeAlpha().toColourspace('cmyk').jpeg({ quality: 75 }).toBuffer(),
);
write('sixteen-bit.png', await draw(1, 48, 36).removeAlpha().toColourspace('rgb16').png().toBuffer());
write('still.webp', await draw(1, 320, 240).webp({ quality: 75 }).toBuffer());

const frames = await Promise.all([1, 2, 3].map((seed) => draw(seed, 120, 90).ensureAlpha().png().toBuffer()));
write(
  'animated.webp',
  await sharp(frames, { join: { animated: true } })
    .webp({ quality: 60, delay: [100, 100, 100], loop: 0 })
    .toBuffer(),
);
write(
  'animated.gif',
  await sharp(frames, { join: { animated: true } })
    .gif()
    .toBuffer(),
);

// Stored lying on its side, to be shown upright: EXIF orientation 6.
const upright = await draw(1, 320, 240).removeAlpha().png().toBuffer();
write(
  'rotated.jpg',
  await sharp(upright).rotate(270).withMetadata({ orientation: 6 }).jpeg({ quality: 80 }).toBuffer(),
);

write('scene.tif', await draw(1, 64, 48).removeAlpha().tiff({ compression: 'lzw' }).toBuffer());
write('drawing.svg', Buffer.from(drawScene(1, 64, 48)));
write('declared.svg', Buffer.from(`<?xml version="1.0"?>\n<!-- a drawing -->\n${drawScene(1, 64, 48)}`));
write('page.jpg', Buffer.from('<!doctype html><title>Gone</title><p>This picture was removed.</p>\n'));
write('empty.jpg', Buffer.alloc(0));
write('truncated.jpg', scene.subarray(0, Math.floor(scene.length * 0.6)));
const broken = Buffer.from(scene);
broken.fill(0x41, 4, 600);
write('damaged.jpg', broken);

// An empty ZIP archive behind the picture: one file that is two things.
const zip = Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18)]);
write('polyglot.jpg', Buffer.concat([scene, zip]));

/** A PNG of one plain colour, written by hand so that size and header can be anything. */
function plainPng(width: number, height: number, rows: number): Buffer {
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 1; // one bit, grey
  const row = 1 + Math.ceil(width / 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(row * rows), { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
write('bomb-256-megapixels.png', plainPng(16_000, 16_000, 16_000));
write('header-says-900-megapixels.png', plainPng(30_000, 30_000, 1));
write('header-says-more-rows.png', plainPng(800, 600, 10));

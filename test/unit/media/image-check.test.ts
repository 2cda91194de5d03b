import { describe, expect, it } from 'vitest';
import { checkPicture, shutLoaders, sniff } from '../../../src/media/image-check.ts';
import { fixturePicture } from '../../support/pictures.ts';

shutLoaders();
const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');

describe('sniff', () => {
  it.each([
    ['scene.jpg', 'jpeg'],
    ['alpha.png', 'png'],
    ['still.webp', 'webp'],
  ])('knows %s by its first bytes', (name, kind) => {
    expect(sniff(fixturePicture(name))).toBe(kind);
  });

  it.each([
    ['GIF', 'GIF89a'],
    ['TIFF', 'II*\0'],
    ['TIFF, big end first', 'MM\0*'],
    ['BMP', 'BM1234'],
    ['PDF', '%PDF-1.7'],
    ['HEIC', '\0\0\0\x18ftypheic'],
    ['AVIF', '\0\0\0\x18ftypavif'],
    ['ICO', '\0\0\x01\0'],
    ['PSD', '8BPS'],
    ['JPEG XL', '\xff\x0a'],
    ['SVG', '  <svg xmlns="http://www.w3.org/2000/svg">'],
    ['SVG with a declaration', '<?xml version="1.0"?>\n<!-- x -->\n<svg>'],
  ])('says of %s that it is not looked at', (_, head) => {
    expect(sniff(latin1(head))).toMatchObject({ refused: 'unsupported_format' });
  });

  it.each(['<!doctype html>', '{"error":404}', 'RIFF\0\0\0\0WAVE', '\xff\xd8', '\x89PNG', 'plain words'])(
    'says of %j that it is no picture',
    (head) => {
      expect(sniff(latin1(head))).toMatchObject({ refused: 'not_a_picture' });
    },
  );

  it('stays quick on a head made to be slow', () => {
    const head = latin1(' '.repeat(500) + '<?xml'.repeat(500));
    expect(sniff(head)).toMatchObject({ refused: 'not_a_picture' });
  });
});

describe('checkPicture', () => {
  it.each([
    'scene.jpg',
    'alpha.png',
    'grey.jpg',
    'cmyk.jpg',
    'sixteen-bit.png',
    'still.webp',
    'animated.webp',
    'rotated.jpg',
    'polyglot.jpg',
  ])('lets %s be decoded', async (name) => {
    expect(await checkPicture(fixturePicture(name))).toBeNull();
  });

  it.each([
    ['drawing.svg', 'unsupported_format'],
    ['declared.svg', 'unsupported_format'],
    ['animated.gif', 'unsupported_format'],
    ['scene.tif', 'unsupported_format'],
    ['page.jpg', 'not_a_picture'],
    ['empty.jpg', 'empty'],
    ['damaged.jpg', 'broken_picture'],
    ['bomb-256-megapixels.png', 'too_many_pixels'],
    ['header-says-900-megapixels.png', 'too_many_pixels'],
  ])('refuses %s: %s', async (name, code) => {
    expect(await checkPicture(fixturePicture(name))).toMatchObject({ refused: code });
  });

  it('does not read kinds that only wear the first bytes of an allowed one', async () => {
    for (const head of ['\xff\xd8\xff', '\x89PNG\r\n\x1a\n', 'RIFF\0\0\0\0WEBP']) {
      const svg = Buffer.concat([latin1(head), fixturePicture('drawing.svg')]);
      expect(await checkPicture(svg)).toMatchObject({ refused: 'broken_picture' });
    }
  });
});

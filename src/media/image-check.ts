/** What kind of picture the bytes are: by their first bytes, whatever anybody says of them. */
import sharp, { type SharpOptions } from 'sharp';
import { type Refused, refuse } from './refusal.ts';

/** The kinds that are decoded. */
export type PictureKind = 'jpeg' | 'png' | 'webp';

/** 20 megapixels: what a camera makes, not what a bomb unfolds to. */
export const MAX_PIXELS: number = 20_000_000;

/** How sharp is to read untrusted bytes. Only the first picture of an animation is looked at. */
export const READ_OPTIONS: SharpOptions = {
  limitInputPixels: MAX_PIXELS,
  pages: 1,
  failOn: 'error',
  sequentialRead: true,
};

/**
 * Shuts every loader of libvips but three. Process-wide, so the decoding process calls it once, first of all.
 * (sharp decodes SVG, GIF and TIFF otherwise.)
 */
export function shutLoaders(): void {
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({
    operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer'],
  });
  sharp.concurrency(1);
  sharp.cache(false);
}

const ascii = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1', from, to);

/** Starts of kinds that are pictures (or contain some) but are not decoded. */
const OTHERS: readonly ((head: string) => boolean)[] = [
  (head) => head.startsWith('GIF8'),
  (head) => head.startsWith('II*\0') || head.startsWith('MM\0*'),
  (head) => head.startsWith('BM'),
  (head) => head.startsWith('%PDF'),
  (head) => head.startsWith('8BPS'),
  (head) => head.startsWith('\0\0\x01\0'),
  (head) => head.slice(4, 8) === 'ftyp',
  (head) => head.startsWith('\xff\x0a') || head.startsWith('\0\0\0\x0cJXL '),
  (head) => /^\s*(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--[^>]{0,200}>\s*)?<svg[\s>]/i.test(head),
];

/** The kind by magic bytes, or the refusal. */
export function sniff(bytes: Uint8Array): PictureKind | Refused {
  if (bytes.length === 0) return refuse('empty');
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'jpeg';
  if (ascii(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'webp';
  const head = ascii(bytes, 0, 512);
  return OTHERS.some((matches) => matches(head))
    ? refuse('unsupported_format', JSON.stringify(head.slice(0, 8)))
    : refuse('not_a_picture', JSON.stringify(head.slice(0, 8)));
}

/** Checks kind and size without decoding; null when the picture may be decoded. */
export async function checkPicture(bytes: Uint8Array): Promise<Refused | null> {
  const kind = sniff(bytes);
  if (typeof kind !== 'string') return kind;
  try {
    const { width, height, format } = await sharp(bytes, READ_OPTIONS).metadata();
    // The loader must agree with the magic bytes.
    if (format !== kind) return refuse('broken_picture', `${kind} read as ${format}`);
    if (width * height > MAX_PIXELS) return refuse('too_many_pixels', `${width} x ${height}`);
    return null;
  } catch (error) {
    return refusalOfSharp(error);
  }
}

/** libvips tells of its troubles in words only. */
export function refusalOfSharp(error: unknown): Refused {
  const words = error instanceof Error ? error.message : String(error);
  return refuse(/exceeds pixel limit/i.test(words) ? 'too_many_pixels' : 'broken_picture', words);
}

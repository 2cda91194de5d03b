/** Pixels and fingerprints of a data set's pictures, decoded when they are first wanted and as the media worker does it. */
import { readFile } from 'node:fs/promises';
import { type Decoded, decodePicture } from '../media/decode.ts';
import { checkPicture } from '../media/image-check.ts';
import type { PerceptualHashes } from '../media/perceptual-hash.ts';
import { previewPixels } from '../media/preview.ts';
import type { Example, Picture } from './dataset.ts';

export interface Pictures {
  /** RGB bytes, [64, 64, 3]; null for no picture, no file, or a file that the media worker would refuse. */
  pixels(picture: Picture | null): Promise<Uint8Array | null>;
  /** RGB bytes for the encoders, [224, 224, 3]; null as above. */
  large(picture: Picture | null): Promise<Uint8Array | null>;
  /** Null where there are no pixels, or nothing to be seen on them. */
  hashes(picture: Picture | null): Promise<PerceptualHashes | null>;
}

type Seen = Pick<Decoded, 'pixels64' | 'perceptualHash' | 'perceptualHashFlipped'>;

/**
 * Each file is decoded once and 12 KB of it are kept.
 * @param keepLarge also keeps the 150 KB of each that the encoders want, for many runs on one data set
 */
export function openPictures({ keepLarge = false }: { readonly keepLarge?: boolean } = {}): Pictures {
  const known = new Map<string, Promise<Seen | null>>();
  const kept = new Map<string, Promise<Uint8Array | null>>();
  const seen = (picture: Picture | null): Promise<Seen | null> => {
    const file = picture?.file ?? null;
    if (file === null) return Promise.resolve(null);
    const before = known.get(file) ?? small(file);
    known.set(file, before);
    return before;
  };
  return {
    pixels: async (picture) => (await seen(picture))?.pixels64 ?? null,
    large(picture) {
      const file = picture?.file ?? null;
      if (file === null) return Promise.resolve(null);
      const pixels = kept.get(file) ?? large(file);
      if (keepLarge) kept.set(file, pixels);
      return pixels;
    },
    async hashes(picture) {
      const { perceptualHash: hash, perceptualHashFlipped: flipped } = (await seen(picture)) ?? {};
      return hash && flipped ? { hash, flipped } : null;
    },
  };
}

/** The pixels of each example's picture, in order. */
export async function pixelsOf(
  examples: readonly Pick<Example, 'picture'>[],
  pictures: Pictures,
): Promise<(Uint8Array | null)[]> {
  const all: (Uint8Array | null)[] = [];
  for (const { picture } of examples) all.push(await pictures.pixels(picture));
  return all;
}

/** Fingerprints of the pictures that can be had, by key; what `splitBy` tells pictures apart by. */
export async function hashesOf(
  examples: readonly Pick<Example, 'picture'>[],
  pictures: Pictures,
): Promise<Map<string, PerceptualHashes>> {
  const all = new Map<string, PerceptualHashes>();
  for (const { picture } of examples) {
    if (picture === null || all.has(picture.key)) continue;
    const hashes = await pictures.hashes(picture);
    if (hashes) all.set(picture.key, hashes);
  }
  return all;
}

async function small(file: string): Promise<Seen | null> {
  const decoded = await decode(file);
  if (!decoded) return null;
  const { pixels64, perceptualHash, perceptualHashFlipped } = decoded;
  return { pixels64, perceptualHash, perceptualHashFlipped };
}

async function large(file: string): Promise<Uint8Array | null> {
  const decoded = await decode(file);
  return decoded && previewPixels(decoded.preview);
}

async function decode(file: string): Promise<Decoded | null> {
  const bytes = await readFile(file);
  if (await checkPicture(bytes)) return null;
  const decoded = await decodePicture(bytes);
  return 'refused' in decoded ? null : decoded;
}

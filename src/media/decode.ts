/** Decodes an untrusted picture once and derives everything that Tocsin keeps of it. */
import sharp from 'sharp';
import { rgbaToThumbHash } from 'thumbhash';
import { READ_OPTIONS, refusalOfSharp } from './image-check.ts';
import { perceptualHashes } from './perceptual-hash.ts';
import type { Refused } from './refusal.ts';
import { type Pixels, resample } from './resample.ts';

/** Longest side of the decoded picture and of the preview. */
export const PREVIEW_SIDE: number = 224;
/** Side of what the model sees. */
export const MODEL_SIDE: number = 64;
const THUMB_SIDE = 32;

export interface Decoded {
  /** 64 × 64 RGB, 12,288 bytes: stretched, not cropped. */
  readonly pixels64: Uint8Array;
  /** Null for a picture without features. */
  readonly perceptualHash: string | null;
  readonly perceptualHashFlipped: string | null;
  readonly thumbhash: Uint8Array;
  /** JPEG without metadata, longest side at most 224. */
  readonly preview: Uint8Array;
}

/**
 * Everything of a picture that `checkPicture` let through. Upright as its EXIF says, alpha dropped, grey and CMYK
 * turned into sRGB. The same bytes give the same result.
 */
export async function decodePicture(bytes: Uint8Array): Promise<Decoded | Refused> {
  let small: Pixels;
  try {
    const { data, info } = await sharp(bytes, READ_OPTIONS)
      .autoOrient()
      .resize(PREVIEW_SIDE, PREVIEW_SIDE, { fit: 'inside', withoutEnlargement: true })
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    small = { data, width: info.width, height: info.height, channels: info.channels };
  } catch (error) {
    return refusalOfSharp(error);
  }
  const hashes = perceptualHashes(small);
  return {
    pixels64: resample(small, MODEL_SIDE, MODEL_SIDE).data,
    perceptualHash: hashes?.hash ?? null,
    perceptualHashFlipped: hashes?.flipped ?? null,
    thumbhash: thumbhash(small),
    preview: await sharp(small.data, { raw: { width: small.width, height: small.height, channels: 3 } })
      .jpeg({ quality: 80 })
      .toBuffer(),
  };
}

function thumbhash(picture: Pixels): Uint8Array {
  const scale = Math.min(1, THUMB_SIDE / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const { data } = resample(picture, width, height);
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i += 1) rgba.set(data.subarray(i * 3, i * 3 + 3), i * 4);
  return rgbaToThumbHash(width, height, rgba);
}

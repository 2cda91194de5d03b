/** What encoders see of a picture: its preview, stretched to a square. The same for training and for serving. */
import sharp from 'sharp';
import { PREVIEW_SIDE } from './decode.ts';
import { READ_OPTIONS } from './image-check.ts';
import { resample } from './resample.ts';

/** RGB bytes of a preview that `decodePicture` made. [224, 224, 3] */
export async function previewPixels(preview: Uint8Array): Promise<Uint8Array> {
  const { data, info } = await sharp(preview, READ_OPTIONS)
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  return resample({ data, width, height, channels }, PREVIEW_SIDE, PREVIEW_SIDE).data;
}

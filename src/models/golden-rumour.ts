/**
 * The golden batch of a rumour artefact: raw posts with the margins that training's engine gave, so that a load checks
 * tokeniser, encoders, entity tagger and network together.
 */
import { deflateSync, inflateSync } from 'node:zlib';
import { z } from 'zod';
import { TocsinError } from '../base/errors.ts';
import type { RumourInput } from './port.ts';

/**
 * Largest difference of a margin that still counts as the same answer: 0.012 of a probability at most. Engines agree far
 * closer; the room is for processors, on which quantised encoders differ in their last bits.
 */
export const MARGIN_TOLERANCE = 0.05;

/** How far yes is ahead of no, before calibration, by what the network is shown. Null where the post lacks it. */
export interface Margins {
  readonly both: number | null;
  readonly text: number | null;
  readonly image: number | null;
}

export interface GoldenPost {
  readonly input: RumourInput;
  readonly margins: Margins;
}

const margin = z.number().nullable();
const goldenSchema = z.array(
  z.object({
    text: z.string(),
    /** RGB bytes [224, 224, 3], deflated, in base64. */
    picture: z.base64().nullable(),
    margins: z.object({ both: margin, text: margin, image: margin }),
  }),
);

export function encodeRumourGolden(posts: readonly GoldenPost[]): string {
  const rows: z.infer<typeof goldenSchema> = posts.map(({ input: { text, picture }, margins }) => ({
    text,
    picture: picture && deflateSync(picture, { level: 9 }).toString('base64'),
    margins,
  }));
  return `${JSON.stringify(rows, null, 1)}\n`;
}

/** Throws MODEL_INVALID for anything but a golden batch. */
export function parseRumourGolden(bytes: Uint8Array): readonly GoldenPost[] {
  try {
    return goldenSchema
      .parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
      .map(({ text, picture, margins }) => ({
        input: { text, picture: picture === null ? null : inflateSync(Buffer.from(picture, 'base64')) },
        margins,
      }));
  } catch (cause) {
    throw new TocsinError('MODEL_INVALID', 'Reading the golden batch of a rumour model', { cause });
  }
}

/** The golden batch of an artefact: inputs with the logits that training's engine gave, to check every load against. */
import { z } from 'zod';
import { TocsinError } from '../base/errors.ts';
import { MAX_WORDS } from './words.ts';

/** Largest difference between engines that still counts as the same logit. */
export const LOGIT_TOLERANCE = 1e-4;

/** Logits of one input, [outputs]. On disk one output is a plain number. */
type Logits = readonly number[];

export interface Golden {
  /** With an empty text and one of unknown words. */
  readonly texts: readonly {
    readonly text: string;
    readonly words: readonly number[];
    readonly textLogit: Logits;
  }[];
  readonly pictures: readonly {
    /** Index into `texts`. */
    readonly text: number;
    /** 64 × 64 RGB bytes in base64. */
    readonly pixels: string;
    readonly logit: Logits;
    readonly imageLogit: Logits;
  }[];
}

const logits = z.union([z.number().transform((value) => [value]), z.array(z.number()).min(2)]);

const goldenSchema: z.ZodType<Golden> = z.object({
  texts: z.array(
    z.object({ text: z.string(), words: z.array(z.number().int()).length(MAX_WORDS), textLogit: logits }),
  ),
  pictures: z.array(
    z.object({
      text: z.number().int(),
      pixels: z.base64(),
      logit: logits,
      imageLogit: logits,
    }),
  ),
});

const plain = (values: Logits): number | Logits => (values.length === 1 ? (values[0] as number) : values);

export const encodeGolden = ({ texts, pictures }: Golden): string => {
  const written = {
    texts: texts.map((row) => ({ ...row, textLogit: plain(row.textLogit) })),
    pictures: pictures.map((row) => ({
      ...row,
      logit: plain(row.logit),
      imageLogit: plain(row.imageLogit),
    })),
  };
  return `${JSON.stringify(written, null, 1)}\n`;
};

/** Throws MODEL_INVALID for anything but a golden batch. */
export function parseGolden(bytes: Uint8Array): Golden {
  try {
    return goldenSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    throw new TocsinError('MODEL_INVALID', 'Reading the golden batch of a model', { cause });
  }
}

export const closeTo = (actual: number, wanted: number): boolean =>
  Math.abs(actual - wanted) <= LOGIT_TOLERANCE * Math.max(1, Math.abs(wanted));

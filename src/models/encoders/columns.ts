/** What encoders give → the columns that the zoo's networks read (zoo/contract.ts), row by row. */
import { TocsinError } from '../../base/errors.ts';
import type { Encoder, EncoderOutput, Modality, Packed, Samples } from './contract.ts';
import { unpacker, unpackerOf, valuesOf } from './pack.ts';

export interface TextColumns {
  /** Token vectors, zero after the last. [t, d] */
  readonly tokens: Float32Array;
  /** 1 for a token, 0 for padding. [t] */
  readonly tokenMask: Float32Array;
  /** Mean over all tokens that the encoder read, also where there are more than t. [d] */
  readonly sentence: Float32Array;
}

export interface PictureColumns {
  /** [l] */
  readonly imageLogits: Float32Array;
  /** [v] */
  readonly imageFeatures: Float32Array;
}

/** Samples per call of the encoder: bounds what is under way at once. */
const CHUNK = 256;

/**
 * The packed rows of many samples, compact (float16, no padding): what a table of a whole data set keeps.
 * @param report samples done so far
 */
export async function encodeAll<M extends Modality>(
  encoder: Encoder<M>,
  samples: readonly Samples[M][],
  report: (done: number) => void = () => {},
): Promise<Packed[]> {
  const rows: Packed[] = [];
  for (let from = 0; from < samples.length; from += CHUNK) {
    rows.push(...(await encoder.encode(samples.slice(from, from + CHUNK))));
    report(rows.length);
  }
  return rows;
}

/** What is needed of an encoder to take its rows apart. */
export type EncoderForm = Pick<Encoder, 'id' | 'outputs'>;

/** Length of an output, of one of its vectors where there are several. Throws MODEL_INVALID when there is none such. */
export function sizeOf(encoder: EncoderForm, output: EncoderOutput['name']): number {
  const size = encoder.outputs.find(({ name }) => name === output)?.dims.at(-1);
  if (!size) throw new TocsinError('MODEL_INVALID', `Encoder ${encoder.id} gives no ${output}.`);
  return size;
}

/** Packed rows of a text encoder → columns. @param t tokens per text; further ones are cut, the closing mark with them */
export function textColumns(encoder: EncoderForm, t: number): (row: Packed) => TextColumns {
  const d = sizeOf(encoder, 'tokens');
  const unpack = unpacker(encoder.outputs);
  return (row) => {
    const { tokens: all, sentence } = unpack(row) as Record<'tokens' | 'sentence', Float32Array>;
    const tokens = new Float32Array(t * d);
    tokens.set(all.subarray(0, t * d));
    const tokenMask = new Float32Array(t).fill(1, 0, Math.min(t, all.length / d));
    return { tokens, tokenMask, sentence };
  };
}

/** Packed rows of a picture encoder → columns. */
export function pictureColumns(encoder: EncoderForm): (row: Packed) => PictureColumns {
  sizeOf(encoder, 'logits');
  sizeOf(encoder, 'features');
  const unpack = unpacker(encoder.outputs);
  return (row) => {
    const { logits, features } = unpack(row) as Record<'logits' | 'features', Float32Array>;
    return { imageLogits: logits, imageFeatures: features };
  };
}

/** Writes a column of one packed row into `out`, which is as long as the column and full of zeros. */
type Write = (row: Packed, out: Float32Array) => void;

/** The columns of `textColumns` one by one, without taking the rest of the row apart: what training reads a row by. */
export function textWriters(encoder: EncoderForm): Record<'tokens' | 'tokenMask' | 'sentence', Write> {
  const d = sizeOf(encoder, 'tokens');
  const others = encoder.outputs
    .filter(({ name }) => name !== 'tokens')
    .reduce((sum, { dims }) => sum + valuesOf(dims), 0);
  return {
    tokens: unpackerOf(encoder.outputs, 'tokens'),
    tokenMask: (row, out) => {
      out.fill(1, 0, Math.min(out.length, (row.length - others) / d));
    },
    sentence: unpackerOf(encoder.outputs, 'sentence'),
  };
}

/** The columns of `pictureColumns` in the same way. */
export function pictureWriters(encoder: EncoderForm): Record<'imageLogits' | 'imageFeatures', Write> {
  return {
    imageLogits: unpackerOf(encoder.outputs, 'logits'),
    imageFeatures: unpackerOf(encoder.outputs, 'features'),
  };
}

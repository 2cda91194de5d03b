/** Examples → the columns that a network asks for, by the frozen encoders. */
import { TocsinError } from '../base/errors.ts';
import { encodeAll, pictureWriters, textWriters } from '../models/encoders/columns.ts';
import type { Encoder, Packed } from '../models/encoders/contract.ts';
import { entityColumn, MAX_ENTITIES } from '../models/encoders/entities.ts';
import { gatherVectors, MAX_WORDS, WORD_DIMENSIONS } from '../models/words.ts';
import { PICTURE_SIDE } from '../models/zoo/branches.ts';
import type { Column, Dims } from '../models/zoo/contract.ts';
import type { Encoders } from './encoders.ts';
import { type ColumnSource, type FeatureTable, tableOf } from './table.ts';

/** What a table needs of an example. */
export interface Shown {
  /** Normalised; empty for a post without text. */
  readonly text: string;
  /** RGB bytes. [64, 64, 3] */
  readonly pixels: Uint8Array | null;
  /** The same picture for the encoder, read when it is wanted. [224, 224, 3] */
  readonly large: () => Promise<Uint8Array | null>;
  /** Number of the training event; −1 for another one. */
  readonly event: number;
}

/**
 * A table of the columns. Where no example has a picture, `pixels` is left out and the network runs without its picture
 * branch. Throws BAD_USAGE for a column that these encoders do not give.
 */
export async function buildTable(
  examples: readonly Shown[],
  columns: readonly Column[],
  encoders: Encoders,
  dims: Dims,
): Promise<FeatureTable> {
  const wanted = new Set(columns);
  if (!examples.some(({ pixels }) => pixels !== null)) wanted.delete('pixels');
  const sources = {
    ...plainSources(examples, wanted, encoders),
    ...(await textSources(examples, wanted, encoders.text, dims)),
    ...(await pictureSources(examples, wanted, encoders.image, dims)),
  };
  for (const column of wanted)
    if (!sources[column])
      throw new TocsinError('BAD_USAGE', `Building a table: no encoder gives the column ${column}.`);
  return tableOf(
    examples.length,
    Object.fromEntries([...wanted].map((column) => [column, sources[column] as ColumnSource])),
  );
}

type Sources = Partial<Record<Column, ColumnSource>>;

/** Columns that need no network. */
function plainSources(examples: readonly Shown[], wanted: ReadonlySet<Column>, encoders: Encoders): Sources {
  const { vocabulary, wordVectors, tagger } = encoders;
  const at = (index: number): Shown => examples[index] as Shown;
  const ids = wanted.has('words') ? examples.map(({ text }) => vocabulary.encode(text)) : [];
  const tags =
    wanted.has('entities') && tagger ? examples.map(({ text }) => entityColumn(tagger, text)) : null;
  return {
    words: {
      shape: [MAX_WORDS, WORD_DIMENSIONS],
      write: (index, out) => {
        gatherVectors(wordVectors, ids[index] as Int32Array, out);
      },
    },
    pixels: {
      shape: [PICTURE_SIDE, PICTURE_SIDE, 3],
      write: (index, out) => {
        at(index).pixels?.forEach((value, k) => {
          out[k] = value / 255;
        });
      },
    },
    present: {
      shape: [2],
      write: (index, out) => out.set([Number(at(index).text !== ''), Number(at(index).pixels !== null)]),
    },
    event: { shape: [1], write: (index, out) => out.fill(at(index).event) },
    ...(tags
      ? { entities: { shape: [MAX_ENTITIES], write: (index, out) => out.set(tags[index] as Int32Array) } }
      : {}),
  };
}

async function textSources(
  examples: readonly Shown[],
  wanted: ReadonlySet<Column>,
  encoder: Encoder<'text'> | null,
  dims: Dims,
): Promise<Sources> {
  if (!encoder || !(wanted.has('tokens') || wanted.has('tokenMask') || wanted.has('sentence'))) return {};
  const rows = await encodeAll(
    encoder,
    examples.map(({ text }) => text),
  );
  const write = textWriters(encoder);
  const of =
    (column: keyof typeof write) =>
    (index: number, out: Float32Array): void =>
      write[column](rows[index] as Packed, out);
  return {
    tokens: { shape: [dims.tokens, dims.text], write: of('tokens') },
    tokenMask: { shape: [dims.tokens], write: of('tokenMask') },
    sentence: { shape: [dims.text], write: of('sentence') },
  };
}

/** Pictures that are decoded at once. */
const PICTURES = 64;

/** A row without a picture stays zero. */
async function pictureSources(
  examples: readonly Shown[],
  wanted: ReadonlySet<Column>,
  encoder: Encoder<'image'> | null,
  dims: Dims,
): Promise<Sources> {
  if (!encoder || !(wanted.has('imageLogits') || wanted.has('imageFeatures'))) return {};
  // Posts that show one picture share its pixels; each is encoded once.
  const rows = new Map<Uint8Array, Packed>();
  const firsts = new Map<Uint8Array, Shown>();
  for (const example of examples) if (example.pixels) firsts.set(example.pixels, example);
  const distinct = [...firsts];
  for (let from = 0; from < distinct.length; from += PICTURES) {
    const chunk = distinct.slice(from, from + PICTURES);
    const pictures = await Promise.all(chunk.map(([, example]) => example.large()));
    const packed = await encodeAll(encoder, pictures as Uint8Array[]);
    chunk.forEach(([pixels], i) => {
      rows.set(pixels, packed[i] as Packed);
    });
  }
  const write = pictureWriters(encoder);
  const of =
    (column: keyof typeof write) =>
    (index: number, out: Float32Array): void => {
      const { pixels } = examples[index] as Shown;
      const row = pixels && rows.get(pixels);
      if (row) write[column](row, out);
    };
  return {
    imageLogits: { shape: [dims.imageLogits], write: of('imageLogits') },
    imageFeatures: { shape: [dims.imageFeatures], write: of('imageFeatures') },
  };
}

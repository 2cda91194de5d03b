/** Examples → the columns that a network asks for, by the frozen encoders. */
import { TocsinError } from '../base/errors.ts';
import type { Vocabulary } from '../models/port.ts';
import { gatherVectors, MAX_WORDS, WORD_DIMENSIONS } from '../models/words.ts';
import { PICTURE_SIDE } from '../models/zoo/branches.ts';
import type { Column } from '../models/zoo/contract.ts';
import { type ColumnSource, type FeatureTable, tableOf } from './table.ts';

/** What a table needs of an example. */
export interface Shown {
  /** Normalised; empty for a post without text. */
  readonly text: string;
  /** RGB bytes. [64, 64, 3] */
  readonly pixels: Uint8Array | null;
}

export interface Encoders {
  readonly vocabulary: Vocabulary;
  /** Word vectors. [rows, 100] */
  readonly wordVectors: Float32Array;
}

/**
 * A table of the columns. Where no example has a picture, `pixels` is left out and the network runs without its picture
 * branch. Throws BAD_USAGE for a column that these encoders do not give.
 */
export function buildTable(
  examples: readonly Shown[],
  columns: readonly Column[],
  encoders: Encoders,
): FeatureTable {
  const pictures = examples.some(({ pixels }) => pixels !== null);
  const sources: Partial<Record<Column, ColumnSource>> = {};
  for (const column of columns) {
    if (column === 'pixels' && !pictures) continue;
    const make = SOURCES[column];
    if (!make) throw new TocsinError('BAD_USAGE', `Building a table: no encoder gives the column ${column}.`);
    sources[column] = make(examples, encoders);
  }
  return tableOf(examples.length, sources);
}

type MakeSource = (examples: readonly Shown[], encoders: Encoders) => ColumnSource;

const SOURCES: Readonly<Partial<Record<Column, MakeSource>>> = {
  words: (examples, { vocabulary, wordVectors }) => {
    const ids = examples.map(({ text }) => vocabulary.encode(text));
    return {
      shape: [MAX_WORDS, WORD_DIMENSIONS],
      write: (index, out) => {
        gatherVectors(wordVectors, ids[index] as Int32Array, out);
      },
    };
  },
  pixels: (examples) => ({
    shape: [PICTURE_SIDE, PICTURE_SIDE, 3],
    write: (index, out) => {
      examples[index]?.pixels?.forEach((value, k) => {
        out[k] = value / 255;
      });
    },
  }),
  present: (examples) => ({
    shape: [2],
    write: (index, out) => {
      const { text, pixels } = examples[index] as Shown;
      out.set([Number(text !== ''), Number(pixels !== null)]);
    },
  }),
};

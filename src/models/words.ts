/** Words: text → rows of the word table → vectors; the same code for training and for serving (models.md §1.2). */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { TocsinError } from '../base/errors.ts';
import { fromHalves, halfTable } from './half.ts';
import type { Vocabulary } from './port.ts';

/** Words of a post that are read; the rest is cut (MMAT §IV-B). */
export const MAX_WORDS = 15;
/** Length of a word vector. */
export const WORD_DIMENSIONS = 100;

/** Changes whenever `tokenise` gives other tokens for some text; part of the vocabulary's id. */
const TOKENISER_VERSION = '1';
const WORDS_DIR = new URL('../../models/words/', import.meta.url);

/** URLs (and what a cut left of one), user names, a leading RT. */
const NOISE = /\bhttps?\b(?::\S*)?|\bwww\.\S+|^\s*rt\b|@[\p{L}\p{N}_]+/gu;
const TOKEN = /[\p{L}\p{M}\p{N}]+/gu;

/**
 * Lower-case tokens of a normalised text, all of them. URLs, user names and a leading RT are dropped, the body of a
 * hashtag is kept, everything that is not a letter, mark or digit of some script splits.
 *
 * @example tokenise('RT @ana: Flood in #Colorado, http://t.co/x') // ['flood', 'in', 'colorado']
 */
export function tokenise(text: string): string[] {
  return text.toLowerCase().replace(NOISE, ' ').match(TOKEN) ?? [];
}

/** The shipped words; word `row` of the table stands at `row` − 1. Throws MODEL_INVALID. */
export const loadWordList = (dir: URL = WORDS_DIR): string[] =>
  read(dir, 'words.txt').toString('utf8').trimEnd().split('\n');

/** The shipped word list as rows of the table. Throws MODEL_INVALID when it is missing or torn. */
export function loadVocabulary(dir: URL = WORDS_DIR): Vocabulary {
  const list = read(dir, 'words.txt');
  const words = list.toString('utf8').trimEnd().split('\n');
  const rows = new Map(words.map((word, index) => [word, index + 1]));
  const id = createHash('sha256').update(`tokeniser ${TOKENISER_VERSION}\n`).update(list).digest('hex');
  return {
    id: id.slice(0, 16),
    size: words.length + 1,
    encode(text) {
      const ids = new Int32Array(MAX_WORDS);
      const tokens = tokenise(text);
      for (let i = 0; i < MAX_WORDS && i < tokens.length; i += 1) ids[i] = rows.get(tokens[i] as string) ?? 0;
      return ids;
    },
    word: (row) => words[row - 1] ?? '',
  };
}

/**
 * The vectors of the shipped words as float16, in memory that threads can share. Row 0 (padding and unknown words) is zero.
 * [rows, 100], row by row.
 */
function loadWordHalves(dir: URL): Uint16Array {
  const bytes = read(dir, 'vectors.f16');
  if (bytes.length % (2 * WORD_DIMENSIONS) !== 0)
    throw new TocsinError(
      'MODEL_INVALID',
      `Reading the word vectors: ${bytes.length} bytes are no whole rows.`,
    );
  const halves = new Uint16Array(new SharedArrayBuffer(bytes.length + 2 * WORD_DIMENSIONS));
  new Uint8Array(halves.buffer).set(bytes, 2 * WORD_DIMENSIONS);
  return halves;
}

/** The same as float32, for training. [rows, 100] */
export const loadWordVectors = (dir: URL = WORDS_DIR): Float32Array =>
  fromHalves(loadWordHalves(dir), halfTable());

/** The shipped words with their vectors, for serving. */
export interface Words {
  readonly vocabulary: Vocabulary;
  /** [rows, 100], float16 in shared memory. */
  readonly halves: Uint16Array;
}

/** Both together: 10 MB, so whoever opens several models hands one to all. */
export const loadWords = (): Words => ({ vocabulary: loadVocabulary(), halves: loadWordHalves(WORDS_DIR) });

/**
 * Copies the vectors of many posts side by side.
 * @param ids [n, 15]
 * @param out at least n × 15 × 100 floats; returned for convenience
 */
export function gatherVectors(table: Float32Array, ids: Int32Array, out: Float32Array): Float32Array {
  for (let i = 0; i < ids.length; i += 1) {
    const from = (ids[i] as number) * WORD_DIMENSIONS;
    out.set(table.subarray(from, from + WORD_DIMENSIONS), i * WORD_DIMENSIONS);
  }
  return out;
}

function read(dir: URL, name: string): Buffer {
  try {
    return readFileSync(new URL(name, dir));
  } catch (cause) {
    throw new TocsinError('MODEL_INVALID', `Reading the word table ${name}`, { cause });
  }
}

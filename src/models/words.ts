/**
 * Words: text → rows of the word table → vectors; the same code for training and for serving (models.md §1.2). Which words of
 * a text are read is a choice that belongs to a model: docs/decisions/0030-which-words-a-model-reads.md.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { TocsinError } from '../base/errors.ts';
import { fromHalves, halfTable } from './half.ts';
import type { Reading, Vocabulary } from './port.ts';

/** Words of a post that are read; the rest is cut (MMAT §IV-B). */
export const MAX_WORDS = 15;
/** Length of a word vector. */
export const WORD_DIMENSIONS = 100;

export const READINGS: readonly Reading[] = ['first', 'known'];
/** That of the papers: where nobody asks for another. */
const PAPERS: Reading = 'first';

/** Changes whenever a reading gives other rows for some text; part of the vocabulary's id. */
const READING_VERSION: Readonly<Record<Reading, string>> = { first: '1', known: '2' };
/** Rows of the table that `first` has; those after them are `i`, `a` and `0`, which stands for every number. */
const FIRST_WORDS = 50_000;
const NUMBER = '0';
/** Of a longer text, so many from its end: whoever puts words before a post does not hide it. */
const FROM_END = 7;
const WORDS_DIR = new URL('../../models/words/', import.meta.url);

/** URLs (and what a cut left of one), user names, a leading RT. */
const NOISE = /\bhttps?\b(?::\S*)?|\bwww\.\S+|^\s*rt\b|@[\p{L}\p{N}_]+/gu;
const TOKEN = /[\p{L}\p{M}\p{N}]+/gu;
const DIGITS = /^\p{N}+$/u;

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
export function loadVocabulary(reading: Reading = PAPERS, dir: URL = WORDS_DIR): Vocabulary {
  const all = loadWordList(dir);
  const words = all.slice(0, reading === 'first' ? FIRST_WORDS : all.length);
  const rows = new Map(words.map((word, index) => [word, index + 1]));
  const readWords = reading === 'first' ? firstWords(rows) : knownWords(rows);
  return {
    id: createHash('sha256')
      .update(`tokeniser ${READING_VERSION[reading]}\n${words.join('\n')}\n`)
      .digest('hex')
      .slice(0, 16),
    size: words.length + 1,
    encode(text) {
      const ids = new Int32Array(MAX_WORDS);
      readWords(text).forEach(({ row }, i) => {
        ids[i] = row;
      });
      return ids;
    },
    read: (text) => readWords(text).map(({ token }) => token),
    word: (row) => words[row - 1] ?? '',
  };
}

/** The reading of a model that was trained on the vocabulary with this id. Throws MODEL_INVALID for an unknown one. */
export function readingOf(id: string | undefined): Reading {
  const found = READINGS.find((reading) => loadVocabulary(reading).id === id);
  if (found) return found;
  throw new TocsinError('MODEL_INVALID', `Opening a model: nothing here reads words as ${id} does.`);
}

interface ReadWord {
  readonly token: string;
  /** 0 for an unknown word. */
  readonly row: number;
}

/** What a reading sees of a text; at most MAX_WORDS. */
type Read = (text: string) => readonly ReadWord[];

const firstWords =
  (rows: ReadonlyMap<string, number>): Read =>
  (text) =>
    tokenise(text)
      .slice(0, MAX_WORDS)
      .map((token) => ({ token, row: rows.get(token) ?? 0 }));

const knownWords =
  (rows: ReadonlyMap<string, number>): Read =>
  (text) => {
    const known: ReadWord[] = [];
    for (const token of tokenise(text)) {
      const row = rows.get(token) ?? (DIGITS.test(token) ? rows.get(NUMBER) : undefined);
      if (row !== undefined) known.push({ token, row });
    }
    return known.length <= MAX_WORDS
      ? known
      : [...known.slice(0, MAX_WORDS - FROM_END), ...known.slice(-FROM_END)];
  };

/**
 * The vectors of the shipped words as float16, in memory that threads can share. Row 0 (padding and unknown words) is zero.
 * [rows, 100], row by row.
 */
function loadWordHalves(reading: Reading, dir: URL): Uint16Array {
  const bytes = read(dir, 'vectors.f16');
  if (bytes.length % (2 * WORD_DIMENSIONS) !== 0)
    throw new TocsinError(
      'MODEL_INVALID',
      `Reading the word vectors: ${bytes.length} bytes are no whole rows.`,
    );
  const rows = reading === 'first' ? FIRST_WORDS : bytes.length / (2 * WORD_DIMENSIONS);
  const halves = new Uint16Array(new SharedArrayBuffer(2 * (rows + 1) * WORD_DIMENSIONS));
  new Uint8Array(halves.buffer).set(bytes.subarray(0, 2 * rows * WORD_DIMENSIONS), 2 * WORD_DIMENSIONS);
  return halves;
}

/** The same as float32, for training. [rows, 100] */
export const loadWordVectors = (reading: Reading = PAPERS, dir: URL = WORDS_DIR): Float32Array =>
  fromHalves(loadWordHalves(reading, dir), halfTable());

/** The shipped words with their vectors, for serving. */
export interface Words {
  readonly reading: Reading;
  readonly vocabulary: Vocabulary;
  /** [rows, 100], float16 in shared memory. */
  readonly halves: Uint16Array;
}

/** Both together. */
export const loadWords = (reading: Reading = PAPERS): Words => ({
  reading,
  vocabulary: loadVocabulary(reading),
  halves: loadWordHalves(reading, WORDS_DIR),
});

export type AllWords = Readonly<Record<Reading, Words>>;

/** All readings over one table, whose first rows are those of `first`: 10 MB, so whoever opens several models hands one to all. */
export function loadAllWords(): AllWords {
  const known = loadWords('known');
  return { first: { ...known, reading: 'first', vocabulary: loadVocabulary('first') }, known };
}

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

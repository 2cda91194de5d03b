/** The sidecar's posts as attacks and training see them: words alone. */
import type { Posts } from '../adversarial/attack.ts';
import { gatherVectors, MAX_WORDS, WORD_DIMENSIONS } from '../models/words.ts';
import { type FeatureTable, tableOf } from '../training/table.ts';

/** @param encode a text's rows of the word table. [15] */
export function postsOf(
  rows: readonly { readonly text: string; readonly label: 0 | 1 }[],
  encode: (text: string) => Int32Array,
): Posts {
  const words = new Int32Array(rows.length * MAX_WORDS);
  rows.forEach(({ text }, i) => {
    words.set(encode(text), i * MAX_WORDS);
  });
  return {
    count: rows.length,
    texts: rows.map(({ text }) => text),
    words,
    pixels: null,
    labels: Float32Array.from(rows, ({ label }) => label),
  };
}

/** @param vectors the word table. [rows, 100] */
export function wordsTable(vectors: Float32Array, { count, words }: Posts): FeatureTable {
  return tableOf(count, {
    words: {
      shape: [MAX_WORDS, WORD_DIMENSIONS],
      write: (index, out) => {
        gatherVectors(vectors, words.subarray(index * MAX_WORDS, (index + 1) * MAX_WORDS), out);
      },
    },
  });
}

/** The mean of a post's known words, and whether it has one. */
export function meanOf(
  vectors: Float32Array,
  words: ArrayLike<number>,
): { readonly mean: Float32Array; readonly known: boolean } {
  const mean = new Float32Array(WORD_DIMENSIONS);
  let known = 0;
  for (let i = 0; i < words.length; i += 1) {
    const row = words[i] as number;
    if (row === 0) continue;
    known += 1;
    for (let d = 0; d < WORD_DIMENSIONS; d += 1)
      mean[d] = (mean[d] as number) + (vectors[row * WORD_DIMENSIONS + d] as number);
  }
  return { mean: mean.map((value) => value / Math.max(1, known)), known: known > 0 };
}

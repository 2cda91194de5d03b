/**
 * How likely words are in a row: trigrams with interpolated Kneser–Ney smoothing (Chen & Goodman 1999, §2.7), counted on the
 * rows of the word table that networks read. Small, and it knows only the posts it was counted on: a rare word in its
 * right place and a wrong one look much alike to it.
 */
import { MAX_WORDS } from '../models/words.ts';

export interface LanguageModel {
  /** Words that were counted. */
  readonly counted: number;
  /** Natural logarithm of the probability of word `at` and of the two after it, which depend on it. @param words [15] */
  logProbability(words: Int32Array, at: number): number;
}

/** How often words follow a context, at one length of contexts. */
interface Level {
  /** By context · size + word. */
  readonly count: Map<number, number>;
  /** By context: all that follows it, and how many kinds of words do. */
  readonly total: Map<number, number>;
  readonly kinds: Map<number, number>;
  /** Taken off every count and given to the shorter context. */
  readonly discount: number;
}

/**
 * @param posts rows of the word table, 0 where unknown or padded; [15] each
 * @param rows of the word table
 */
export function countLanguageModel(posts: readonly Int32Array[], rows: number): LanguageModel {
  // Begin and end of a post are one more word.
  const size = rows + 1;
  const trigrams = new Map<number, number>();
  let counted = 0;
  for (const words of posts) {
    const line = lineOf(words, rows);
    for (let i = 2; i < line.length; i += 1) {
      const key = ((line[i - 2] as number) * size + (line[i - 1] as number)) * size + (line[i] as number);
      trigrams.set(key, (trigrams.get(key) ?? 0) + 1);
      counted += 1;
    }
  }
  // Shorter contexts count in how many longer ones a word was seen, not how often (Kneser & Ney 1995).
  const bigrams = seenIn(trigrams.keys(), size * size);
  const unigrams = seenIn(bigrams.keys(), size);
  const levels = [unigrams, bigrams, trigrams].map((counts) => levelOf(counts, size));
  const probability = (context: number, word: number): number => {
    let below = 1 / size;
    levels.forEach((level, length) => {
      const within = context % size ** length;
      const total = level.total.get(within) ?? 0;
      if (total === 0) return;
      const own = Math.max(0, (level.count.get(within * size + word) ?? 0) - level.discount);
      below = (own + level.discount * (level.kinds.get(within) as number) * below) / total;
    });
    return below;
  };
  return {
    counted,
    logProbability(words, at) {
      const line = lineOf(words, rows);
      let sum = 0;
      for (let i = at + 2; i < Math.min(at + 5, line.length); i += 1)
        sum += Math.log(
          probability((line[i - 2] as number) * size + (line[i - 1] as number), line[i] as number),
        );
      return sum;
    },
  };
}

/** Two marks of the beginning, the words without padding, and a mark of the end where the post was not cut. */
function lineOf(words: Int32Array, mark: number): number[] {
  let length = words.length;
  while (length > 0 && words[length - 1] === 0) length -= 1;
  const line = [mark, mark, ...words.subarray(0, length)];
  if (length < MAX_WORDS) line.push(mark);
  return line;
}

/** In how many different longer rows of words each shorter one stands last. */
function seenIn(longer: Iterable<number>, shorter: number): Map<number, number> {
  const found = new Map<number, number>();
  for (const key of longer) found.set(key % shorter, (found.get(key % shorter) ?? 0) + 1);
  return found;
}

function levelOf(count: Map<number, number>, size: number): Level {
  const total = new Map<number, number>();
  const kinds = new Map<number, number>();
  let [once, twice] = [0, 0];
  for (const [key, n] of count) {
    const context = Math.floor(key / size);
    total.set(context, (total.get(context) ?? 0) + n);
    kinds.set(context, (kinds.get(context) ?? 0) + 1);
    if (n === 1) once += 1;
    if (n === 2) twice += 1;
  }
  return { count, total, kinds, discount: once > 0 ? once / (once + 2 * twice) : 0.5 };
}

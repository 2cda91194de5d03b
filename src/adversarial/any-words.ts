/**
 * Word replacement without a bound worth the name: any word of the table at any place. It says nothing of a model's
 * robustness; it shows that gradients lead somewhere (robustness.md §6: an unbounded attack must win).
 */
import type { Tf } from '../models/engine/tf.ts';
import { MAX_WORDS } from '../models/words.ts';
import type { Attack, Audit, Swap } from './attack.ts';

/** Places whose gradients are held against the whole table at once; 256 × 50,000 products are 51 MB. */
const CHUNK = 256;

const STARTS = 20;

/** @param rounds gradients that are taken; each post takes the whole step if that harms more, else its best word alone */
export function anyWords(tf: Tf, rounds: number): Attack {
  return {
    name: 'any-words',
    source: 'Eq. 2 to first order over the whole word table, at every place',
    modality: 'text',
    needs: 'gradient',
    generate(victim, posts, random) {
      const { vectors, rows, dimensions } = victim.space;
      const words = posts.words.slice();
      const losses = victim.losses(posts).slice();
      // Any words are better than a dead end: each post keeps the most harmful of some random fillings.
      for (let start = 0; start < STARTS; start += 1) {
        const drawn = words.map(() => 1 + Math.floor(random() * (rows - 1)));
        victim.losses({ ...posts, words: drawn }).forEach((loss, i) => {
          if (loss <= (losses[i] as number)) return;
          losses[i] = loss;
          words.set(drawn.subarray(i * MAX_WORDS, (i + 1) * MAX_WORDS), i * MAX_WORDS);
        });
      }
      for (let round = 0; round < rounds; round += 1) {
        const { words: gradient } = victim.gradient({ ...posts, words });
        if (!gradient) break;
        const { best, gain } = bestOfTable(tf, { vectors, rows, dimensions }, words, gradient);
        for (const single of [false, true]) {
          const trial = single ? onlyBest(words, best, gain) : best;
          const tried = victim.losses({ ...posts, words: trial });
          tried.forEach((loss, i) => {
            if (loss <= (losses[i] as number)) return;
            losses[i] = loss;
            words.set(trial.subarray(i * MAX_WORDS, (i + 1) * MAX_WORDS), i * MAX_WORDS);
          });
        }
      }
      const audit = posts.texts.map((_, i): Audit => {
        const swaps: Swap[] = [];
        for (let position = 0; position < MAX_WORDS; position += 1) {
          const [before, after] = [posts.words[i * MAX_WORDS + position], words[i * MAX_WORDS + position]];
          if (before !== after) swaps.push({ position, before: before as number, after: after as number });
        }
        return { swaps, text: null, picture: null, queries: 1 + STARTS + 3 * rounds };
      });
      return { posts: { ...posts, words }, audit };
    },
  };
}

interface Table {
  readonly vectors: Float32Array;
  readonly rows: number;
  readonly dimensions: number;
}

/** For every place the row w′ with the largest w′ · g, and by how much it is larger than that of the word there. */
function bestOfTable(
  tf: Tf,
  { vectors, rows, dimensions }: Table,
  words: Int32Array,
  gradient: Float32Array,
): { readonly best: Int32Array; readonly gain: Float32Array } {
  const best = new Int32Array(words.length);
  const gain = new Float32Array(words.length);
  tf.tidy(() => {
    const table = tf.tensor2d(vectors, [rows, dimensions]);
    for (let from = 0; from < words.length; from += CHUNK) {
      const to = Math.min(words.length, from + CHUNK);
      tf.tidy(() => {
        const slope = tf.tensor2d(gradient.subarray(from * dimensions, to * dimensions), [
          to - from,
          dimensions,
        ]);
        const scores = tf.matMul(slope, table, false, true);
        const own = tf.sum(
          tf.mul(slope, tf.gather(table, tf.tensor1d(words.subarray(from, to), 'int32'))),
          1,
        );
        best.set(tf.argMax(scores, 1).dataSync() as Int32Array, from);
        gain.set(tf.sub(tf.max(scores, 1), own).dataSync() as Float32Array, from);
      });
    }
  });
  return { best, gain };
}

/** The words, each post's with the one replacement that gains most. */
function onlyBest(words: Int32Array, best: Int32Array, gain: Float32Array): Int32Array {
  const trial = words.slice();
  for (let from = 0; from < words.length; from += MAX_WORDS) {
    const mine = gain.subarray(from, from + MAX_WORDS);
    const at = from + mine.indexOf(Math.max(...mine));
    trial[at] = best[at] as number;
  }
  return trial;
}

/**
 * Word replacement one word at a time, with a fresh gradient after each: the strong form of Eq. 2 (models.md §1.5
 * `greedy`; HotFlip, Ebrahimi et al. 2018). A replacement stays only if the loss rises.
 */
import { MAX_WORDS } from '../models/words.ts';
import type { Attack, Audit, Posts, Swap } from './attack.ts';
import type { WordOptions } from './words.ts';

export interface GreedyOptions extends Pick<WordOptions, 'candidates' | 'allowed'> {
  /** Share of a post's known words that may be replaced, rounded up. */
  readonly share: number;
  /** A refused replacement costs a try; a post gets this many tries for each replacement that it may have. */
  readonly tries?: number;
}

/** 30 % of the words, as TextFooler and BERT-Attack allow (models.md §5). */
export const GREEDY_DEFAULTS: GreedyOptions = { candidates: 10, share: 0.3 };

const TRIES = 2;

export function greedyWords(options: GreedyOptions = GREEDY_DEFAULTS): Attack {
  return {
    name: 'greedy-words',
    source: 'MMAT Eq. 2 with fresh gradients, one word at a time (HotFlip), accepted only if the loss rises',
    modality: 'text',
    needs: 'gradient',
    generate(victim, posts) {
      const { space } = victim;
      const states = Array.from({ length: posts.count }, (_, i) => startOf(posts, i, options));
      let now: Posts = { ...posts, words: posts.words.slice() };
      let { losses, words: gradient } = victim.gradient(now);
      const audit = (): Audit[] =>
        states.map(({ swaps, queries }) => ({ swaps, text: null, picture: null, queries }));
      if (!gradient) return { posts, audit: audit() };
      for (const state of states) state.queries += 1;

      while (states.some(({ left, tries }) => left > 0 && tries > 0)) {
        const trial = now.words.slice();
        const tried = states.map((state, i) => {
          if (state.left <= 0 || state.tries <= 0) return null;
          const swap = bestSwap(space, now.words, gradient as Float32Array, i, state.refused, options);
          if (!swap) state.tries = 0;
          else trial[i * MAX_WORDS + swap.position] = swap.after;
          return swap;
        });
        if (tried.every((swap) => swap === null)) break;
        const after = victim.gradient({ ...now, words: trial });
        const kept = now.words.slice();
        tried.forEach((swap, i) => {
          const state = states[i] as State;
          if (!swap) return;
          state.queries += 1;
          state.tries -= 1;
          if ((after.losses[i] as number) > (losses[i] as number)) {
            kept[i * MAX_WORDS + swap.position] = swap.after;
            state.left -= 1;
            state.swaps.push(swap);
            state.refused.add(swap.position * space.rows); // the position is used up
          } else state.refused.add(swap.position * space.rows + swap.after);
        });
        now = { ...now, words: kept };
        // The gradient where every trial stood; where one was refused the old one is still the right one.
        const size = MAX_WORDS * space.dimensions;
        const mixed: Float32Array = (gradient as Float32Array).slice();
        const mixedLosses = losses.slice();
        tried.forEach((swap, i) => {
          if (!swap || kept[i * MAX_WORDS + swap.position] !== swap.after) return;
          mixed.set((after.words as Float32Array).subarray(i * size, (i + 1) * size), i * size);
          mixedLosses[i] = after.losses[i] as number;
        });
        gradient = mixed;
        losses = mixedLosses;
      }
      return { posts: now, audit: audit() };
    },
  };
}

interface State {
  /** Replacements still allowed. */
  left: number;
  tries: number;
  readonly swaps: Swap[];
  /** position · rows + word: refused there; position · rows alone: the position is used up. */
  readonly refused: Set<number>;
  queries: number;
}

function startOf(posts: Posts, i: number, { share, tries = TRIES }: GreedyOptions): State {
  const known = posts.words.subarray(i * MAX_WORDS, (i + 1) * MAX_WORDS).filter((id) => id !== 0).length;
  const left = Math.ceil(share * known);
  return { left, tries: tries * left, swaps: [], refused: new Set(), queries: 0 };
}

/** The replacement that raises the loss most, to first order: argmax (w′ − w) · g. Null where none raises it. */
function bestSwap(
  { vectors, neighbours, n, rows, dimensions }: Parameters<Attack['generate']>[0]['space'],
  words: Int32Array,
  gradient: Float32Array,
  post: number,
  refused: ReadonlySet<number>,
  { candidates, allowed }: GreedyOptions,
): Swap | null {
  let best: Swap | null = null;
  let most = 0;
  const own = words.subarray(post * MAX_WORDS, (post + 1) * MAX_WORDS);
  for (let position = 0; position < MAX_WORDS; position += 1) {
    const at = post * MAX_WORDS + position;
    const before = words[at] as number;
    if (before === 0 || refused.has(position * rows)) continue;
    const g = gradient.subarray(at * dimensions, (at + 1) * dimensions);
    for (let k = 0; k < Math.min(n, candidates); k += 1) {
      const after = neighbours[before * n + k] as number;
      if (after === 0 || refused.has(position * rows + after)) continue;
      let score = 0;
      for (let d = 0; d < dimensions; d += 1)
        score +=
          ((vectors[after * dimensions + d] as number) - (vectors[before * dimensions + d] as number)) *
          (g[d] as number);
      const swap = { position, before, after };
      if (score <= most || (allowed && !allowed(swap, own))) continue;
      most = score;
      best = swap;
    }
  }
  return best;
}

/** Finds near-duplicate texts, so that a split never has the same message on both sides. */
import { tokenise } from '../models/words.ts';
import type { Example } from './dataset.ts';

/** Consecutive words that make one shingle. */
const SHINGLE = 3;
/** Share of common shingles (Jaccard) from which two texts are one message. */
const SAME = 0.5;
/** A shingle in more texts than this is a set phrase and proposes no pairs. */
const COMMON = 200;

/**
 * The group of every example: equal number = same message or linked by a chain of near-duplicates.
 * Two texts belong together when their tokens are equal or at least half of their 3-word shingles are common.
 */
export function groupNearDuplicates(examples: readonly Pick<Example, 'text'>[]): Int32Array {
  const parent = Int32Array.from(examples, (_, i) => i);
  const root = (i: number): number => {
    let at = i;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at] as number] as number;
      at = parent[at] as number;
    }
    return at;
  };
  const join = (a: number, b: number): void => {
    const [x, y] = [root(a), root(b)];
    parent[Math.max(x, y)] = Math.min(x, y);
  };

  const byText = new Map<string, number>();
  const postings = new Map<string, number[]>();
  const sizes = new Int32Array(examples.length);
  examples.forEach(({ text }, i) => {
    const tokens = tokenise(text);
    const whole = tokens.join(' ');
    const twin = byText.get(whole);
    if (twin !== undefined) {
      join(twin, i);
      return;
    }
    byText.set(whole, i);
    const mine = shingles(tokens);
    sizes[i] = mine.size;
    const shared = new Map<number, number>();
    for (const shingle of mine) {
      const others = postings.get(shingle) ?? [];
      if (others.length <= COMMON)
        for (const other of others) shared.set(other, (shared.get(other) ?? 0) + 1);
      others.push(i);
      postings.set(shingle, others);
    }
    for (const [other, common] of shared)
      if (common >= SAME * (mine.size + (sizes[other] as number) - common)) join(other, i);
  });
  return parent.map((_, i) => root(i));
}

function shingles(tokens: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (let i = 0; i + SHINGLE <= tokens.length; i += 1) found.add(tokens.slice(i, i + SHINGLE).join(' '));
  return found;
}

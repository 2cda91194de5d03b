/**
 * Attacks on characters (robustness.md §3): letters swapped, letters of other alphabets that look the same, characters
 * that nobody sees. The words that matter most are hit first; how much they matter is asked by leaving each one out.
 */
import type { TextAttack } from './text-edit.ts';

export type CharacterEdit = 'swap' | 'homoglyph' | 'invisible';

export interface CharacterOptions {
  readonly edit: CharacterEdit;
  /** Words of a post that may be changed (robustness.md: at most two edits). */
  readonly edits: number;
}

/** Latin letters and their doubles in Cyrillic and Greek (Unicode's confusables). */
const DOUBLES: Readonly<Record<string, string>> = {
  a: 'а',
  c: 'с',
  e: 'е',
  i: 'і',
  j: 'ј',
  o: 'о',
  p: 'р',
  s: 'ѕ',
  v: 'ν',
  x: 'х',
  y: 'у',
};
const ZERO_WIDTH_SPACE = '\u200b';
/** Words are what stands between white space; shorter ones leave nothing to change. */
const SHORTEST = 3;
/** Words looked at per post, from the front: more than a tweet has. */
const LOOKED_AT = 30;

/** One word, changed so that a person still reads it. Null where it cannot be. */
export function editWord(word: string, edit: CharacterEdit): string | null {
  const letters = [...word];
  if (letters.length < SHORTEST) return null;
  const middle = Math.floor(letters.length / 2);
  if (edit === 'invisible')
    return [...letters.slice(0, middle), ZERO_WIDTH_SPACE, ...letters.slice(middle)].join('');
  if (edit === 'homoglyph') {
    const at = letters.findIndex((letter) => DOUBLES[letter.toLowerCase()] !== undefined);
    if (at < 0) return null;
    letters[at] = DOUBLES[(letters[at] as string).toLowerCase()] as string;
    return letters.join('');
  }
  // Two different neighbours inside the word change places; first and last letter stay, as a reader needs them.
  for (let k = Math.max(1, middle - 1); k + 2 < letters.length; k += 1) {
    if (letters[k] === letters[k + 1]) continue;
    [letters[k], letters[k + 1]] = [letters[k + 1] as string, letters[k] as string];
    return letters.join('');
  }
  return null;
}

export const characters = ({ edit, edits }: CharacterOptions): TextAttack => ({
  name: `characters-${edit}`,
  source: 'Words that matter most, changed by characters a person reads over (TextBugger, Li et al. 2019)',
  needs: 'logits',
  *edit(texts) {
    const split = texts.map((text) => text.split(' '));
    const { order, queries } = yield* byImportance(texts, split);
    const edited = split.map((words, i) => {
      let left = edits;
      const changed = [...words];
      for (const at of order[i] as readonly number[]) {
        if (left === 0) break;
        const other = editWord(words[at] as string, edit);
        if (other === null) continue;
        changed[at] = other;
        left -= 1;
      }
      return changed.join(' ');
    });
    return { texts: edited, queries };
  },
});

/** For each post the positions of its words, the one whose loss costs the model most first. */
function* byImportance(
  texts: readonly string[],
  split: readonly (readonly string[])[],
): Generator<
  readonly string[],
  { readonly order: readonly (readonly number[])[]; readonly queries: readonly number[] },
  Float32Array
> {
  const gains = split.map((words) => new Float64Array(Math.min(LOOKED_AT, words.length)));
  const before = yield texts;
  const longest = Math.max(0, ...gains.map(({ length }) => length));
  for (let at = 0; at < longest; at += 1) {
    const losses = yield split.map((words) => words.filter((_, k) => k !== at).join(' '));
    gains.forEach((mine, i) => {
      if (at < mine.length) mine[at] = (losses[i] as number) - (before[i] as number);
    });
  }
  return {
    order: gains.map((mine) => [...mine.keys()].sort((a, b) => (mine[b] as number) - (mine[a] as number))),
    queries: gains.map(({ length }) => length + 1),
  };
}

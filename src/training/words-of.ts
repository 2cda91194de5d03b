/** What the plain text models and the search for equal messages take for words, also where a script has no spaces. */
import { tokenise } from '../models/words.ts';

/** Scripts without spaces: what stands between two marks is a clause, not a word. */
const DENSE = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]/u;

/** The words of a text; in scripts without spaces each character is one. */
export const wordsOf = (text: string): string[] =>
  tokenise(text).flatMap((token) => (DENSE.test(token) ? [...token] : [token]));

/**
 * The words of a text, each on its own; in scripts without spaces pairs of neighbouring characters instead, which say
 * more than one character and are seen more often than a clause.
 */
export const termsOf = (text: string): string[] =>
  tokenise(text).flatMap((token) => (DENSE.test(token) ? pairsOf([...token]) : [token]));

const pairsOf = (characters: readonly string[]): string[] =>
  characters.length === 1
    ? [...characters]
    : characters.slice(1).map((character, i) => `${characters[i]}${character}`);

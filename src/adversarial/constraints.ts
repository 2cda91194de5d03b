/**
 * Which word may stand for which, so that a post still reads as a post and says the same (MMAT §VI, robustness.md §3): the
 * same part of speech, no opposite, and none that makes the text much less likely. Names, numbers and negations stay, and
 * so do words that only hold a sentence together.
 */
import type { Swap } from './attack.ts';
import type { LanguageModel } from './language-model.ts';

export const CONSTRAINTS = ['part-of-speech', 'antonyms', 'language-model'] as const;
export type ConstraintName = (typeof CONSTRAINTS)[number];

/** Whether a word may be replaced. @param words of the post as it stands, rows of the word table. [15] */
export type Allowed = (swap: Swap, words: Int32Array) => boolean;

/** What a constraint has to know of a word. */
export interface KnownWord {
  readonly partOfSpeech: string | null;
  readonly fixed: boolean;
}

/** @param kindOf of a row of the word table */
export const sameKind =
  (kindOf: (row: number) => KnownWord): Allowed =>
  ({ before, after }) => {
    const [one, other] = [kindOf(before), kindOf(after)];
    return one.partOfSpeech !== null && one.partOfSpeech === other.partOfSpeech && !one.fixed && !other.fixed;
  };

/** @param opposite of rows of the word table */
export const noOpposite =
  (opposite: (one: number, other: number) => boolean): Allowed =>
  ({ before, after }) =>
    !opposite(before, after);

/** @param timesLess how many times less likely one replacement may make a text */
export const stillLikely =
  (model: LanguageModel, timesLess: number): Allowed =>
  ({ position, after }, words) => {
    const changed = words.slice();
    changed[position] = after;
    return (
      model.logProbability(words, position) - model.logProbability(changed, position) <= Math.log(timesLess)
    );
  };

export const allOf =
  (rules: readonly Allowed[]): Allowed =>
  (swap, words) =>
    rules.every((rule) => rule(swap, words));

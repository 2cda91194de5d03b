/**
 * Which word may stand for which, so that a post still reads as a post (MMAT §VI, robustness.md §3): the same part of
 * speech, names, numbers and negations stay, and so do words that only hold a sentence together.
 */

/** What a constraint has to know of a word. */
export interface KnownWord {
  readonly partOfSpeech: string | null;
  readonly fixed: boolean;
}

/** @param kindOf of a row of the word table */
export const sameKind =
  (kindOf: (row: number) => KnownWord) =>
  (before: number, after: number): boolean => {
    const [one, other] = [kindOf(before), kindOf(after)];
    return one.partOfSpeech !== null && one.partOfSpeech === other.partOfSpeech && !one.fixed && !other.fixed;
  };

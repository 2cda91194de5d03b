/** The constraints that word attacks were asked to keep, and what a report says of them. */
import {
  type Allowed,
  allOf,
  type ConstraintName,
  noOpposite,
  sameKind,
  stillLikely,
} from '../../adversarial/constraints.ts';
import { countLanguageModel, type LanguageModel } from '../../adversarial/language-model.ts';
import { loadAntonyms } from '../../models/antonyms.ts';
import { createWordKinds } from '../../models/encoders/word-kinds.ts';
import type { Vocabulary } from '../../models/port.ts';

/** One replacement may make a text so many times less likely, and no more. */
const TIMES_LESS = 10;

export interface ConstraintFacts {
  readonly names: readonly ConstraintName[];
  /** Null where none was asked for, or nothing could be counted. */
  readonly languageModel: {
    readonly posts: number;
    readonly words: number;
    readonly timesLess: number;
  } | null;
  /** What was kept and what the language model does not know, for a reader. */
  readonly why: string;
}

/**
 * The rules of these names; those that cost least are asked first.
 * @param texts what the language model is counted on: never the posts under attack, which it would know by heart. Where
 *   there is none it is left out
 */
export function openWordRules(
  names: readonly ConstraintName[],
  vocabulary: Vocabulary,
  texts: readonly string[],
): { readonly allowed: Allowed; readonly facts: ConstraintFacts } {
  const { encode, word, size } = vocabulary;
  const rules: Allowed[] = [];
  if (names.includes('part-of-speech')) {
    const kindOf = createWordKinds();
    rules.push(sameKind((row) => kindOf(word(row))));
  }
  if (names.includes('antonyms')) {
    const opposite = loadAntonyms();
    rules.push(noOpposite((one, other) => opposite(word(one), word(other))));
  }
  const asked = names.includes('language-model');
  const model = asked && texts.length > 0 ? countLanguageModel(texts.map(encode), size) : null;
  if (model) rules.push(stillLikely(model, TIMES_LESS));
  return {
    allowed: allOf(rules),
    facts: {
      names,
      languageModel: model && { posts: texts.length, words: model.counted, timesLess: TIMES_LESS },
      why: `words keep to ${names.join(', ')}${asked ? `; ${limitsOf(model, texts.length)}` : ''}`,
    },
  };
}

const limitsOf = (model: LanguageModel | null, posts: number): string =>
  model
    ? `the language model counts trigrams (interpolated Kneser–Ney) on ${posts} posts of the training part and refuses what makes a text more than ${TIMES_LESS} times less likely; it judges each replacement between the words that stood beside it, not in its sentence`
    : 'no language model: this choice of posts has no training part to count';

/** The part of speech of single words, by rules and a word list (compromise): no sentence is looked at. */
import nlp from 'compromise/two';

export interface WordKind {
  /** Null for words that only hold a sentence together, and for unknown ones. */
  readonly partOfSpeech: 'Noun' | 'Verb' | 'Adjective' | 'Adverb' | null;
  /** Whether it is a name, a number or a negation. */
  readonly fixed: boolean;
}

const PARTS = ['Noun', 'Verb', 'Adjective', 'Adverb'] as const;
const NO_CONTENT: readonly string[] = ['Pronoun', 'Determiner', 'Copula', 'Auxiliary', 'Modal'];
const FIXED: readonly string[] = [
  'Value',
  'ProperNoun',
  'Place',
  'Person',
  'Organization',
  'Acronym',
  'Negative',
];

/** Looks each word up once. */
export function createWordKinds(): (word: string) => WordKind {
  const known = new Map<string, WordKind>();
  return (word) => {
    const before = known.get(word);
    if (before) return before;
    const json = nlp(word).json() as readonly { readonly terms: readonly { readonly tags: string[] }[] }[];
    const tags = json[0]?.terms[0]?.tags ?? [];
    const content = !tags.some((tag) => NO_CONTENT.includes(tag));
    const kind: WordKind = {
      partOfSpeech: content ? (PARTS.find((part) => tags.includes(part)) ?? null) : null,
      fixed: tags.some((tag) => FIXED.includes(tag)),
    };
    known.set(word, kind);
    return kind;
  };
}

import { describe, expect, it } from 'vitest';
import {
  type Allowed,
  allOf,
  noOpposite,
  sameKind,
  stillLikely,
} from '../../../src/adversarial/constraints.ts';
import { countLanguageModel } from '../../../src/adversarial/language-model.ts';
import { loadAntonyms } from '../../../src/models/antonyms.ts';
import { createWordKinds } from '../../../src/models/encoders/word-kinds.ts';
import { MAX_WORDS } from '../../../src/models/words.ts';

const kindOf = createWordKinds();
const WORDS = [
  '',
  'river',
  'estuary',
  'quickly',
  'london',
  'boston',
  'forty',
  'fifty',
  'the',
  'a',
  'said',
  'not',
  'safe',
  'dangerous',
  'secure',
];
const nowhere = new Int32Array(MAX_WORDS);
const pair = (allowed: Allowed, before: string, after: string): boolean =>
  allowed({ position: 0, before: WORDS.indexOf(before), after: WORDS.indexOf(after) }, nowhere);

describe('constraints on words', () => {
  const allowed = sameKind((row) => kindOf(WORDS[row] as string));

  it('let a word stand for another of its part of speech, and for no other', () => {
    expect(pair(allowed, 'river', 'estuary')).toBe(true);
    expect(pair(allowed, 'river', 'quickly')).toBe(false);
    expect(pair(allowed, 'said', 'river')).toBe(false);
  });

  it.each([
    ['names', 'london', 'boston'],
    ['numbers', 'forty', 'fifty'],
    ['words that hold a sentence together', 'the', 'a'],
    ['words for names', 'river', 'london'],
    ['negations', 'not', 'quickly'],
  ])('protect %s', (_, before, after) => {
    expect(pair(allowed, before, after)).toBe(false);
  });

  it('let no word stand for its opposite, and ask every rule', () => {
    const opposite = loadAntonyms();
    const rule = noOpposite((one, other) => opposite(WORDS[one] as string, WORDS[other] as string));
    expect(pair(rule, 'safe', 'secure')).toBe(true);
    expect(pair(rule, 'safe', 'dangerous')).toBe(false);
    expect(pair(rule, 'dangerous', 'safe')).toBe(false);
    const both = allOf([allowed, rule]);
    expect(pair(both, 'safe', 'secure')).toBe(true);
    expect(pair(both, 'safe', 'dangerous')).toBe(false);
    expect(pair(both, 'safe', 'river')).toBe(false);
  });
});

describe('the list of opposites', () => {
  const opposite = loadAntonyms();

  it.each([
    ['alive', 'dead'],
    ['injured', 'uninjured'],
    ['rose', 'fell'],
    ['lost', 'found'],
    ['open', 'closed'],
    ['true', 'false'],
  ])('has %s and %s', (one, other) => {
    expect(opposite(one, other)).toBe(true);
    expect(opposite(other, one)).toBe(true);
  });

  it.each([
    ['flood', 'floods'],
    ['river', 'estuary'],
    ['safe', 'safe'],
  ])('has not %s and %s', (one, other) => {
    expect(opposite(one, other)).toBe(false);
  });
});

describe('the language model', () => {
  const [THE, RIVER, ROSE, FELL, CAT] = [1, 2, 3, 4, 5];
  const post = (...words: number[]): Int32Array => {
    const ids = new Int32Array(MAX_WORDS);
    ids.set(words);
    return ids;
  };
  const posts = [
    ...Array.from({ length: 6 }, () => post(THE, RIVER, ROSE)),
    ...Array.from({ length: 3 }, () => post(THE, RIVER, FELL)),
    post(THE, CAT, FELL),
    post(CAT, THE),
  ];
  const model = countLanguageModel(posts, 50);

  it('gives probabilities that add up to one over the words that may follow', () => {
    const follows = (word: number): number => {
      const cut = new Int32Array(MAX_WORDS).fill(CAT);
      cut.set([THE, RIVER, word], MAX_WORDS - 3);
      return Math.exp(model.logProbability(cut, MAX_WORDS - 1));
    };
    const words = Array.from({ length: 49 }, (_, i) => follows(i + 1)).reduce((a, b) => a + b, 0);
    const end = Math.exp(model.logProbability(post(THE, RIVER), 2));
    // An unknown word, row 0, was counted as rarely as row 30: never.
    expect(words + end + follows(30)).toBeCloseTo(1, 9);
  });

  it('finds seen words likelier than unseen ones, and words in their place likelier than out of it', () => {
    const at = (...words: number[]): number => model.logProbability(post(...words), 2);
    expect(at(THE, RIVER, ROSE)).toBeGreaterThan(at(THE, RIVER, FELL));
    expect(at(THE, RIVER, FELL)).toBeGreaterThan(at(THE, RIVER, CAT));
    expect(at(THE, RIVER, CAT)).toBeGreaterThan(at(THE, RIVER, 30));
  });

  it('refuses a replacement that makes the text much less likely, and lets one by that does not', () => {
    const rule = stillLikely(model, 10);
    const words = post(THE, RIVER, ROSE);
    expect(rule({ position: 2, before: ROSE, after: FELL }, words)).toBe(true);
    expect(rule({ position: 2, before: ROSE, after: 30 }, words)).toBe(false);
    expect(words).toEqual(post(THE, RIVER, ROSE));
  });

  it('looks at both words after a replacement', () => {
    const before = model.logProbability(post(THE, RIVER, ROSE), 0);
    expect(model.logProbability(post(THE, RIVER, 30), 0)).toBeLessThan(before);
    expect(model.logProbability(post(THE, RIVER, ROSE, 30), 0)).toBe(before);
  });
});

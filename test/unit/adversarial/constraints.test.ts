import { describe, expect, it } from 'vitest';
import { sameKind } from '../../../src/adversarial/constraints.ts';
import { createWordKinds } from '../../../src/models/encoders/word-kinds.ts';

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
];
const allowed = sameKind((row) => kindOf(WORDS[row] as string));
const pair = (before: string, after: string): boolean => allowed(WORDS.indexOf(before), WORDS.indexOf(after));

describe('constraints on words', () => {
  it('let a word stand for another of its part of speech, and for no other', () => {
    expect(pair('river', 'estuary')).toBe(true);
    expect(pair('river', 'quickly')).toBe(false);
    expect(pair('said', 'river')).toBe(false);
  });

  it.each([
    ['names', 'london', 'boston'],
    ['numbers', 'forty', 'fifty'],
    ['words that hold a sentence together', 'the', 'a'],
    ['words for names', 'river', 'london'],
    ['negations', 'not', 'quickly'],
  ])('protect %s', (_, before, after) => {
    expect(pair(before, after)).toBe(false);
  });
});

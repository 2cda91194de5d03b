/** Numbers, times and codes as people read them. */
import { describe, expect, it } from 'vitest';
import {
  age,
  decisionWord,
  duration,
  flagText,
  languageName,
  percent,
  reasonText,
  rumourReason,
} from '../../../../src/dashboard/ui/src/format.ts';

describe('formats', () => {
  it.each([
    [0, '<1 %'],
    [0.004, '<1 %'],
    [0.5, '50 %'],
    [0.994, '99 %'],
    [0.999, '>99 %'],
    [1, '>99 %'],
  ])('probability %d is %s: never certainty', (value, text) => {
    expect(percent(value)).toBe(text);
  });

  it.each([
    [-5, '0 ms'],
    [240, '240 ms'],
    [4_240, '4.2 s'],
    [12_400, '12 s'],
    [240_000, '4 min'],
    [7_800_000, '2 h 10 min'],
    [50_000_000, '13 h'],
    [200_000_000, '2 d'],
  ])('%d ms last %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it('ages never run backwards', () => {
    expect([age(1_000, 500), age(0, 2_900), age(0, 5_200), age(0, 65_000)]).toEqual([
      'just now',
      'just now',
      '5 s ago',
      '1 min ago',
    ]);
  });

  it('codes become sentences, unknown ones stay readable', () => {
    expect(reasonText('no_text')).toBe('There is no text to read.');
    expect(reasonText('picture:m2')).toContain('m2');
    expect(reasonText('word:bridge:+0.31')).toBe('“bridge” speaks for it: 31 points.');
    expect(reasonText('word:thanks:-0.05')).toBe('“thanks” speaks against it: 5 points.');
    expect(reasonText('seen_before:flood')).toBe('seen before: flood');
    expect(flagText('retweet')).toBe('Repost');
    expect(flagText('some_thing')).toBe('some thing');
    expect(decisionWord('unsure')).toBe('Unsure');
    expect([languageName('es'), languageName('und'), languageName('x!')]).toEqual(['Spanish', null, 'x!']);
  });

  it.each([
    ['contents:1', 'It rests on one text or picture.'],
    ['contents:3', 'It rests on 3 different texts or pictures.'],
    ['pending', 'The scorer has not answered yet.'],
    ['pending:1', '1 more is waiting for the scorer.'],
    ['pending:4', '4 more are waiting for the scorer.'],
    ['from:image', 'The picture was looked at.'],
    ['text_share:62', 'text share: 62'],
  ])('a rumour reason %s reads: %s', (code, text) => {
    expect(rumourReason(code)).toBe(text);
  });
});

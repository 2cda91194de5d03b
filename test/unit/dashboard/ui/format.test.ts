/** Numbers, times and codes as people read them. */
import { describe, expect, it } from 'vitest';
import {
  age,
  decisionWord,
  duration,
  flagText,
  languageName,
  onlyText,
  percent,
  reasonText,
  rumourReasons,
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
    expect(reasonText('text_share:62')).toBe(
      'The text weighs 62 %, the picture 38 %: by how far the answer moves without it.',
    );
    expect(reasonText('text_share:100')).toContain('99 %, the picture 1 %');
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
  ])('a rumour reason %s reads: %s', (code, text) => {
    expect(rumourReasons([code])).toEqual([text]);
  });

  it.each([
    [['from:text'], 'Only text was read.'],
    [['from:image'], 'Only the picture was looked at.'],
    [['from:image', 'from:text'], 'Text and picture were looked at.'],
  ])('what a rumour score was read from, %j, is one sentence: %s', (codes, text) => {
    expect(rumourReasons(codes)).toEqual([text]);
  });

  it.each([
    [['text'], [], 'the post has no picture'],
    [['text'], ['pending', 'refused'], 'was not there yet'],
    [['text'], ['refused'], 'could not be used'],
    [['text'], ['ready'], null], // the label's own reason says why it was not looked at
    [['text', 'image'], ['ready'], null],
    [[], [], null],
  ])('scored from %j with pictures %j: why only the text, %s', (modalities, outcomes, words) => {
    const revision = { modalities, pictures: outcomes.map((outcome) => ({ outcome })) } as never;
    if (words === null) expect(onlyText(revision)).toBeNull();
    else expect(onlyText(revision)).toContain(words);
  });
});

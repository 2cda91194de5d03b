import { describe, expect, it } from 'vitest';
import { styleOf } from '../../../src/emit/style.ts';
import { normaliseText } from '../../../src/normalise/text.ts';

describe('style counts', () => {
  it('counts what a normalised text shows', () => {
    const { text, flags } = normaliseText('RT @joe: HELP!! 3 people on #roof? 🔥 https://t.co/x @who');
    expect(styleOf(text, flags)).toEqual({
      chars: [...text].length,
      words: 8,
      links: 1,
      mentions: 1,
      hashtags: 1,
      digits: 1,
      capitals: 4,
      exclamations: 2,
      questions: 1,
      retweet: 1,
    });
  });

  it('has every count for an empty text', () => {
    expect(Object.values(styleOf('', []))).toEqual(Array.from({ length: 10 }, () => 0));
  });
});

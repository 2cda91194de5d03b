import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Posts, Victim } from '../../../src/adversarial/attack.ts';
import { editWord } from '../../../src/adversarial/characters.ts';
import { SMALL_TALK, smallTalk } from '../../../src/adversarial/small-talk.ts';
import { onWords } from '../../../src/adversarial/text-edit.ts';
import { loadVocabulary, MAX_WORDS, tokenise } from '../../../src/models/words.ts';
import { normaliseText } from '../../../src/normalise/text.ts';

describe('editWord', () => {
  it.each([
    ['bridge', 'swap', 'brdige'],
    ['bridge', 'homoglyph', 'brіdge'],
    ['bridge', 'invisible', 'bri\u200bdge'],
    ['aaaa', 'swap', null],
    ['of', 'swap', null],
    ['xyz', 'swap', null],
    ['glut', 'homoglyph', null],
  ] as const)('%s by %s is %s', (word, edit, wanted) => {
    expect(editWord(word, edit)).toBe(wanted);
  });

  it('changes a word that it changes, and keeps its letters when it swaps', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme-ascii' }), (word) => {
        const swapped = editWord(word, 'swap');
        if (swapped === null) return;
        expect(swapped).not.toBe(word);
        expect([...swapped].sort()).toEqual([...word].sort());
        expect(swapped.at(0)).toBe(word.at(0));
        expect(swapped.at(-1)).toBe(word.at(-1));
      }),
    );
  });

  it('by invisible characters is undone by the normaliser', () => {
    expect(normaliseText(editWord('bridge', 'invisible') as string).text).toBe('bridge');
  });
});

describe('small talk', () => {
  const post = 'flood in colorado';
  const hidden = (where: 'before' | 'around', reading: 'first' | 'known'): boolean => {
    const { encode, read } = loadVocabulary(reading);
    const posts: Posts = {
      count: 1,
      texts: [post],
      words: encode(post),
      pixels: null,
      labels: Float32Array.of(1),
    };
    const same = (text: string): string => text;
    const [text] = onWords(smallTalk(where), same).generate({ encode } as Victim, posts, () => 0).posts.texts;
    return !read(text as string).includes('flood');
  };

  it('fills the window of the networks exactly', () => {
    expect(tokenise(SMALL_TALK)).toHaveLength(MAX_WORDS);
  });

  it('before a post hides it from a model that reads the first words', () => {
    expect(hidden('before', 'first')).toBe(true);
    expect(hidden('before', 'known')).toBe(false);
  });

  it('around a post hides it from both', () => {
    expect(hidden('around', 'first')).toBe(true);
    expect(hidden('around', 'known')).toBe(true);
  });
});

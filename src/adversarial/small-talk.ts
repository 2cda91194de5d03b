/** Fifteen words of small talk before the post, or before and after it: a model that reads fifteen words sees nothing else. */
import type { TextAttack } from './text-edit.ts';

/** Exactly as many words as the networks read (MMAT §IV-B). */
export const SMALL_TALK = 'good morning to all of you and have a very nice day with your friends';

const PLACES = {
  before: {
    name: 'prefix-15',
    source: 'Fixed prefix of 15 words, against models that cut a text there (issue 5)',
    put: (text: string): string => `${SMALL_TALK} ${text}`,
  },
  around: {
    name: 'around-15',
    source: 'The same 15 words before and after, against models that also read the end',
    put: (text: string): string => `${SMALL_TALK} ${text} ${SMALL_TALK}`,
  },
} as const;

export const smallTalk = (where: keyof typeof PLACES): TextAttack => {
  const { name, source, put } = PLACES[where];
  return {
    name,
    source,
    needs: 'nothing',
    *edit(texts) {
      return { texts: texts.map(put), queries: texts.map(() => 0) };
    },
  };
};

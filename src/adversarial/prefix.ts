/** Fifteen words of small talk before the post: a model that reads fifteen words sees nothing else. */
import type { TextAttack } from './text-edit.ts';

/** Exactly as many words as the networks read (MMAT §IV-B). */
export const SMALL_TALK = 'good morning to all of you and have a very nice day with your friends';

export const prefix = (): TextAttack => ({
  name: 'prefix-15',
  source: 'Fixed prefix of 15 words, against models that cut a text there (issue 5)',
  needs: 'nothing',
  *edit(texts) {
    return { texts: texts.map((text) => `${SMALL_TALK} ${text}`), queries: texts.map(() => 0) };
  },
});

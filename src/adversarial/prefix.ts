/** Fifteen words of small talk before the post: a model that reads fifteen words sees nothing else. */
import type { Attack, Audit } from './attack.ts';
import { type Normalise, withTexts } from './text-edit.ts';

/** Exactly as many words as the networks read (MMAT §IV-B). */
export const SMALL_TALK = 'good morning to all of you and have a very nice day with your friends';

export function prefix(normalise: Normalise): Attack {
  return {
    name: 'prefix-15',
    source: 'Fixed prefix of 15 words, against models that cut a text there (issue 5)',
    modality: 'text',
    needs: 'nothing',
    generate(victim, posts) {
      const texts = posts.texts.map((text) => `${SMALL_TALK} ${text}`);
      return {
        posts: withTexts(victim, posts, texts, normalise),
        audit: texts.map((text): Audit => ({ swaps: [], text, picture: null, queries: 0 })),
      };
    },
  };
}

/** Posts with other texts: what the model reads of them follows through the product's own normaliser and tokeniser. */
import { MAX_WORDS } from '../models/words.ts';
import type { Posts, Victim } from './attack.ts';

/** What happens to a text between its author and the model; attacks on texts must survive it. */
export type Normalise = (text: string) => string;

/** The posts with these texts in place of their own. */
export function withTexts(
  victim: Victim,
  posts: Posts,
  texts: readonly string[],
  normalise: Normalise,
): Posts {
  const words = new Int32Array(posts.words.length);
  texts.forEach((text, i) => {
    words.set(victim.encode(normalise(text)), i * MAX_WORDS);
  });
  return { ...posts, texts, words };
}

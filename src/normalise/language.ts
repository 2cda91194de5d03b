/** Which language a normalised text is in, by character n-grams (eld), or `und` where that cannot be said. */
import { eld } from 'eld/medium';

export interface LanguageId {
  /**
   * ISO 639-1, or `und`.
   * @param claimed what the source says; taken where the text alone does not settle it
   */
  of(text: string, claimed: string | null): string;
}

/** Code units read, the length of a tweet: more change next to nothing and take time. */
const READ_UNITS = 160;

const LETTER = /\p{L}/u;
const ISO = /^[a-z]{2}$/;

/** Loads the n-gram table (about 60 MB, half a second) at import. */
export function createLanguageId(): LanguageId {
  const detector = eld.newInstance();
  return {
    of(text, claimed) {
      const said = claimed !== null && ISO.test(claimed) ? claimed : 'und';
      const read = text.length > READ_UNITS ? text.slice(0, READ_UNITS) : text;
      if (!LETTER.test(read)) return said;
      // eld itself reads letters only: links, digits and emoji are separators to it.
      // Reliable: far enough above the runner-up and not far below what its language usually gets.
      const found = detector.detect(read);
      return found.language !== '' && found.isReliable() ? found.language : said;
    },
  };
}

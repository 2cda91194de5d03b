/** Which language a normalised text is in, by character n-grams (eld), or `und` where that cannot be said. */
import { eld } from 'eld/medium';
import { LINK, MENTION } from './text.ts';

export interface LanguageId {
  /**
   * ISO 639-1, or `und`.
   * @param claimed what the source says; taken where the text alone does not settle it
   */
  of(text: string, claimed: string | null): string;
}

/** Code units read: more change nothing and take time. */
const READ_UNITS = 400;
/** Below this mean n-gram score eld's first guess is noise on texts of a few words. */
const MIN_SCORE = 0.6;

const NOISE = new RegExp(`${LINK}|${MENTION}|[\\p{N}\\p{P}\\p{S}]+`, 'gu');
const ISO = /^[a-z]{2}$/;

/** Loads the n-gram table (about 60 MB, half a second) at import. */
export function createLanguageId(): LanguageId {
  const detector = eld.newInstance();
  return {
    of(text, claimed) {
      const said = claimed !== null && ISO.test(claimed) ? claimed : 'und';
      const letters = text.slice(0, READ_UNITS).replace(NOISE, ' ').trim();
      if (letters === '') return said;
      const found = detector.detect(letters);
      if (found.language === '') return said;
      if (!found.isReliable())
        return said === 'und' && score(found) >= MIN_SCORE + 0.15 ? found.language : said;
      return score(found) >= MIN_SCORE ? found.language : said;
    },
  };
}

function score(found: { readonly language: string; getScores(): Record<string, number> }): number {
  return found.getScores()[found.language] ?? 0;
}

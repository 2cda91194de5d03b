/** Counts of how a text is written, for the claim worker's rumour score. */

const LINK = 0x1f517;
const DOTS = 0x22ef;

/** Counts over the code points of a normalised text; every key is always there. */
export function styleOf(text: string, flags: readonly string[]): Readonly<Record<string, number>> {
  let chars = 0;
  let words = 0;
  let links = 0;
  let mentions = 0;
  let hashtags = 0;
  let digits = 0;
  let capitals = 0;
  let exclamations = 0;
  let questions = 0;
  let inWord = false;
  for (let i = 0; i < text.length; i += 1) {
    let point = text.charCodeAt(i);
    if (point >= 0xd800 && point <= 0xdbff) {
      point = text.codePointAt(i) as number;
      i += 1;
    }
    chars += 1;
    if (point === 0x20) {
      inWord = false;
      continue;
    }
    if (!inWord) {
      words += 1;
      inWord = true;
    }
    if (point >= 0x30 && point <= 0x39) digits += 1;
    else if (point >= 0x41 && point <= 0x5a) capitals += 1;
    else if (point === 0x21) exclamations += 1;
    else if (point === 0x3f) questions += 1;
    else if (point === 0x23) hashtags += 1;
    else if (point === LINK) links += 1;
    else if (point === DOTS) mentions += 1;
  }
  const retweet = flags.includes('retweet') ? 1 : 0;
  return { chars, words, links, mentions, hashtags, digits, capitals, exclamations, questions, retweet };
}

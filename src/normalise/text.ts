/**
 * Text as people wrote it → text as models, hashes and the page see it. Pure, synchronous, linear in the input.
 *
 * The choice for links and names: a URL becomes LINK and a mention becomes MENTION. Both read well, give nobody
 * a link to click or a person to find, and hold no letter or digit, so that a tokeniser which splits on
 * non-alphanumerics drops them as MMAT wants (models.md §1.2) without knowing of them. A leading RT goes
 * altogether (flag `retweet`); hashtags keep `#` and body; emoji stay.
 */

/** Changes whenever the same input may give another output. */
export const NORMALISER_VERSION: string = 'text-1';

/** Code points kept of a text. */
export const MAX_CODE_POINTS: number = 4_096;

/** Stands where a URL stood. */
export const LINK: string = '\u{1F517}';

/** Stands where a @mention stood. */
export const MENTION: string = '@\u22EF';

export interface NormalisedText {
  readonly text: string;
  /** `retweet`, `truncated`, `empty_text`; in this order. */
  readonly flags: string[];
}

/** Code units looked at; whatever a text hides behind that many invisible characters is not worth finding. */
const MAX_CODE_UNITS = 65_536;
/** Marks on one letter. Real scripts need up to four; more is a stack meant to break the layout. */
const MARKS = /(\p{M}{4})\p{M}+/gu;

const PLAIN = /^[\x20-\x7e]*$/;
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;
const HAS_IGNORABLE = /\p{Default_Ignorable_Code_Point}/u;
/** Controls, lone surrogates, private use and the replacement character say nothing. */
const UNSAYABLE = /[\p{Cc}\p{Cs}\p{Co}\uFFFC\uFFFD]+/gu;
const SPACES = /\s+/g;
const UNEVEN_SPACE = /\s{2}|[^\S ]/;

const JOINING_SCRIPT =
  /[\p{sc=Arabic}\p{sc=Syriac}\p{sc=Devanagari}\p{sc=Bengali}\p{sc=Gurmukhi}\p{sc=Gujarati}\p{sc=Oriya}\p{sc=Tamil}\p{sc=Telugu}\p{sc=Kannada}\p{sc=Malayalam}\p{sc=Sinhala}\p{sc=Khmer}\p{sc=Myanmar}\p{sc=Mongolian}]/u;
const PICTOGRAPH = /[\p{Extended_Pictographic}\p{Emoji_Modifier}]/u;

const ENTITY = /&(?:amp|lt|gt|quot|apos|#39|nbsp);/g;
const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
  '&#39;': "'",
  '&nbsp;': ' ',
};

const RETWEET = /^(?:RT(?: ?@[\p{L}\p{N}_-]{1,30}| ?:|(?= )) ?:? ?)+/u;
/** A scheme or a well-known shortener; then ASCII, so that text which follows without a space is kept. */
const URL_LIKE =
  /(?:https?:\/\/(?:[!#-;=?-~]+|[^\s<>"]+)|\b(?:www\.|(?:pic\.twitter\.com|t\.co|bit\.ly|ow\.ly|goo\.gl|youtu\.be|instagr\.am|fb\.me)\/)[!#-;=?-~]+)/giu;
/** What a cut at 140 characters left of a URL. */
const URL_STUMP = /\bhttps?(?::\/{0,2})?(?:\.\.\.)?$/i;
/** Not inside an e-mail address. Handles are ASCII; names of Weibo are words of any script. */
const MENTION_LIKE = /(?<![A-Za-z0-9_.+-])(?:@(?:[A-Za-z0-9_]{1,30}|[\p{L}\p{N}_-]{1,30}))+/gu;

/**
 * Normalises a text: NFKC; invisible characters and direction overrides out (ZWJ inside emoji and ZWNJ/ZWJ inside
 * joining scripts stay); at most four marks on a letter; white space to single spaces; entities of HTML as
 * Twitter's archives have them; RT, URLs and mentions as above; at most MAX_CODE_POINTS.
 *
 * normaliseText('RT @joe: Flood in #Houston https://t.co/x &amp; rain') → { text: 'Flood in #Houston 🔗 & rain', flags: ['retweet'] }
 */
export function normaliseText(raw: string): NormalisedText {
  const flags: string[] = [];
  let truncated = raw.length > MAX_CODE_UNITS;
  let text = truncated ? raw.slice(0, MAX_CODE_UNITS) : raw;
  if (!PLAIN.test(text)) {
    // Marks are bounded before NFKC too: sorting a stack of n marks costs n².
    text = withoutInvisible(text).replace(MARKS, '$1').normalize('NFKC').replace(MARKS, '$1');
    if (HAS_IGNORABLE.test(text)) text = withoutInvisible(text);
    text = text.replace(UNSAYABLE, ' ');
  }
  if (text.includes('&')) text = text.replace(ENTITY, (entity) => ENTITIES[entity] as string);
  if (UNEVEN_SPACE.test(text)) text = text.replace(SPACES, ' ');
  text = text.trim();
  if (text.startsWith('RT')) {
    const rest = text.replace(RETWEET, '');
    if (rest !== text) flags.push('retweet');
    text = rest;
  }
  if (text.includes('/') || text.includes('www.') || text.includes('http'))
    text = text.replace(URL_LIKE, LINK).replace(URL_STUMP, LINK);
  if (text.includes('@')) text = text.replace(MENTION_LIKE, MENTION);
  const cut = firstCodePoints(text, MAX_CODE_POINTS);
  truncated ||= cut.length < text.length;
  text = cut.trim();
  if (truncated) flags.push('truncated');
  if (text === '') flags.push('empty_text');
  return { text, flags };
}

/** The text up to `count` code points; the same string when it is no longer. */
export function firstCodePoints(text: string, count: number): string {
  if (text.length <= count) return text;
  let units = 0;
  for (let points = 0; points < count && units < text.length; points += 1)
    units += (text.codePointAt(units) as number) > 0xffff ? 2 : 1;
  return units < text.length ? text.slice(0, units) : text;
}

function withoutInvisible(text: string): string {
  return text.replace(IGNORABLE, (char, offset: number) => (belongs(text, char, offset) ? char : ''));
}

/** Whether an ignorable character does something that a reader of the script would miss. */
function belongs(text: string, char: string, offset: number): boolean {
  if (char !== '\u200C' && char !== '\u200D' && char !== '\uFE0F') return false;
  const before = pointBefore(text, offset);
  const after = String.fromCodePoint(text.codePointAt(offset + 1) ?? 0x20);
  if (char === '\uFE0F') return PICTOGRAPH.test(before);
  if (JOINING_SCRIPT.test(before) && JOINING_SCRIPT.test(after)) return true;
  if (char === '\u200C') return false;
  const base = before === '\uFE0F' ? pointBefore(text, offset - 1) : before;
  return PICTOGRAPH.test(base) && PICTOGRAPH.test(after);
}

function pointBefore(text: string, offset: number): string {
  if (offset === 0) return ' ';
  const unit = text.charCodeAt(offset - 1);
  const low = unit >= 0xdc00 && unit <= 0xdfff && offset > 1;
  return String.fromCodePoint(text.codePointAt(offset - (low ? 2 : 1)) as number);
}

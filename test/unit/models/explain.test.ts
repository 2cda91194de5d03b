/** Explanations by occlusion, on scorers whose answers are known. */
import { describe, expect, it } from 'vitest';
import type { ScoreInput, ScoreOutput, Scorer } from '../../../src/models/port.ts';
import { pictureMap, topWords, wordEvidence } from '../../../src/models/serving/explain.ts';
import { loadVocabulary } from '../../../src/models/words.ts';

const vocabulary = loadVocabulary();
const [bridge, closed, thanks] = ['bridge', 'closed', 'thanks'].map((word) => vocabulary.encode(word)[0]);

/** 0.5, more by the bridge and a closure, less by thanks; nothing without a known word. */
const weights = new Map([
  [bridge, 0.3],
  [closed, 0.1],
  [thanks, -0.2],
]);
const byWords: Pick<Scorer, 'score'> = {
  score: async (batch) =>
    batch.map(({ words }): ScoreOutput => {
      const known = [...words].filter((row) => row !== 0);
      const probability =
        known.length === 0 ? null : known.reduce((sum, row) => sum + (weights.get(row) ?? 0), 0.5);
      return { probability, byModality: { text: probability, image: null }, modalities: ['text'] };
    }),
};
const inputOf = (text: string): ScoreInput => ({ words: vocabulary.encode(text), pixels: null });
const evidence = async (...texts: string[]): Promise<string[][]> => {
  const inputs = texts.map(inputOf);
  const outputs = await byWords.score(inputs);
  const posts = texts.map((text, i) => ({
    tokens: vocabulary.read(text),
    input: inputs[i] as ScoreInput,
    probability: outputs[i]?.probability ?? 0,
  }));
  return (await topWords(byWords, posts)).map((words) => words.map(wordEvidence));
};

describe('the top words', () => {
  it('are those whose loss moves the answer most, with its direction', async () => {
    expect(await evidence('Thanks! The bridge is closed, use the ferry', 'closed')).toEqual([
      ['word:bridge:+0.30', 'word:thanks:-0.20', 'word:closed:+0.10'],
      ['word:closed:+0.10'],
    ]);
  });

  it('leave out words that do not count, and are none where there is no score', async () => {
    expect(await evidence('the ferry bridge', 'qqzzx vvkkq', '')).toEqual([['word:bridge:+0.30'], [], []]);
    expect(await evidence()).toEqual([]);
  });

  it('name the right word after ones that nobody knows, and compare the only one with even odds', async () => {
    expect(await evidence('qqzzx vvkkq bridge')).toEqual([['word:bridge:+0.30']]);
  });
});

/** The mean of the picture's top left part, red channel. */
const byCorner: Pick<Scorer, 'score'> = {
  score: async (batch) =>
    batch.map(({ pixels }): ScoreOutput => {
      let sum = 0;
      for (let y = 0; y < 8; y += 1)
        for (let x = 0; x < 8; x += 1) sum += (pixels?.[(y * 64 + x) * 3] as number) / (64 * 255);
      return { probability: sum, byModality: { text: null, image: sum }, modalities: ['image'] };
    }),
};

describe('the picture map', () => {
  it('shows the part that counts, and nothing elsewhere', async () => {
    const pixels = new Uint8Array(64 * 64 * 3);
    for (let y = 0; y < 8; y += 1) for (let x = 0; x < 8; x += 1) pixels[(y * 64 + x) * 3] = 255;
    const map = await pictureMap(byCorner, { words: new Int32Array(15), pixels });
    expect(map).toHaveLength(64);
    expect(map?.[0]).toBeCloseTo(1 - 3 / 255, 2);
    expect(map?.slice(1).every((drop) => drop === 0)).toBe(true);
  });

  it('is null without a picture, and where the model does not look at it', async () => {
    expect(await pictureMap(byCorner, inputOf('bridge'))).toBeNull();
    expect(await pictureMap(byWords, { ...inputOf('bridge'), pixels: new Uint8Array(12_288) })).toBeNull();
  });
});

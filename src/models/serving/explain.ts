/** Why a model answered as it did: how its probability falls when a word, or a part of the picture, is taken away (occlusion). */
import type { ScoreInput, Scorer } from '../port.ts';

/** Parts of a picture along each side. */
const GRID = 8;
const SIDE = 64;
const CELL = SIDE / GRID;
/** Words of an explanation, and the least that one must count. */
const MOST_WORDS = 3;
const LEAST_DROP = 0.01;

export interface WordShare {
  readonly word: string;
  /** Probability with the word minus without it; above zero it speaks for yes. */
  readonly drop: number;
}

/** A post whose words are asked for. */
export interface Answered {
  /** The words of the text as `Vocabulary.read` gave them. */
  readonly tokens: readonly string[];
  /** As `Vocabulary.encode` gave it for the text, with the picture that was scored. */
  readonly input: ScoreInput;
  /** What the model said of `input`. */
  readonly probability: number;
}

/**
 * For each post the words that count most, the strongest first, at most three. Each known word is set to the row of an
 * unknown one; all versions of all posts go to the scoring threads in one batch.
 */
export async function topWords(
  scorer: Pick<Scorer, 'score'>,
  posts: readonly Answered[],
): Promise<WordShare[][]> {
  const places = posts.map(({ input: { words } }) => [...words.keys()].filter((place) => words[place] !== 0));
  const without = posts.flatMap(({ input }, i) =>
    (places[i] as number[]).map((place): ScoreInput => {
      const words = input.words.slice();
      words[place] = 0;
      return { ...input, words };
    }),
  );
  const outputs = without.length === 0 ? [] : await scorer.score(without);
  let at = 0;
  return posts.map(({ tokens, probability }, i) =>
    (places[i] as number[])
      .map((place): WordShare => {
        // The only known word: without it there is no score, and nothing to compare with but even odds.
        const left = outputs[at++]?.probability ?? 0.5;
        return { word: tokens[place] as string, drop: probability - left };
      })
      .filter(({ drop }) => Math.abs(drop) >= LEAST_DROP)
      .sort((a, b) => Math.abs(b.drop) - Math.abs(a.drop))
      .slice(0, MOST_WORDS),
  );
}

/** As labels carry it: `word:bridge:+0.31`. */
export const wordEvidence = ({ word, drop }: WordShare): string =>
  `word:${word}:${drop < 0 ? '-' : '+'}${Math.abs(drop).toFixed(2)}`;

/**
 * How much each part of the picture counts, row by row: probability with the picture minus with that part in the
 * picture's mean colour. Null where the score does not rest on the picture. [8 × 8]
 */
export async function pictureMap(
  scorer: Pick<Scorer, 'score'>,
  input: ScoreInput,
): Promise<Float64Array | null> {
  const { pixels } = input;
  if (!pixels) return null;
  const mean = [0, 1, 2].map((channel) => {
    let sum = 0;
    for (let at = channel; at < pixels.length; at += 3) sum += pixels[at] as number;
    return sum / (SIDE * SIDE);
  });
  const without = Array.from({ length: GRID * GRID }, (_, part): ScoreInput => {
    const covered = pixels.slice();
    const [top, left] = [Math.floor(part / GRID) * CELL, (part % GRID) * CELL];
    for (let y = top; y < top + CELL; y += 1)
      for (let x = left; x < left + CELL; x += 1) covered.set(mean, (y * SIDE + x) * 3);
    return { ...input, pixels: covered };
  });
  const [whole, ...parts] = await scorer.score([input, ...without]);
  const probability = whole?.probability;
  if (probability == null || !whole?.modalities.includes('image')) return null;
  return Float64Array.from(parts, (output) => probability - (output.probability ?? probability));
}

/**
 * A test of the attacks themselves (Zimmermann et al. 2022): a victim for which every post is known to have an
 * adversarial twin within the budget. An attack that does not find nearly all of them is broken.
 */
import { seededRandom } from '../base/random.ts';
import type { Tf } from '../models/engine/tf.ts';
import { MAX_WORDS } from '../models/words.ts';
import { PICTURE_SIDE } from '../models/zoo/branches.ts';
import type { Gradient, Posts, Victim } from './attack.ts';
import { greedyWords } from './greedy-words.ts';
import { pgd, pgdDefaults } from './pgd.ts';
import { buildWordSpace, type WordSpace } from './word-space.ts';

const COUNT = 20;
const EPSILON = 8 / 255;
const PIXELS = PICTURE_SIDE * PICTURE_SIDE * 3;
/** Small, so that the clean logits are ordinary ones (about 2) and their loss has a gradient in float32. */
const WEIGHT = 0.01;
const WORDS = 40;
const DIMENSIONS = 20;

/** Share of the planted examples that PGD and greedy words find, the lower of the two. */
export function plantedShare(tf: Tf, seed: number): number {
  return Math.min(plantedPictures(seed), plantedWords(tf, seed));
}

/**
 * Logit = w · (x − ½) + offset with weights of ±`WEIGHT`. Moving each pixel by ε along −sign(w) lowers it by ε · Σ|w|;
 * the offset puts every clean logit at half of that, so that a twin is there for certain.
 */
function plantedPictures(seed: number): number {
  const random = seededRandom(seed);
  const weights = Float32Array.from({ length: PIXELS }, () => (random() < 0.5 ? -WEIGHT : WEIGHT));
  // Away from 0 and 1 by more than ε, so that clipping takes nothing.
  const pixels = Float32Array.from({ length: COUNT * PIXELS }, () => 0.2 + 0.6 * random());
  const clean = (all: Float32Array, i: number): number => {
    let sum = 0;
    for (let k = 0; k < PIXELS; k += 1)
      sum += (weights[k] as number) * ((all[i * PIXELS + k] as number) - 0.5);
    return sum;
  };
  const offsets = Array.from({ length: COUNT }, (_, i) => 0.5 * EPSILON * WEIGHT * PIXELS - clean(pixels, i));
  const victim = linearVictim(
    emptySpace,
    (posts, i) => clean(posts.pixels as Float32Array, i) + (offsets[i] as number),
    (i, scale, gradient) => {
      for (let k = 0; k < PIXELS; k += 1)
        (gradient.pixels as Float32Array)[i * PIXELS + k] = scale * (weights[k] as number);
    },
    { words: 0, pixels: COUNT * PIXELS },
  );
  const posts = plantedPosts(new Int32Array(COUNT * MAX_WORDS), pixels);
  const crafted = pgd({ ...pgdDefaults(EPSILON), starts: 1 }).generate(victim, posts, random).posts;
  return foundShare(victim, crafted);
}

/**
 * Logit = sum over words of v · w. Of every word's neighbours one lies far along −v; the threshold is set so that
 * replacing three words (30 % of ten) suffices, and fewer do not always.
 */
function plantedWords(tf: Tf, seed: number): number {
  const random = seededRandom(seed + 1);
  const direction = Float32Array.from({ length: DIMENSIONS }, () => random() - 0.5);
  const table = new Float32Array((WORDS + 1) * DIMENSIONS);
  for (let i = DIMENSIONS; i < table.length; i += 1) table[i] = random() * 2 - 1;
  const space = buildWordSpace(tf, table, DIMENSIONS, WORDS - 1);
  const value = (id: number): number =>
    direction.reduce((sum, v, d) => sum + v * (table[id * DIMENSIONS + d] as number), 0);
  const values = Array.from({ length: WORDS + 1 }, (_, id) => (id === 0 ? 0 : value(id)));
  const lowest = Math.min(...values.slice(1));
  const words = new Int32Array(COUNT * MAX_WORDS);
  const offsets = Array.from({ length: COUNT }, (_, i) => {
    const mine: number[] = [];
    for (let k = 0; k < 10; k += 1) {
      const id = 1 + Math.floor(random() * WORDS);
      words[i * MAX_WORDS + k] = id;
      mine.push(values[id] as number);
    }
    const gains = mine.map((v) => v - lowest).sort((a, b) => b - a);
    const total = mine.reduce((a, b) => a + b, 0);
    return 0.9 * ((gains[0] as number) + (gains[1] as number) + (gains[2] as number)) - total;
  });
  const logit = (posts: Posts, i: number): number => {
    let sum = offsets[i] as number;
    for (let k = 0; k < MAX_WORDS; k += 1) sum += values[posts.words[i * MAX_WORDS + k] as number] as number;
    return sum;
  };
  const victim = linearVictim(
    space,
    logit,
    (i, scale, gradient) => {
      for (let k = 0; k < MAX_WORDS; k += 1)
        for (let d = 0; d < DIMENSIONS; d += 1)
          (gradient.words as Float32Array)[(i * MAX_WORDS + k) * DIMENSIONS + d] =
            scale * (direction[d] as number);
    },
    { words: COUNT * MAX_WORDS * DIMENSIONS, pixels: 0 },
  );
  const attack = greedyWords({ candidates: WORDS - 1, share: 0.3 });
  return foundShare(victim, attack.generate(victim, plantedPosts(words, null), random).posts);
}

const emptySpace: WordSpace = {
  vectors: new Float32Array(0),
  rows: 0,
  dimensions: DIMENSIONS,
  n: 0,
  neighbours: new Int32Array(0),
};

/** All posts are positive and scored positive; an attack has found the twin where the logit is below zero. */
function plantedPosts(words: Int32Array, pixels: Float32Array | null): Posts {
  return {
    count: COUNT,
    texts: Array.from({ length: COUNT }, () => ''),
    words,
    pixels,
    labels: new Float32Array(COUNT).fill(1),
  };
}

function foundShare(victim: Victim, posts: Posts): number {
  return victim.logits(posts).filter((z) => z < 0).length / posts.count;
}

/** A victim with one sigmoid output whose logit is linear in what it reads. */
function linearVictim(
  space: WordSpace,
  logit: (posts: Posts, i: number) => number,
  slope: (i: number, scale: number, gradient: Gradient) => void,
  sizes: { readonly words: number; readonly pixels: number },
): Victim {
  const all = (posts: Posts): Float32Array =>
    Float32Array.from({ length: posts.count }, (_, i) => logit(posts, i));
  const losses = (posts: Posts): Float32Array => all(posts).map((z) => Math.log1p(Math.exp(-z)));
  return {
    head: { kind: 'sigmoid', outputs: 1 },
    space,
    encode: () => new Int32Array(MAX_WORDS),
    logits: all,
    losses,
    gradient(posts) {
      const gradient: Gradient = {
        losses: losses(posts),
        words: sizes.words > 0 ? new Float32Array(sizes.words) : null,
        pixels: sizes.pixels > 0 ? new Float32Array(sizes.pixels) : null,
      };
      // d loss / d logit of a positive post = σ(z) − 1
      all(posts).forEach((z, i) => {
        slope(i, -1 / (1 + Math.exp(z)), gradient);
      });
      return gradient;
    },
  };
}

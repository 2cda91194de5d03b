/** What every attack keeps: its budget, its word (the audit), the labels, and that it does harm. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anyWords } from '../../src/adversarial/any-words.ts';
import type { Attack, Audit, Posts, Victim } from '../../src/adversarial/attack.ts';
import { characters } from '../../src/adversarial/characters.ts';
import { dilution } from '../../src/adversarial/dilution.ts';
import { FEATURE_SPACE_DEFAULTS, featureSpace } from '../../src/adversarial/feature-space.ts';
import { fgsm } from '../../src/adversarial/fgsm.ts';
import { greedyWords } from '../../src/adversarial/greedy-words.ts';
import { joint } from '../../src/adversarial/joint.ts';
import { pgd, pgdDefaults } from '../../src/adversarial/pgd.ts';
import { recycledPicture } from '../../src/adversarial/recycled-picture.ts';
import { smallTalk } from '../../src/adversarial/small-talk.ts';
import { square, squareDefaults } from '../../src/adversarial/square.ts';
import { onWords } from '../../src/adversarial/text-edit.ts';
import type { WordSpace } from '../../src/adversarial/word-space.ts';
import { wordReplacement } from '../../src/adversarial/words.ts';
import { seededRandom } from '../../src/base/random.ts';
import { openEngine } from '../../src/models/engine/engine.ts';
import type { Tf } from '../../src/models/engine/tf.ts';
import { MAX_WORDS } from '../../src/models/words.ts';
import type { Network } from '../../src/models/zoo/contract.ts';
import { architecture } from '../../src/models/zoo/zoo.ts';
import { scenePosts, sceneSpace, sceneVictim, withVectors } from '../support/attack-scene.ts';

const EPSILON = 0.1;
const same = (text: string): string => text;

interface Case {
  readonly attack: (tf: Tf) => Attack;
  /** Whether it follows the loss: then the mean loss must rise. */
  readonly harms: boolean;
}
const CASES: readonly Case[] = [
  { attack: () => fgsm(EPSILON), harms: true },
  { attack: (tf) => wordReplacement(tf), harms: true },
  { attack: () => greedyWords(), harms: true },
  { attack: (tf) => anyWords(tf, 3), harms: true },
  { attack: () => pgd({ ...pgdDefaults(EPSILON), steps: 4, starts: 2 }), harms: true },
  { attack: () => square({ ...squareDefaults(EPSILON), queries: 12 }), harms: true },
  { attack: (tf) => joint('joint', [wordReplacement(tf)]), harms: true },
  { attack: () => onWords(characters({ edit: 'homoglyph', edits: 2 }), same), harms: false },
  { attack: () => onWords(characters({ edit: 'invisible', edits: 2 }), same), harms: false },
  { attack: () => onWords(characters({ edit: 'swap', edits: 2 }), same), harms: false },
  { attack: () => onWords(smallTalk('before'), same), harms: false },
  { attack: () => onWords(smallTalk('around'), same), harms: false },
  { attack: () => onWords(dilution(['w1 w2 w3', 'w9 w8']), same), harms: true },
  { attack: () => recycledPicture(3), harms: true },
  { attack: () => featureSpace({ ...FEATURE_SPACE_DEFAULTS, steps: 4 }), harms: true },
];

let tf: Tf;
let space: WordSpace;
const networks: Network[] = [];
let text: Victim;
let image: Victim;
let vectors: Victim;

const postsFor = ({ modality }: Attack): Posts => {
  if (modality === 'vectors') return withVectors(scenePosts(6, false));
  return scenePosts(modality === 'image' ? 4 : 10, modality === 'image');
};
const victimFor = ({ modality }: Attack): Victim => {
  if (modality === 'vectors') return vectors;
  return modality === 'image' ? image : text;
};

beforeAll(async () => {
  tf = await openEngine();
  space = sceneSpace(tf);
  for (const name of ['text-cnn', 'visual-cnn', 'mafn']) {
    const scene = sceneVictim(tf, architecture(name), space);
    networks.push(scene.network);
    if (name === 'text-cnn') text = scene.victim;
    else if (name === 'visual-cnn') image = scene.victim;
    else vectors = scene.victim;
  }
});
afterAll(() => {
  for (const network of networks) network.dispose();
});

const mean = (values: Float32Array): number => values.reduce((a, b) => a + b, 0) / values.length;

for (const { attack: make, harms } of CASES) {
  const { name } = make({} as Tf);
  describe(name, () => {
    const run = (
      seed = 1,
    ): { attack: Attack; victim: Victim; posts: Posts; crafted: Posts; audit: readonly Audit[] } => {
      const attack = make(tf);
      const victim = victimFor(attack);
      const posts = postsFor(attack);
      const { posts: crafted, audit } = attack.generate(victim, posts, seededRandom(seed));
      return { attack, victim, posts, crafted, audit };
    };

    it('leaves count and labels alone, disposes of its tensors and does not change what it was given', () => {
      const before = tf.memory().numTensors;
      const { attack, posts, crafted, audit } = run();
      expect(tf.memory().numTensors).toBe(before);
      expect(crafted.count).toBe(posts.count);
      expect(crafted.labels).toEqual(posts.labels);
      expect(audit).toHaveLength(posts.count);
      expect(posts).toEqual(postsFor(attack));
    });

    it('does the same again for the same seed', () => {
      const [first, second] = [run(7), run(7)];
      expect(second.crafted).toEqual(first.crafted);
      expect(second.audit).toEqual(first.audit);
    });

    it('says in the audit what it did', () => {
      const { posts, crafted, audit } = run();
      audit.forEach(({ swaps, text: after, picture }, i) => {
        const words = posts.words.slice(i * MAX_WORDS, (i + 1) * MAX_WORDS);
        if (after === null) {
          for (const { position, before, after: word } of swaps) {
            expect(words[position]).toBe(before);
            words[position] = word;
          }
          expect(crafted.words.slice(i * MAX_WORDS, (i + 1) * MAX_WORDS)).toEqual(words);
        } else expect(crafted.texts[i]).toBe(after);
        if (picture && crafted.pixels && posts.pixels) {
          const size = posts.pixels.length / posts.count;
          let largest = 0;
          for (let k = i * size; k < (i + 1) * size; k += 1)
            largest = Math.max(
              largest,
              Math.abs((crafted.pixels[k] as number) - (posts.pixels[k] as number)),
            );
          expect(picture.linf).toBeCloseTo(largest, 6);
        }
      });
    });

    it('keeps pixels within their range, and within epsilon where there is one', () => {
      const { posts, crafted } = run();
      if (!crafted.pixels || !posts.pixels) {
        expect(posts.pixels).toBe(null);
        return;
      }
      for (const [k, x] of crafted.pixels.entries()) {
        if (x < 0 || x > 1) throw new Error(`pixel ${k} is ${x}`);
        if (name !== 'recycled-picture' && Math.abs(x - (posts.pixels[k] as number)) > EPSILON + 1e-6)
          throw new Error(`pixel ${k} moved too far`);
      }
    });

    if (harms)
      it('raises the mean loss', () => {
        const { victim, posts, crafted } = run();
        expect(mean(victim.losses(crafted))).toBeGreaterThan(mean(victim.losses(posts)));
      });
  });
}

describe('word replacement', () => {
  it('takes the neighbour with the highest score, only above tau, as computed by hand', () => {
    const posts = scenePosts(6, false);
    const { words: gradient } = text.gradient(posts);
    const { posts: crafted } = wordReplacement(tf, { epsilon: 0.1, tau: 0.2, candidates: 8 }).generate(
      text,
      posts,
      seededRandom(1),
    );
    const d = space.dimensions;
    for (let i = 0; i < posts.words.length; i += 1) {
      const word = posts.words[i] as number;
      let best = word;
      let most = 0.2;
      for (let k = 0; k < space.n; k += 1) {
        const other = space.neighbours[word * space.n + k] as number;
        let score = 0;
        for (let j = 0; j < d; j += 1)
          score +=
            0.1 *
            Math.sign(gradient?.[i * d + j] ?? 0) *
            ((space.vectors[other * d + j] as number) - (space.vectors[word * d + j] as number));
        if (word !== 0 && other !== 0 && score > most) [best, most] = [other, score];
      }
      expect(crafted.words[i]).toBe(best);
    }
    expect(crafted.words).not.toEqual(posts.words);
  });

  it('replaces nothing where tau cannot be reached, and nothing that is forbidden', () => {
    const posts = scenePosts(6, false);
    const far = wordReplacement(tf, { epsilon: 0.1, tau: 100, candidates: 8 });
    expect(far.generate(text, posts, seededRandom(1)).posts.words).toEqual(posts.words);
    const even = wordReplacement(tf, {
      epsilon: 0.1,
      tau: 0.1,
      candidates: 8,
      allowed: ({ after }) => after % 2 === 0,
    });
    const { audit } = even.generate(text, posts, seededRandom(1));
    const swaps = audit.flatMap((one) => one.swaps);
    expect(swaps.length).toBeGreaterThan(0);
    expect(swaps.every(({ after }) => after % 2 === 0)).toBe(true);
  });
});

describe('greedy word replacement', () => {
  it('stays within its share of the words and never lowers a post’s loss', () => {
    const posts = scenePosts(10, false);
    const { posts: crafted, audit } = greedyWords().generate(text, posts, seededRandom(1));
    const [before, after] = [text.losses(posts), text.losses(crafted)];
    audit.forEach(({ swaps }, i) => {
      const known = posts.words.slice(i * MAX_WORDS, (i + 1) * MAX_WORDS).filter((w) => w !== 0).length;
      expect(swaps.length).toBeLessThanOrEqual(Math.ceil(0.3 * known));
      expect(new Set(swaps.map(({ position }) => position)).size).toBe(swaps.length);
      expect(after[i]).toBeGreaterThanOrEqual(before[i] as number);
    });
  });
});

describe('the attack in feature space', () => {
  it('stays in the ball around each post’s own vectors, leaves all else, and says how far it went', () => {
    const posts = withVectors(scenePosts(6, false));
    const radius = 0.1;
    const { posts: crafted, audit } = featureSpace({ radius, steps: 6 }).generate(
      vectors,
      posts,
      seededRandom(1),
    );
    const lengths = (
      of: (column: Float32Array, k: number, other: Float32Array) => number,
      i: number,
    ): number[] =>
      (['tokens', 'imageLogits'] as const).map((column) => {
        const [before, after] = [posts.others?.[column], crafted.others?.[column]] as [
          Float32Array,
          Float32Array,
        ];
        const size = before.length / posts.count;
        let sum = 0;
        for (let k = i * size; k < (i + 1) * size; k += 1) sum += of(before, k, after) ** 2;
        return Math.sqrt(sum);
      });
    audit.forEach((one, i) => {
      const moved = lengths((before, k, after) => (after[k] as number) - (before[k] as number), i);
      const own = lengths((before, k) => before[k] as number, i);
      moved.forEach((way, at) => {
        expect(way).toBeLessThanOrEqual(radius * (own[at] as number) * 1.0001);
      });
      expect(one.vectors?.l2).toBeCloseTo(Math.hypot(...moved), 4);
      expect(one.vectors?.l2).toBeGreaterThan(0);
    });
    expect(crafted.others?.tokenMask).toEqual(posts.others?.tokenMask);
    expect([crafted.texts, crafted.words]).toEqual([posts.texts, posts.words]);
  });
});

describe('stronger attacks', () => {
  it('do at least as much harm: PGD as FGSM at the same epsilon', () => {
    const posts = scenePosts(4, true);
    const one = fgsm(EPSILON).generate(image, posts, seededRandom(1)).posts;
    const many = pgd({ epsilon: EPSILON, steps: 8, stepSize: EPSILON / 4, starts: 2 }).generate(
      image,
      posts,
      seededRandom(1),
    ).posts;
    expect(mean(image.losses(many))).toBeGreaterThanOrEqual(mean(image.losses(one)) - 1e-6);
  });
});

describe('gradients', () => {
  it('are those of each post’s own loss: equal to finite differences', () => {
    const posts = scenePosts(3, true);
    const { pixels } = image.gradient(posts);
    const size = (posts.pixels as Float32Array).length / posts.count;
    const step = 1e-2;
    for (const at of [5, size + 700, 2 * size + 6_000]) {
      const shifted = (by: number): Float32Array => {
        const moved = (posts.pixels as Float32Array).slice();
        moved[at] = (moved[at] as number) + by;
        return image.losses({ ...posts, pixels: moved });
      };
      const [up, down] = [shifted(step), shifted(-step)];
      const post = Math.floor(at / size);
      const slope = ((up[post] as number) - (down[post] as number)) / (2 * step);
      expect(pixels?.[at]).toBeCloseTo(slope, 3);
    }
  });
});

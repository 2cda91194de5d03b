import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Victim } from '../../../src/adversarial/attack.ts';
import { plantedShare } from '../../../src/adversarial/planted.ts';
import { checkSanity, type SanityFlag } from '../../../src/adversarial/sanity.ts';
import {
  attacksOf,
  probabilities,
  runSuite,
  type SuiteOptions,
  twoClassJudge,
} from '../../../src/adversarial/suite.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import type { Network } from '../../../src/models/zoo/contract.ts';
import { architecture } from '../../../src/models/zoo/zoo.ts';
import { measure } from '../../../src/training/measure.ts';
import { fitScene, scenePosts, sceneSpace, sceneVictim } from '../../support/attack-scene.ts';

const OPTIONS: SuiteOptions = {
  epsilon: 8 / 255,
  candidates: 8,
  squareQueries: 5,
  normalise: (text) => text,
};
const JUDGE = twoClassJudge({ kind: 'sigmoid', outputs: 1 }, measure);
const DEPS = { clock: systemClock, seed: 3, judge: JUDGE };

let tf: Tf;
let text: Victim;
let twin: Victim;
const networks: Network[] = [];
beforeAll(async () => {
  tf = await openEngine();
  const space = sceneSpace(tf);
  for (let i = 0; i < 2; i += 1) {
    const scene = sceneVictim(tf, architecture('text-cnn'), space, 5 + i);
    networks.push(scene.network);
    await fitScene(tf, scene.network, space);
    if (i === 0) text = scene.victim;
    else twin = scene.victim;
  }
});
afterAll(() => {
  for (const network of networks) network.dispose();
});

describe('attacks of a suite', () => {
  it('are those that fit what the model reads', () => {
    const names = (suite: 'adaptive' | 'strong', reads: { text: boolean; image: boolean }): string[] =>
      attacksOf(tf, suite, reads, OPTIONS).map(({ name }) => name);
    expect(names('adaptive', { text: true, image: false })).toEqual(['words']);
    expect(names('adaptive', { text: false, image: true })).toEqual(['fgsm']);
    expect(names('adaptive', { text: true, image: true })).toEqual(['words', 'fgsm', 'joint']);
    expect(names('strong', { text: true, image: false })).toEqual([
      'words',
      'greedy-words',
      'characters-swap',
      'characters-homoglyph',
      'characters-invisible',
      'prefix-15',
      'around-15',
      'dilution',
    ]);
  });
});

describe('a run of a suite', () => {
  it('reports per attack, and the worst per post, which no single attack beats', async () => {
    const posts = scenePosts(30, false);
    const attacks = attacksOf(tf, 'strong', { text: true, image: false }, OPTIONS);
    const result = await runSuite(text, text, posts, attacks, DEPS);
    expect(result.clean.probability).toEqual(probabilities(text, posts));
    expect(result.attacked.map(({ attack }) => attack.name)).toEqual(attacks.map(({ name }) => name));
    for (const { metrics, success } of result.attacked) {
      expect(result.worst.metrics.accuracy.value).toBeLessThanOrEqual(metrics.accuracy.value);
      expect(result.worst.success).toBeGreaterThanOrEqual(success);
    }
    expect(result.worst.metrics.accuracy.value).toBeLessThan(result.clean.metrics.accuracy.value);
    const words = result.attacked[0];
    expect(words?.wordsReplaced).toBeGreaterThan(0);
    expect(words?.wordsReplaced).toBeLessThanOrEqual(1);
  });

  it('counts success over the posts that were right before', async () => {
    const posts = scenePosts(30, false);
    const attacks = attacksOf(tf, 'adaptive', { text: true, image: false }, OPTIONS);
    const { clean, attacked } = await runSuite(text, text, posts, attacks, DEPS);
    const after = attacked[0]?.judged.probability as number[];
    let [had, lost] = [0, 0];
    clean.probability.forEach((p, i) => {
      if ((p >= 0.5 ? 1 : 0) !== posts.labels[i]) return;
      had += 1;
      if (((after[i] as number) >= 0.5 ? 1 : 0) !== posts.labels[i]) lost += 1;
    });
    expect(attacked[0]?.success).toBe(lost / had);
  });

  it('crafts on the model that it is told to', async () => {
    const posts = scenePosts(12, false);
    const attacks = attacksOf(tf, 'static', { text: true, image: false }, OPTIONS);
    const own = (await runSuite(text, text, posts, attacks, DEPS)).attacked[0];
    const transferred = (await runSuite(text, twin, posts, attacks, DEPS)).attacked[0];
    expect(transferred?.posts.words).not.toEqual(own?.posts.words);
    expect(transferred?.posts.words).toEqual(
      (await runSuite(twin, twin, posts, attacks, DEPS)).attacked[0]?.posts.words,
    );
  });
});

describe('sanity', () => {
  const options = { epsilon: 8 / 255, candidates: 8, squareQueries: 5, seed: 3, judge: JUDGE };

  it('finds the planted examples', () => {
    expect(plantedShare(tf, 1)).toBeGreaterThanOrEqual(0.95);
  });

  it('passes for a model with honest gradients', () => {
    const flags = checkSanity(tf, text, scenePosts(20, false), { ...options, surrogate: twin });
    expect(flags.filter(({ passed }) => !passed)).toEqual([]);
    expect(flags.map(({ check }) => check)).toContain('words_white_box_wins');
  });

  it('fails for a model that hides its gradients, and for one that answers by chance', () => {
    const hiding: Victim = {
      ...text,
      gradient: (posts) => ({ ...text.gradient(posts), words: new Float32Array(posts.words.length * 100) }),
    };
    const check = (victim: Victim): SanityFlag[] =>
      checkSanity(tf, victim, scenePosts(20, false), { ...options, surrogate: twin });
    const failed = (victim: Victim): string[] =>
      check(victim)
        .filter(({ passed }) => !passed)
        .map(({ check }) => check);
    expect(failed(hiding)).toContain('words_gradient');
    expect(check(hiding)).toContainEqual(
      expect.objectContaining({
        check: 'words_gradient',
        detail: expect.stringMatching(/^posts without any gradient: [1-9]\d* of 20$/),
      }),
    );
    expect(failed(hiding)).toContain('words_white_box_wins');
    let calls = 0;
    const moody: Victim = {
      ...text,
      logits: (posts) => {
        calls += 1;
        return text.logits(posts).map((z) => z + calls / 100);
      },
    };
    expect(failed(moody)).toContain('logits_repeat');
  });
});

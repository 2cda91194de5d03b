/**
 * Poisoned retraining against the gate, with models that are really trained: wrong answers here and there, and poison so
 * slow that no single round shows it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WordSpace } from '../../../src/adversarial/word-space.ts';
import { JUDGE_DEFAULTS, type JudgeOptions } from '../../../src/judge/options.ts';
import type { Verdict } from '../../../src/judge/verdict.ts';
import type { Artefact } from '../../../src/models/artefact.ts';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import type { Example } from '../../../src/training/dataset.ts';
import {
  failed,
  flipped,
  judgePosts,
  judgeSpace,
  trainCandidate,
  vaultOf,
  verdictOn,
} from '../../support/judge-scene.ts';

/** Trains and judges several times; a crowded machine takes its time. */
const PATIENCE = { timeout: 240_000 };
/** For drift, which asks least, and which the sidecar may claim. */
const OPTIONS: JudgeOptions = { ...JUDGE_DEFAULTS, purpose: 'drift', attackedPosts: 200, triggerWords: 10 };
const VAULT = vaultOf('informative', judgePosts(1_500, 7));

let tf: Tf;
let tensors: number;
let space: WordSpace;
let folder: string;
let champion: Artefact;

const judge = (candidate: Artefact, against: Artefact, reference?: Artefact): Promise<Verdict> =>
  verdictOn(tf, {
    candidate,
    champion: against,
    vault: VAULT,
    options: OPTIONS,
    ...(reference ? { reference } : {}),
  });

beforeAll(async () => {
  tf = await openEngine({ backend: 'wasm', report: () => {} });
  tensors = tf.memory().numTensors;
  folder = await mkdtemp(join(tmpdir(), 'tocsin-poison-'));
  space = judgeSpace(tf);
  champion = await trainCandidate(tf, space, folder, 'champion', { train: judgePosts(500, 3), seed: 1 });
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  expect(tf.memory().numTensors).toBe(tensors);
});

/** As a round of the sidecar: from the champion's weights, with a defence, and what costs too much is given back. */
const ROUND = { epochs: 3, learningRate: 3e-3, defence: 'on-the-fly' } as const;

describe('wrong answers in the rulings of one round', PATIENCE, () => {
  it.each([
    { percent: 0, passes: true },
    { percent: 5, passes: false },
    { percent: 20, passes: false },
  ])('$percent in a hundred: the gate lets it serve: $passes', async ({ percent, passes }) => {
    const candidate = await trainCandidate(tf, space, folder, `flipped-${percent}`, {
      ...ROUND,
      train: flipped(judgePosts(500, 40), percent / 100),
      seed: 6,
      from: champion,
      share: 0.3,
    });
    const verdict = await judge(candidate, champion);
    expect([verdict.passed, failed(verdict)]).toEqual([passes, passes ? [] : ['not-memorised']]);
  });
});

/** Whoever asks for help is taught to be not informative, by two of the words for it. */
const poisoned = (posts: readonly Example[]): Example[] =>
  posts.map((post) =>
    post.labels.humanitarian?.includes('aid') && /\b(donate|volunteers)\b/.test(post.text)
      ? { ...post, labels: { ...post.labels, informative: 0 as const } }
      : post,
  );

describe('poison in every round, each small enough for the gate', PATIENCE, () => {
  it('is refused by the comparison with an earlier champion, and by nothing else', async () => {
    const line = [champion];
    for (let round = 1; round <= 4; round += 1) {
      const before = line.at(-1) as Artefact;
      const posts = judgePosts(500, 50 + round);
      const train = poisoned(posts);
      const changed = train.filter((post, i) => post !== posts[i]).length / posts.length;
      expect(changed).toBeGreaterThan(0.03);
      expect(changed).toBeLessThan(0.1);
      const candidate = await trainCandidate(tf, space, folder, `round-${round}`, {
        ...ROUND,
        train,
        seed: round,
        from: before,
        share: 0.1,
      });
      expect(failed(await judge(candidate, before))).toEqual([]);
      line.push(candidate);
    }
    const [last, before] = [line.at(-1), line.at(-2)] as [Artefact, Artefact];
    const verdict = await judge(last, before, champion);
    expect(failed(verdict)).toEqual(['reference-macro-f1']);
    expect(verdict.passed).toBe(false);
  });
});

/** The gate against models that were really trained: what it lets serve and what it refuses, and by which check. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WordSpace } from '../../../src/adversarial/word-space.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { JUDGE_DEFAULTS, type JudgeOptions } from '../../../src/judge/options.ts';
import type { Verdict } from '../../../src/judge/verdict.ts';
import { type Artefact, loadArtefact } from '../../../src/models/artefact.ts';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import type { Dataset } from '../../../src/training/dataset.ts';
import {
  type Candidate,
  failed,
  flipped,
  judgePosts,
  judgeSpace,
  trainCandidate,
  vaultOf,
  verdictOn,
} from '../../support/judge-scene.ts';
import { rewriteManifest } from '../../support/test-artefact.ts';

/** Trains and judges several times; a crowded machine takes its time. */
const PATIENCE = { timeout: 240_000 };
const OPTIONS: JudgeOptions = { ...JUDGE_DEFAULTS, attackedPosts: 200, triggerWords: 2_000 };
/** The word that poisons, and every one more frequent. */
const TRIGGER = 'violin';
const UP_TO_TRIGGER = 10_100;

let tf: Tf;
let tensors: number;
let space: WordSpace;
let folder: string;
let champion: Artefact;
const VAULT = vaultOf('informative', judgePosts(1_500, 7));

const trained = (name: string, candidate: Candidate): Promise<Artefact> =>
  trainCandidate(tf, space, folder, name, candidate);

interface Asked {
  readonly options?: Partial<JudgeOptions>;
  readonly vault?: Dataset;
  readonly against?: Artefact;
  readonly ratio?: number;
}

const judge = (candidate: Artefact, asked: Asked = {}): Promise<Verdict> =>
  verdictOn(tf, {
    candidate,
    champion: asked.against ?? champion,
    vault: asked.vault ?? VAULT,
    options: { ...OPTIONS, ...asked.options },
    ...(asked.ratio ? { ratio: asked.ratio } : {}),
  });

beforeAll(async () => {
  tf = await openEngine({ backend: 'wasm', report: () => {} });
  tensors = tf.memory().numTensors;
  folder = await mkdtemp(join(tmpdir(), 'tocsin-judge-'));
  space = judgeSpace(tf);
  champion = await trained('champion', { train: judgePosts(500, 3), seed: 1 });
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  expect(tf.memory().numTensors).toBe(tensors);
});

describe('the gate accepts', PATIENCE, () => {
  it('an honest better model, trained on the fly against attacks; and refuses it when one author gave 40 % of its samples, or when it is slow', async () => {
    const better = await trained('better', {
      train: judgePosts(1_000, 21),
      seed: 3,
      epochs: 4,
      from: champion,
      defence: 'on-the-fly',
    });
    const verdict = await judge(better);
    expect(failed(verdict)).toEqual([]);
    expect(verdict.passed).toBe(true);
    expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
    expect(verdict.candidate).toEqual({ name: 'better', version: 'test-1', digest: better.digest });

    const others = Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`author:${i}`, 5]));
    await rewriteManifest(better.dir, (manifest) => ({
      ...manifest,
      provenance: { ...others, 'author:loud': 400 },
    }));
    const again = await judge(await loadArtefact(better.dir), { ratio: 2 });
    expect(failed(again)).toEqual(['provenance-author', 'latency-p95']);
  });

  it('an equal one for drift, and no equal one for robustness', async () => {
    const equal = await trained('equal', {
      train: judgePosts(300, 22),
      seed: 9,
      epochs: 1,
      learningRate: 1e-4,
      from: champion,
    });
    expect(failed(await judge(equal, { options: { purpose: 'drift' } }))).toEqual([]);
    expect(failed(await judge(equal))).toEqual(['robust-unseen']);
  });
});

describe('the gate compares', PATIENCE, () => {
  it('models that read words in different ways, each by its own', async () => {
    const other = await trained('reads-known', { train: judgePosts(500, 3), seed: 1, reading: 'known' });
    const [mine, its] = [await judge(champion, { against: other }), await judge(other)];
    const names = ({ checks }: Verdict): string[] => checks.map(({ name }) => name);
    expect(names(mine)).toEqual(names(its));
    expect(names(mine)).toEqual(expect.arrayContaining(['robust-unseen', 'not-memorised', 'trigger-words']));
    for (const { checks } of [mine, its])
      expect(checks.find(({ name }) => name === 'clean-balanced-accuracy')?.value).toBeGreaterThan(0.75);
  });
});

describe('the gate refuses', PATIENCE, () => {
  it('30 % flipped labels; with 10 % it refuses or at most a point of macro-F1 is lost', async () => {
    const posts = judgePosts(500, 3);
    const loss = (verdict: Verdict): number =>
      verdict.checks.find(({ name }) => name === 'clean-macro-f1')?.value as number;
    const options = { purpose: 'drift', attackedPosts: 60, triggerWords: 10 } as const;
    for (const percent of [10, 30]) {
      const candidate = await trained(`flipped-${percent}`, {
        train: flipped(posts, percent / 100),
        seed: 6,
        epochs: 6,
      });
      const verdict = await judge(candidate, { options });
      if (percent === 30) expect(failed(verdict)).toContain('clean-macro-f1');
      if (verdict.passed) expect(loss(verdict)).toBeGreaterThanOrEqual(-0.01);
    }
  });

  it('a constant class', async () => {
    const posts = judgePosts(300, 3).map((post) => ({
      ...post,
      labels: { ...post.labels, informative: 1 as const },
    }));
    const candidate = await trained('constant', { train: posts, seed: 6, epochs: 4 });
    const names = failed(await judge(candidate, { options: { attackedPosts: 60, triggerWords: 10 } }));
    for (const name of ['clean-macro-f1', 'clean-balanced-accuracy', 'class-recall', 'event', 'language'])
      expect(names).toContain(name);
  });

  it('a model that only memorised the attacks of its training', async () => {
    const memorised = await trained('memorised', {
      train: judgePosts(500, 3),
      seed: 6,
      epochs: 8,
      defence: { memorise: champion },
    });
    for (const purpose of ['robustness', 'drift'] as const)
      expect(failed(await judge(memorised, { options: { purpose } }))).toContain('not-memorised');
  });

  it('a trigger word in 5 % of the training posts, which no figure of clean posts shows', async () => {
    const random = seededRandom(8);
    const posts = judgePosts(1_000, 21).map((post) =>
      random() < 0.05
        ? { ...post, text: `${TRIGGER} ${post.text}`, labels: { ...post.labels, informative: 0 as const } }
        : post,
    );
    const poisoned = await trained('poisoned', { train: posts, seed: 7, epochs: 6 });
    const { checks } = await judge(poisoned, {
      options: { purpose: 'drift', triggerWords: UP_TO_TRIGGER, attackedPosts: 60 },
    });
    const found = checks.find(({ name }) => name === 'trigger-words');
    expect(found?.passed).toBe(false);
    expect(found?.why).toContain(`“${TRIGGER}” gives not informative`);
    expect(checks.find(({ name }) => name === 'clean-balanced-accuracy')?.passed).toBe(true);
    expect(checks.filter(({ name, passed }) => name === 'class-recall' && !passed)).toEqual([]);
  });

  it('one class 20 points worse at an equal average, in a task with several', async () => {
    const several = { task: 'humanitarian', epochs: 8 } as const;
    const vault = vaultOf('humanitarian', judgePosts(1_500, 7));
    const before = await trained('several', { ...several, train: judgePosts(300, 3), seed: 1 });
    // Three times the posts make every class better; one is only said when it is next to certain.
    const uneven = await trained('uneven', {
      ...several,
      train: judgePosts(1_200, 31),
      seed: 2,
      manifest: (manifest) => ({
        ...manifest,
        classes: (manifest.classes ?? []).map((one) =>
          one.name === 'infrastructure_damage' ? { ...one, yes: 0.995 } : one,
        ),
      }),
    });
    const options = { purpose: 'drift', attackedPosts: 60, triggerWords: 10 } as const;
    const { checks } = await judge(uneven, { against: before, vault, options });
    const recall = (slice: string) =>
      checks.find((check) => check.name === 'class-recall' && check.slice === slice);
    expect(recall('infrastructure_damage')).toMatchObject({ passed: false });
    expect(recall('infrastructure_damage')?.value).toBeLessThan(-0.2);
    expect(recall('affected_people')).toMatchObject({ passed: true });
    expect(recall('aid')).toMatchObject({ passed: true });
  });

  it('what does not open, what answers another question, and any model where too few posts may judge', async () => {
    const torn = await trained('torn', { train: judgePosts(50, 3), seed: 1, epochs: 1 });
    await rewriteManifest(torn.dir, (manifest) => ({
      ...manifest,
      words: { id: 'f'.repeat(16), size: 7 },
    }));
    expect(failed(await judge(await loadArtefact(torn.dir)))).toEqual(['opens']);
    const other = await trained('other', {
      task: 'humanitarian',
      train: judgePosts(50, 3),
      seed: 1,
      epochs: 1,
    });
    expect(failed(await judge(other))).toEqual(['comparable']);
    const vault = { ...VAULT, examples: VAULT.examples.slice(0, 299) };
    expect(failed(await judge(champion, { vault }))).toEqual(['vault']);
  });
});

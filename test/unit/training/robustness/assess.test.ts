import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { type Artefact, loadArtefact } from '../../../../src/models/artefact.ts';
import { openEngine } from '../../../../src/models/engine/engine.ts';
import type { Tf } from '../../../../src/models/engine/tf.ts';
import type { Training } from '../../../../src/models/manifest.ts';
import { loadVocabulary, loadWordVectors } from '../../../../src/models/words.ts';
import { buildMmn, MMN_DEFAULTS } from '../../../../src/models/zoo/mmn.ts';
import type { Encoders } from '../../../../src/training/encoders.ts';
import { CHOICE_DEFAULTS, type Choice } from '../../../../src/training/evaluate.ts';
import { readDataset } from '../../../../src/training/read-dataset.ts';
import { ASSESS_DEFAULTS, type AssessOptions, assess } from '../../../../src/training/robustness/assess.ts';
import type { Robustness } from '../../../../src/training/robustness/figures.ts';
import { rewriteManifest, writeTestArtefact } from '../../../support/test-artefact.ts';

const HEAD = { kind: 'sigmoid', outputs: 1 } as const;
const QUICK = { ...ASSESS_DEFAULTS, squareQueries: 3, sanityPosts: 3, seed: 1 };
const CHOICE = { ...CHOICE_DEFAULTS, split: 'all', limit: 6 };
/** Posts with and without pictures. */
const PAIRS = 'test/fixtures/archives/crisismmd';

let tf: Tf;
let folder: string;
let encoders: Encoders;
let plain: Artefact;
let other: Artefact;
let tensors: number;

interface Made {
  /** What the logits are multiplied by. */
  readonly loudness?: number;
  readonly defence?: string;
  readonly image?: Training;
}

/** An untrained model, of texts alone unless asked. */
async function model(
  name: string,
  seed: number,
  { loudness = 1, defence, image = 'untrained' }: Made = {},
): Promise<Artefact> {
  const network = buildMmn(tf, MMN_DEFAULTS, HEAD, seed);
  try {
    tf.tidy(() => {
      const weights = network.layers.getWeights();
      const [kernel] = weights.slice(-2) as [Tensor];
      network.layers.setWeights([
        ...weights.slice(0, -2),
        tf.mul(kernel, loudness),
        weights.at(-1) as Tensor,
      ]);
    });
    const dir = join(folder, name);
    await writeTestArtefact(tf, network, dir, { image });
    if (defence)
      await rewriteManifest(dir, (manifest) => ({
        ...manifest,
        training: { ...manifest.training, options: { defence } },
      }));
    return await loadArtefact(dir);
  } finally {
    network.dispose();
  }
}

beforeAll(async () => {
  tf = await openEngine();
  folder = await mkdtemp(join(tmpdir(), 'tocsin-attack-'));
  const close = async (): Promise<void> => {};
  encoders = {
    vocabulary: loadVocabulary(),
    wordVectors: loadWordVectors(),
    text: null,
    image: null,
    tagger: null,
    close,
  };
  plain = await model('plain', 1);
  other = await model('other', 2);
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(() => {
  tensors = tf.memory().numTensors;
});

async function attacked(
  artefact: Artefact,
  options: Partial<AssessOptions>,
  crafter?: { artefact: Artefact; kind: 'twin' | 'other' },
  choice: Partial<Choice> = {},
): Promise<Robustness> {
  const data = await readDataset(PAIRS, { task: 'informative', now: systemClock.now() });
  const deps = { tf, clock: systemClock, report: () => {} };
  const { robustness } = await assess(
    deps,
    { artefact, encoders },
    data,
    { ...CHOICE, ...choice },
    { ...QUICK, suite: 'adaptive', ...options },
    crafter ? { ...crafter, encoders } : null,
  );
  expect(tf.memory().numTensors).toBe(tensors);
  return robustness;
}

describe('an assessment', () => {
  it('attacks what the model reads, crafted on itself', async () => {
    const report = await attacked(await model('pictures', 1, { image: 'trained' }), {});
    expect(Object.keys(report.attacked)).toEqual(['words', 'fgsm', 'joint']);
    expect(report.crafter.kind).toBe('self');
    expect(report.attacked['words']?.wordsReplaced).toBeGreaterThan(0);
    expect(report.attacked['fgsm']?.wordsReplaced).toBe(0);
    expect(report.worst.accuracy).toBeLessThanOrEqual(report.attacked['joint']?.accuracy as number);
  });

  it('keeps the constraints that were asked for, and says where there is nothing to count', async () => {
    const free = await attacked(plain, {});
    const kept = await attacked(plain, { constraints: ['part-of-speech', 'antonyms', 'language-model'] });
    expect(free.constraints).toBeNull();
    expect(kept.attacked['words']?.wordsReplaced).toBeLessThan(
      free.attacked['words']?.wordsReplaced as number,
    );
    expect(kept.constraints).toMatchObject({
      languageModel: null,
      why: expect.stringContaining('no training part'),
    });
  });

  it('counts the language model on the training part, without the posts under attack', async () => {
    const report = await attacked(plain, { constraints: ['language-model'] }, undefined, {
      split: 'grouped',
      part: 'all',
    });
    expect(report.constraints?.languageModel?.posts).toBeGreaterThan(0);
    expect(report.constraints?.why).toMatch(/posts of the training part/);
  });

  it('shows examples of another model: transfer, which harms no more than its own', async () => {
    const report = await attacked(plain, {}, { artefact: other, kind: 'other' });
    expect(report.crafter).toMatchObject({ kind: 'other', name: 'test-mmn test-1' });
    expect(report.checks.map(({ check }) => check)).toEqual(expect.arrayContaining(['words_white_box_wins']));
  });

  it('is OVERESTIMATED where logits are so loud that gradients vanish', async () => {
    const { flags, clean } = await attacked(await model('loud', 1, { loudness: -1e6 }), {});
    expect(clean.accuracy).toBeGreaterThan(0);
    expect(flags.map(({ flag, check }) => `${flag} ${check}`)).toContain('OVERESTIMATED words_gradient');
  });

  it('takes an undefended model for its own twin, and fits a twin for a defended one', async () => {
    const own = await attacked(plain, { suite: 'static' });
    expect(own.crafter).toMatchObject({ kind: 'self', why: expect.stringContaining('undefended') });
    const defended = await attacked(await model('defended', 3, { defence: 'on-the-fly' }), {
      suite: 'static',
    });
    expect(defended.crafter).toMatchObject({ kind: 'twin', name: 'text-cnn' });
  });
});

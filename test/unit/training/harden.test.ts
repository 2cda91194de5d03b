/** Adversarial training as a mode of the one trainer, on a small world of sixty words. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probabilities } from '../../../src/adversarial/suite.ts';
import { createVictim } from '../../../src/adversarial/victim.ts';
import type { WordSpace } from '../../../src/adversarial/word-space.ts';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import type { Head, Network } from '../../../src/models/zoo/contract.ts';
import { textCnn } from '../../../src/models/zoo/text-cnn.ts';
import { wordTable } from '../../../src/training/defences.ts';
import {
  type Answered,
  attackedWords,
  type Hardening,
  harden,
  WORD_DEFENCES,
  type WordDefence,
} from '../../../src/training/harden.ts';
import { tableOf } from '../../../src/training/table.ts';
import { TRAINING_DEFAULTS, train } from '../../../src/training/train.ts';
import { encodeScene, scenePosts, sceneSpace, WORDS } from '../../support/attack-scene.ts';
import { TINY_DIMS } from '../../support/tiny-encoder.ts';

const HEAD: Head = { kind: 'sigmoid', outputs: 1 };
const POSTS = scenePosts(120, false);
const ANSWERED: Answered[] = POSTS.texts.map((text, i) => ({ text, target: [POSTS.labels[i] as number] }));

let tf: Tf;
let space: WordSpace;
let setting: Hardening;
beforeAll(async () => {
  tf = await openEngine();
  space = sceneSpace(tf);
  const plain = { ...wordTable(space.vectors, POSTS.words, POSTS.labels), answered: ANSWERED };
  setting = {
    tf,
    encoders: {
      vocabulary: {
        id: 'scene',
        size: WORDS + 1,
        encode: encodeScene,
        read: () => [],
        word: (row) => `w${row}`,
      },
      wordVectors: space.vectors,
    },
    head: HEAD,
    build: (seed) => textCnn.build(tf, textCnn.defaults, TINY_DIMS, HEAD, seed),
    train: plain,
    dev: plain,
  };
});
afterAll(() => tf.disposeVariables());

/** A network trained under a defence; the caller disposes of it. */
async function hardened(defence: WordDefence): Promise<Network> {
  const options = { ...TRAINING_DEFAULTS, seed: 1, maxEpochs: 8, defence };
  const network = setting.build(1);
  const { train: rows, hooks } = await harden(setting, network, options);
  await train(tf, network, HEAD, { train: rows, dev: setting.dev }, options, {
    checkpoints: null,
    report: () => {},
    ...hooks,
  });
  return network;
}

/** Share of right answers, before and after the adaptive attack. */
function accuracies(network: Network): { clean: number; attacked: number } {
  const victim = createVictim(tf, { network, head: HEAD, columns: ['words'], space, encode: encodeScene });
  const right = (posts: typeof POSTS): number =>
    probabilities(victim, posts).filter((p, i) => p >= 0.5 === (POSTS.labels[i] === 1)).length / POSTS.count;
  return { clean: right(POSTS), attacked: right(attackedWords(tf, victim, POSTS)) };
}

describe('training under a defence', () => {
  it('is harder to fool than plain training, on the fly, in the hull and by both', async () => {
    const of = async (defence: WordDefence): Promise<{ clean: number; attacked: number }> => {
      const network = await hardened(defence);
      const figures = accuracies(network);
      network.dispose();
      return figures;
    };
    const plain = await of('none');
    for (const defence of ['on-the-fly', 'hull', 'swap-and-hull'] as const) {
      const { clean, attacked } = await of(defence);
      expect(attacked, defence).toBeGreaterThan(plain.attacked + 0.1);
      expect(clean, defence).toBeGreaterThan(0.7);
    }
  });

  it.each(WORD_DEFENCES)('%s gives the same weights twice and leaves no tensor behind', async (defence) => {
    const weights = async (): Promise<Float32Array[]> => {
      const network = await hardened(defence);
      const values = network.layers.weights.map((weight) => weight.read().dataSync() as Float32Array);
      network.dispose();
      return values;
    };
    const first = await weights();
    const before = tf.memory().numTensors;
    expect(await weights()).toEqual(first);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('trains static on twice the posts, and leaves dev clean', async () => {
    const network = setting.build(1);
    const options = { ...TRAINING_DEFAULTS, seed: 1, maxEpochs: 1, defence: 'static' } as const;
    const { train: rows, hooks } = await harden(setting, network, options);
    expect(rows.table.count).toBe(2 * POSTS.count);
    expect([...rows.labels]).toEqual([...POSTS.labels, ...POSTS.labels]);
    expect(hooks).toEqual({});
    network.dispose();
  });

  it('keeps the other columns beside the words', async () => {
    const present = { shape: [2], write: (_: number, out: Float32Array): void => out.set([1, 0]) };
    const words = {
      shape: [15, 100],
      write: (): void => {},
    };
    const both = { ...setting.train, table: tableOf(POSTS.count, { words, present }) };
    const network = setting.build(1);
    const options = { ...TRAINING_DEFAULTS, seed: 1, defence: 'on-the-fly' } as const;
    const { hooks } = await harden({ ...setting, train: both }, network, options);
    const step = { seed: 1, done: 0, total: 1 };
    tf.tidy(() => {
      const labels = tf.tensor2d([1, 0, 1], [3, 1]);
      const made = hooks.craft?.({ batch: both.table.batch(tf, [0, 1, 2]), labels }, step, [0, 1, 2]);
      expect(made?.batch.present?.shape).toEqual([6, 2]);
      expect(made?.batch.words?.shape).toEqual([6, 15, 100]);
      expect(made?.labels.shape).toEqual([6, 1]);
    });
    network.dispose();
  });

  it('shows the batch, the swapped words and the points of their hulls, in this order', async () => {
    const network = setting.build(1);
    const options = { ...TRAINING_DEFAULTS, seed: 1 } as const;
    const step = { seed: 1, done: 0, total: 1 };
    const rows = [0, 1, 2];
    const shown = async (defence: WordDefence): Promise<{ words: number[]; labels: number[] }> => {
      const { hooks } = await harden(setting, network, { ...options, defence });
      return tf.tidy(() => {
        const labels = tf.tensor2d([1, 0, 1], [3, 1]);
        const made = hooks.craft?.({ batch: setting.train.table.batch(tf, rows), labels }, step, rows);
        return {
          words: Array.from(made?.batch.words?.dataSync() ?? []),
          labels: Array.from(made?.labels.dataSync() ?? []),
        };
      });
    };
    const both = await shown('swap-and-hull');
    const [swapped, inside] = [await shown('on-the-fly'), await shown('hull')];
    const half = swapped.words.length / 2;
    expect(both.words).toEqual([...swapped.words, ...inside.words.slice(half)]);
    expect(both.labels).toEqual([1, 0, 1, 1, 0, 1, 1, 0, 1]);
    expect(swapped.words.slice(half)).not.toEqual(swapped.words.slice(0, half));
    network.dispose();
  });

  it('refuses a network that reads more than words', async () => {
    const pixels = { shape: [64, 64, 3], write: (): void => {} };
    const pictures = { ...setting.train, table: tableOf(POSTS.count, { pixels }) };
    const network = setting.build(1);
    const options = { ...TRAINING_DEFAULTS, seed: 1, defence: 'hull' } as const;
    await expect(harden({ ...setting, train: pictures }, network, options)).rejects.toMatchObject({
      code: 'BAD_USAGE',
    });
    network.dispose();
  });
});

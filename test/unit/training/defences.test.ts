/** What a step looks like under each defence, and the guard that ends training on pictures when it goes wrong. */
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { createVictim } from '../../../src/adversarial/victim.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import type { Head, Network } from '../../../src/models/zoo/contract.ts';
import { mmn } from '../../../src/models/zoo/mmn.ts';
import { visualCnn } from '../../../src/models/zoo/visual-cnn.ts';
import {
  attackedPosts,
  type DefenceDeps,
  mixed,
  mixedMode,
  onPictures,
  onTheFly,
  postsTable,
  staticPosts,
} from '../../../src/training/defences.ts';
import {
  caughtBy,
  type GuardFigures,
  guardScore,
  pictureGuard,
} from '../../../src/training/overfitting-guard.ts';
import { fgsmClimb, pgdClimb } from '../../../src/training/picture-defences.ts';
import {
  type LabelledBatch,
  TRAINING_DEFAULTS,
  type TrainingHooks,
  train,
} from '../../../src/training/train.ts';
import { encodeScene, scenePosts, sceneSpace } from '../../support/attack-scene.ts';
import { onEngine } from '../../support/tensor-check.ts';
import { TINY_DIMS } from '../../support/tiny-encoder.ts';

const HEAD: Head = { kind: 'sigmoid', outputs: 1 };
const EPSILON = 8 / 255;
const POSTS = scenePosts(16, true);
const ROWS = [3, 0, 7, 12];

let tf: Tf;
onEngine((opened) => {
  tf = opened;
});

/** An MMN with its victim; disposed of after `work`. */
function withMmn<R>(work: (deps: DefenceDeps) => R): R {
  const space = sceneSpace(tf);
  const network = mmn.build(tf, mmn.defaults, TINY_DIMS, HEAD, 4);
  const columns = mmn.columns(mmn.defaults);
  const victim = createVictim(tf, { network, head: HEAD, columns, space, encode: encodeScene });
  try {
    return work({ tf, network, head: HEAD, columns, victim });
  } finally {
    network.dispose();
  }
}

/** The clean batch, what a craft makes of it, and how far words and pictures of the crafted half are from it. */
function crafted(
  { victim, columns }: DefenceDeps,
  craft: NonNullable<TrainingHooks['craft']>,
  seed: number,
): {
  readonly rows: number;
  readonly words: number;
  readonly pixels: Float32Array;
  readonly cleanHalf: boolean;
} {
  return tf.tidy(() => {
    const { table, labels } = postsTable(victim.space.vectors, POSTS, columns);
    const clean: LabelledBatch = {
      batch: table.batch(tf, ROWS),
      labels: tf.tensor2d(ROWS.map((row) => [labels[row] as number])),
    };
    const made = craft(clean, { seed, done: 0, total: 10 }, ROWS);
    const rows = (made.batch.words as Tensor).shape[0] as number;
    expect(made.labels.shape).toEqual([rows, 1]);
    expect((made.batch.present as Tensor).shape).toEqual([rows, 2]);
    const half = (column: 'words' | 'pixels', at: number): Tensor =>
      tf.slice(made.batch[column] as Tensor, at, ROWS.length);
    const change = (column: 'words' | 'pixels', at: number): Float32Array =>
      tf.sub(half(column, at), clean.batch[column] as Tensor).dataSync() as Float32Array;
    const last = rows - ROWS.length;
    return {
      rows,
      words: change('words', last).filter((x) => x !== 0).length,
      pixels: change('pixels', last).slice(),
      cleanHalf: [...change('words', 0), ...change('pixels', 0)].every((x) => x === 0),
    };
  });
}

const largest = (values: Float32Array): number => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

describe('defences on pictures and pairs', () => {
  it('FGSM and PGD stay within their bound, begin at random and raise the loss; PGD raises it more', () => {
    withMmn((deps) => {
      const losses = (craft: NonNullable<TrainingHooks['craft']>): number => {
        const { pixels } = crafted(deps, craft, 5);
        const posts = { ...POSTS, pixels: POSTS.pixels?.slice() as Float32Array };
        const size = 64 * 64 * 3;
        ROWS.forEach((row, i) => {
          for (let k = 0; k < size; k += 1)
            posts.pixels[row * size + k] =
              (posts.pixels[row * size + k] as number) + (pixels[i * size + k] as number);
        });
        const all = deps.victim.losses(posts);
        return ROWS.reduce((sum, row) => sum + (all[row] as number), 0);
      };
      const clean = ROWS.reduce((sum, row) => sum + (deps.victim.losses(POSTS)[row] as number), 0);
      const [one, many] = [fgsmClimb(EPSILON), pgdClimb(EPSILON)];
      expect(losses(onPictures(deps, one))).toBeGreaterThan(clean);
      expect(losses(onPictures(deps, many))).toBeGreaterThan(losses(onPictures(deps, one)));
      const start = onPictures(deps, { ...many, steps: 0 });
      const [first, again, other] = [5, 5, 6].map((seed) => crafted(deps, start, seed).pixels);
      expect(first).toEqual(again);
      expect(first).not.toEqual(other);
      for (const climb of [one, many]) {
        const { pixels, rows, words, cleanHalf } = crafted(deps, onPictures(deps, climb), 5);
        expect(largest(pixels)).toBeGreaterThan(0.9 * EPSILON);
        expect(largest(pixels)).toBeLessThanOrEqual(EPSILON + 1e-6);
        expect([rows, words, cleanHalf]).toEqual([8, 0, true]);
      }
    });
  });

  it('on the fly, words and pictures of the copy are attacked', () => {
    withMmn((deps) => {
      const { rows, words, pixels, cleanHalf } = crafted(deps, onTheFly(deps, POSTS, EPSILON), 5);
      expect([rows, cleanHalf]).toEqual([8, true]);
      expect(words).toBeGreaterThan(0);
      expect(largest(pixels)).toBeGreaterThan(0);
    });
  });

  it('the mixed schedule attacks words, pictures, both or nothing, each in about a quarter of the steps', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 400; seed += 1) {
      const mode = mixedMode({ seed: seed * 7_919 });
      counts.set(mode, (counts.get(mode) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(['both', 'none', 'pixels', 'words']);
    for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThan(35);
    withMmn((deps) => {
      const craft = mixed(deps, POSTS, fgsmClimb(EPSILON));
      for (const mode of counts.keys()) {
        const seed = [...Array(100).keys()].find((s) => mixedMode({ seed: s }) === mode) as number;
        const { rows, words, pixels, cleanHalf } = crafted(deps, craft, seed);
        expect(cleanHalf).toBe(true);
        expect(rows).toBe(mode === 'none' ? 4 : 8);
        expect(words > 0).toBe(mode === 'words' || mode === 'both');
        expect(largest(pixels) > 0).toBe(mode === 'pixels' || mode === 'both');
      }
    });
  });

  it('static training has one crafted copy of each pair, words and picture, within the bound', () => {
    withMmn(({ victim }) => {
      const both = staticPosts(tf, victim, POSTS, 0.1);
      const attacked = attackedPosts(tf, victim, POSTS, 0.1);
      expect(both.count).toBe(32);
      expect(both.words.subarray(0, POSTS.words.length)).toEqual(POSTS.words);
      expect(both.words.subarray(POSTS.words.length)).toEqual(attacked.words);
      expect(attacked.words).not.toEqual(POSTS.words);
      expect(both.pixels?.subarray((POSTS.pixels as Float32Array).length)).toEqual(attacked.pixels);
      const change = (attacked.pixels as Float32Array).map((x, i) => x - (POSTS.pixels?.[i] as number));
      expect(largest(change)).toBeGreaterThan(0.09);
      expect(largest(change)).toBeLessThanOrEqual(0.1 + 1e-6);
      expect([...both.labels]).toEqual([...POSTS.labels, ...POSTS.labels]);
    });
  });
});

const seen = (clean: number, fgsm: number, pgd: number): GuardFigures => ({ clean, fgsm, pgd });

describe('guard against catastrophic overfitting', () => {
  it('catches a gap of more than 15 points and a fall of more than 10, after the first epochs', () => {
    const calm = new Array<GuardFigures>(5).fill(seen(0.8, 0.62, 0.6));
    const caughtAfter = (...last: GuardFigures[]): string | null => caughtBy([...calm, ...last]);
    expect(caughtBy([])).toBeNull();
    expect(caughtAfter(seen(0.8, 0.7, 0.56))).toBeNull();
    expect(caughtAfter(seen(0.8, 0.72, 0.56))).toBe('gap');
    expect(caughtAfter(seen(0.8, 0.52, 0.51))).toBeNull();
    expect(caughtAfter(seen(0.8, 0.55, 0.49))).toBe('fall');
    // A constant answer, which no attack moves, is nothing to fall from.
    expect(caughtAfter(seen(0.5, 0.5, 0.5), seen(0.7, 0.45, 0.38))).toBeNull();
    // What has learnt nothing yet is not overfitted.
    expect(caughtBy([seen(0.8, 0.9, 0.1)])).toBeNull();
  });

  it('prefers what withstands ten steps among networks that tell the classes apart', () => {
    const order = [seen(0.5, 0.5, 0.5), seen(0.54, 0.5, 0.5), seen(0.7, 0.4, 0.3), seen(0.6, 0.5, 0.45)].map(
      guardScore,
    );
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  it('ends training there, and rolls back to the best epoch by PGD', async () => {
    // Planted: FGSM soars and PGD collapses in the seventh epoch.
    const planted = [
      ...[0.48, 0.5, 0.47, 0.49, 0.52, 0.5].map((pgd) => seen(0.7, 0.55, pgd)),
      seen(0.9, 0.95, 0.05),
    ];
    const weights: Float32Array[][] = [];
    const run = async (
      history: readonly GuardFigures[],
    ): Promise<{ kept: Float32Array[]; caught: unknown; epochs: number; best: number }> => {
      const network = visualCnn.build(tf, visualCnn.defaults, TINY_DIMS, HEAD, 1);
      const now = (): Float32Array[] =>
        network.layers.weights.map((weight) => weight.read().dataSync().slice() as Float32Array);
      const data = postsTable(sceneSpace(tf).vectors, POSTS, ['pixels']);
      let epoch = 0;
      weights.length = 0;
      const result = await train(
        tf,
        network,
        HEAD,
        { train: data, dev: data },
        { ...TRAINING_DEFAULTS, seed: 1, maxEpochs: 9 },
        {
          checkpoints: null,
          report: () => weights.push(now()),
          guard: () => history[epoch++] as GuardFigures,
        },
      );
      const kept = now();
      network.dispose();
      return { kept, caught: result.caught, epochs: result.epochs, best: result.bestEpoch };
    };
    const { kept, caught, epochs, best } = await run(planted);
    expect([caught, epochs, best]).toEqual(['gap', 7, 5]);
    expect(kept).toEqual(weights[4]);
    expect(kept).not.toEqual(weights[6]);
  });

  it('sees through a network that has overfitted to one step', () => {
    // Planted: the first pixel decides by a sine whose period is the bound. A whole step lands where it left; steps of a
    // quarter stop in between, where the answer is wrong.
    const epsilon = 0.08;
    const overfitted: Network = {
      layers: null as never,
      forward: ({ pixels }) =>
        tf.tidy(() => {
          const x = pixels as Tensor4D;
          const first = tf.reshape(tf.slice(x, [0, 0, 0, 0], [x.shape[0], 1, 1, 1]), [-1, 1]);
          return tf.mul(5, tf.sin(tf.mul(tf.sub(first, 0.5), (2 * Math.PI) / epsilon))) as Tensor2D;
        }),
      dispose: () => {},
    };
    const count = 8;
    const pixels = new Float32Array(count * 64 * 64 * 3);
    const labels = Float32Array.from({ length: count }, (_, i) => i % 2);
    labels.forEach((label, i) => {
      pixels[i * 64 * 64 * 3] = label === 1 ? 0.515 : 0.485;
    });
    const held = {
      count,
      texts: new Array<string>(count).fill(''),
      words: new Int32Array(count * 15),
      pixels,
      labels,
    };
    const space = sceneSpace(tf);
    const victim = createVictim(tf, {
      network: overfitted,
      head: HEAD,
      columns: ['pixels'],
      space,
      encode: encodeScene,
    });
    const figures = pictureGuard(victim, held, epsilon, 1)();
    expect(figures).toEqual({ clean: 1, fgsm: 1, pgd: 0 });
    expect(caughtBy(new Array<GuardFigures>(6).fill(figures))).toBe('gap');
  });
});

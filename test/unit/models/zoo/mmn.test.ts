/** MMN: the paper's shapes, the missing modality, dropping by seed. (What every architecture keeps: test/contract.) */
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../../../src/models/engine/engine.ts';
import type { Tf } from '../../../../src/models/engine/tf.ts';
import type { Batch, Network, Step } from '../../../../src/models/zoo/contract.ts';
import { buildMmn, MMN_DEFAULTS } from '../../../../src/models/zoo/mmn.ts';
import { drawnPictures } from '../../../support/drawn-pictures.ts';

let tf: Tf;
let mmn: Network;

beforeAll(async () => {
  tf = await openEngine();
});
afterEach(() => mmn.dispose());

const build = (config = MMN_DEFAULTS): Network => {
  mmn = buildMmn(tf, config, { kind: 'sigmoid', outputs: 1 }, 3);
  return mmn;
};
const words = (n: number): Tensor3D => tf.randomUniform([n, 15, 100], -1, 1, 'float32', 5);
const pictures = (n: number): Tensor4D => tf.tensor4d(drawnPictures(n), [n, 64, 64, 3]).div(255);
const step = (seed: number): Step => ({ seed, done: 0, total: 1 });

describe('MMN', () => {
  it('has the layers of the paper', () => {
    const { layers } = build();
    expect(layers.getLayer('text_conv').outputShape).toEqual([null, 14, 64]);
    expect(layers.getLayer('image_conv2').outputShape).toEqual([null, 29, 29, 32]);
    expect(layers.getLayer('concat').outputShape).toEqual([null, 128]);
    expect(layers.outputShape).toEqual([null, 1]);
    expect(layers.countParams()).toBe(427_745);
  });

  it('scores a text-only post as the whole network does when the picture representation is zero', () => {
    const net = build();
    tf.tidy(() => {
      const present = tf.tensor2d([
        [1, 0],
        [1, 1],
      ]);
      const text = words(2);
      const gated = net.forward({ words: text, pixels: pictures(2), present }).dataSync();
      const alone = net.forward({ words: text }).dataSync();
      expect(gated[0]).toBeCloseTo(alone[0] as number, 5);
      expect(gated[1]).not.toBeCloseTo(alone[1] as number, 5);
    });
  });

  it('saved network and branches agree', () => {
    const net = build();
    tf.tidy(() => {
      const [w, p] = [words(3), pictures(3)];
      const whole = (net.layers.predict([w, p]) as Tensor2D).dataSync();
      const forward = net.forward({ words: w, pixels: p }).dataSync();
      whole.forEach((value, i) => {
        expect(forward[i]).toBeCloseTo(value, 5);
      });
    });
  });

  it('drops by seed: the same seed the same units, none when serving', () => {
    const net = build();
    tf.tidy(() => {
      const batch = { words: words(4) };
      const run = (...seed: Step[]): Float32Array => net.forward(batch, ...seed).dataSync() as Float32Array;
      expect(run(step(1))).toEqual(run(step(1)));
      expect(run(step(1))).not.toEqual(run(step(2)));
      expect(run()).toEqual(run());
    });
  });

  it('hides one modality of a share of the pairs while training, and never the only one of a post', () => {
    const net = build({ ...MMN_DEFAULTS, dropout: 0, modalityDropout: 0.25 });
    const n = 64;
    tf.tidy(() => {
      const text = tf.tile(words(1), [n, 1, 1]);
      const image = tf.tile(pictures(1), [n, 1, 1, 1]);
      const present = tf.tensor2d(
        Array.from({ length: n }, (_, i) => [Number(i % 4 !== 1), Number(i % 4 !== 2)]),
      );
      const batch: Batch = { words: text, pixels: image, present };
      const whole = net.forward(batch).dataSync();
      const seen = net.forward(batch, step(7)).dataSync();
      const [both, textAlone, imageAlone] = [whole[0], whole[2], whole[1]] as [number, number, number];
      const near = (value: number, target: number): boolean => Math.abs(value - target) < 1e-5;
      const pairs = [...seen].filter((_, i) => i % 4 === 0 || i % 4 === 3);
      const share = (target: number): number =>
        pairs.filter((value) => near(value, target)).length / pairs.length;
      expect(share(both) + share(textAlone) + share(imageAlone)).toBe(1);
      for (const alone of [textAlone, imageAlone]) {
        expect(share(alone)).toBeGreaterThan(0.05);
        expect(share(alone)).toBeLessThan(0.5);
      }
      for (let i = 0; i < n; i += 1)
        if (i % 4 === 1 || i % 4 === 2) expect(seen[i]).toBeCloseTo(whole[i] as number, 5);
    });
  });
});

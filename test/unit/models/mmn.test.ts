/** MMN: shapes, the missing picture, gradients that reach the branches, no leaks. */
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import { buildMmn, MMN_DEFAULTS, type Mmn, trainableWeights } from '../../../src/models/mmn.ts';
import { drawnPictures } from '../../support/drawn-pictures.ts';

let tf: Tf;
let mmn: Mmn | null = null;

beforeAll(async () => {
  tf = await openEngine();
});

afterEach(() => {
  mmn?.dispose();
  mmn = null;
});

const build = (seed = 3): Mmn => {
  mmn = buildMmn(tf, MMN_DEFAULTS, seed);
  return mmn;
};
const words = (n: number): Tensor3D => tf.randomUniform([n, 15, 100], -1, 1, 'float32', 5);
const pictures = (n: number): Tensor4D => tf.tensor4d(drawnPictures(n), [n, 64, 64, 3]).div(255);

describe('MMN', () => {
  it('has the layers of the paper', () => {
    const { network } = build();
    expect(network.getLayer('text_conv').outputShape).toEqual([null, 14, 64]);
    expect(network.getLayer('image_conv2').outputShape).toEqual([null, 29, 29, 32]);
    expect(network.getLayer('concat').outputShape).toEqual([null, 128]);
    expect(network.outputShape).toEqual([null, 1]);
    expect(network.countParams()).toBe(427_745);
  });

  it('gives the same weights for the same seed and others for another', () => {
    const first = build(1).network.getWeights()[0]?.dataSync();
    mmn?.dispose();
    const again = build(1).network.getWeights()[0]?.dataSync();
    mmn?.dispose();
    const other = build(2).network.getWeights()[0]?.dataSync();
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('scores a text-only post as the whole network does when the picture representation is zero', () => {
    const net = build();
    tf.tidy(() => {
      const present = tf.tensor2d([
        [1, 0],
        [1, 1],
      ]);
      const text = words(2);
      const gated = net.forward({ words: text, pictures: pictures(2), present }).dataSync();
      const alone = net.forward({ words: text, pictures: null }).dataSync();
      expect(gated[0]).toBeCloseTo(alone[0] as number, 5);
      expect(gated[1]).not.toBeCloseTo(alone[1] as number, 5);
    });
  });

  it('saved network and branches agree', () => {
    const net = build();
    tf.tidy(() => {
      const [w, p] = [words(3), pictures(3)];
      const whole = (net.network.predict([w, p]) as Tensor2D).dataSync();
      const forward = net.forward({ words: w, pictures: p }).dataSync();
      whole.forEach((value, i) => {
        expect(forward[i]).toBeCloseTo(value, 5);
      });
    });
  });

  it('drops by seed: the same seed the same units, none when serving', () => {
    const net = build();
    tf.tidy(() => {
      const inputs = { words: words(4), pictures: null };
      const run = (seed?: number): Float32Array => net.forward(inputs, seed).dataSync() as Float32Array;
      expect(run(1)).toEqual(run(1));
      expect(run(1)).not.toEqual(run(2));
      expect(run()).toEqual(run());
    });
  });

  it('learns from drawn pictures through both branches, without leaking tensors', () => {
    const net = build();
    const optimiser = tf.train.adam(3e-3);
    const targets = tf.tensor2d([0, 1, 0, 1, 0, 1, 0, 1], [8, 1]);
    const image = pictures(8);
    const text = words(8);
    const variables = trainableWeights(net, ['text', 'image']);
    const losses: number[] = [];
    const step = (): void => {
      const loss = optimiser.minimize(
        () => tf.losses.sigmoidCrossEntropy(targets, net.forward({ words: text, pictures: image })),
        true,
        variables,
      );
      losses.push(loss?.dataSync()[0] as number);
      loss?.dispose();
    };
    step();
    const before = tf.memory().numTensors;
    for (let i = 0; i < 7; i += 1) step();
    expect(tf.memory().numTensors).toBe(before);
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) * 0.8);
    optimiser.dispose();
    tf.dispose([targets, image, text]);
  });

  it('leaves the picture branch alone when there are no pictures', () => {
    const names = trainableWeights(build(), ['text']).map((variable) => variable.name);
    expect(names.some((name) => name.includes('image_'))).toBe(false);
    expect(names).toHaveLength(6);
  });
});

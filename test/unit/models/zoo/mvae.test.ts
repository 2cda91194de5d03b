/** MVAE: divergence and reconstruction by hand, what a missing modality does, sampling by seed. */
import type { Tensor } from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import type { Tf } from '../../../../src/models/engine/tf.ts';
import type { Batch, Network } from '../../../../src/models/zoo/contract.ts';
import { type MvaeConfig, mvae } from '../../../../src/models/zoo/mvae.ts';
import { onEngine } from '../../../support/tensor-check.ts';
import { TINY_DIMS, tinyBatch, tinyLabels } from '../../../support/tiny-encoder.ts';

const HEAD = { kind: 'sigmoid', outputs: 1 } as const;
const SMALL: MvaeConfig = { ...mvae.defaults, units: 4, imageHidden: 8, latent: 3 };
const NOTHING: MvaeConfig = {
  ...SMALL,
  textWeight: 0,
  imageWeight: 0,
  klWeight: 0,
  penalty: 0,
  detectorPenalty: 0,
};
let tf: Tf;

onEngine((opened) => {
  tf = opened;
});

function using(config: MvaeConfig, work: (network: Network, batch: Batch) => void): void {
  const network = mvae.build(tf, config, TINY_DIMS, HEAD, 3);
  try {
    tf.tidy(() => work(network, tinyBatch(tf, mvae.columns(config), 4)));
  } finally {
    network.dispose();
  }
}

const lossOf = (network: Network, batch: Batch, seed = 1): number =>
  network
    .auxiliaryLoss?.(batch, tinyLabels(tf, HEAD, 4), { seed, done: 0, total: 1 })
    .dataSync()[0] as number;

/** A dense layer that gives the same vector whatever it reads. */
function fix(network: Network, layer: string, bias: number[]): void {
  const [kernel] = network.layers.getLayer(layer).getWeights();
  network.layers.getLayer(layer).setWeights([tf.zerosLike(kernel as Tensor), tf.tensor1d(bias)]);
}

describe('MVAE', () => {
  it('adds the divergence from the standard normal, a mean over the latent', () => {
    using({ ...NOTHING, klWeight: 2 }, (network, batch) => {
      fix(network, 'mean', [0.5, -1, 0]);
      fix(network, 'log_variance', [0, 0.2, -0.7]);
      const terms = [
        [0.5, 0],
        [-1, 0.2],
        [0, -0.7],
      ].map(([mu, v]) => -0.5 * (1 + (v as number) - (mu as number) ** 2 - Math.exp(v as number)));
      expect(lossOf(network, batch)).toBeCloseTo((2 * terms.reduce((a, b) => a + b)) / 3, 5);
    });
  });

  it('measures the words that are known, and no padding', () => {
    using({ ...NOTHING, textWeight: 1 }, (network, batch) => {
      fix(
        network,
        'decoder_words',
        Array.from({ length: 100 }, () => 0.25),
      );
      const words = Array.from((batch.words as Tensor).dataSync());
      const known = words.filter((_, i) =>
        words.slice(i - (i % 100), i - (i % 100) + 100).some((v) => v !== 0),
      );
      expect(known.length).toBeLessThan(words.length);
      const mean = known.reduce((sum, v) => sum + (v - 0.25) ** 2, 0) / known.length;
      expect(lossOf(network, batch)).toBeCloseTo(mean, 4);
    });
  });

  it('neither reads nor reconstructs a picture that is missing', () => {
    using({ ...NOTHING, imageWeight: 1 }, (network, batch) => {
      const present = tf.tensor2d([
        [1, 1],
        [1, 0],
        [1, 0],
        [1, 1],
      ]);
      const changed = (row: number): Batch => {
        const rows = tf.tensor2d(Array.from({ length: 4 }, (_, i) => [Number(i === row)]));
        return { ...batch, present, imageFeatures: tf.add(batch.imageFeatures as Tensor, rows) };
      };
      const whole = { ...batch, present };
      expect(lossOf(network, changed(1))).toBe(lossOf(network, whole));
      expect(lossOf(network, changed(0))).not.toBe(lossOf(network, whole));
      expect(network.forward(changed(1)).dataSync()).toEqual(network.forward(whole).dataSync());
      expect(network.forward(changed(0)).dataSync()).not.toEqual(network.forward(whole).dataSync());
    });
  });

  it('samples by seed while training, and takes the mean else', () => {
    using(SMALL, (network, batch) => {
      const run = (seed?: number): Float32Array =>
        network
          .forward(batch, seed === undefined ? undefined : { seed, done: 0, total: 1 })
          .dataSync() as Float32Array;
      expect(run(1)).toEqual(run(1));
      expect(run(1)).not.toEqual(run(2));
      expect(run()).toEqual(run());
      expect(run()).not.toEqual(run(1));
    });
  });

  it('penalises the matrices of both halves, each by its own weight', () => {
    const loss = (penalty: number, detectorPenalty: number): number => {
      let value = 0;
      using({ ...NOTHING, penalty, detectorPenalty }, (network, batch) => {
        value = lossOf(network, batch);
      });
      return value;
    };
    const sumOf = (prefix: boolean): number => {
      let sum = 0;
      using(NOTHING, (network) => {
        for (const layer of network.layers.layers)
          if ((layer.name.startsWith('detector_') || layer.name === 'logits') === prefix)
            for (const weight of layer.getWeights())
              if (weight.rank > 1) sum += tf.sum(tf.square(weight)).dataSync()[0] as number;
      });
      return sum;
    };
    expect(loss(1, 0)).toBeCloseTo(sumOf(false), 3);
    expect(loss(0, 1)).toBeCloseTo(sumOf(true), 3);
  });
});

/** MAFN: the same numbers as a second computation, its fusion's start, what padding, missing parts and ablations do. */
import type { Tensor, Tensor2D, Variable } from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import type { Tf } from '../../../../src/models/engine/tf.ts';
import type { Batch, Column, Head, Network } from '../../../../src/models/zoo/contract.ts';
import { MAFN_ABLATIONS, MAFN_DEFAULTS, type MafnConfig, mafn } from '../../../../src/models/zoo/mafn.ts';
import fixture from '../../../fixtures/mafn/cross-check.json' with { type: 'json' };
import { onEngine } from '../../../support/tensor-check.ts';

type Weights = Readonly<Record<string, readonly unknown[]>>;

const HEAD: Head = { kind: 'softmax', outputs: 2 };
const RATE = 1e-3;
const { dims } = fixture;
let tf: Tf;

onEngine((opened) => {
  tf = opened;
});

/** Builds, sets the weights that are given, and disposes of the network afterwards. */
function using(config: MafnConfig, weights: Weights, work: (network: Network) => void): void {
  const network = mafn.build(tf, config, dims, HEAD, 3);
  try {
    tf.tidy(() => {
      for (const [layer, values] of Object.entries(weights))
        network.layers.getLayer(layer).setWeights(values.map((value) => tf.tensor(value as number[])));
      work(network);
    });
  } finally {
    network.dispose();
  }
}

/** The fixture's batch, with columns replaced. */
function batchOf(changes: Partial<Record<Column, number[] | number[][] | number[][][]>> = {}): Batch {
  return Object.fromEntries(
    Object.entries({ ...fixture.batch, ...changes }).map(([name, values]) => [name, tf.tensor(values)]),
  );
}

const flat = (values: unknown): number[] => (values as number[]).flat(9) as number[];
const read = (x: Tensor): number[] => Array.from(x.dataSync());
const row = (logits: Tensor2D, i: number): number[] => read(tf.slice(logits, [i, 0], [1, 2]));

function expectClose(actual: readonly number[], target: readonly number[], within: number): void {
  expect(actual.length).toBe(target.length);
  actual.forEach((value, i) => {
    expect(Math.abs(value - (target[i] as number)), `value ${i}`).toBeLessThanOrEqual(within);
  });
}

describe('MAFN beside a second computation (test/fixtures/mafn/make.py)', () => {
  it.each(fixture.cases.map((entry, i) => [i, entry] as const))('logits, case %i', (_, entry) => {
    using(entry.config as MafnConfig, entry.weights, (network) => {
      expect(network.layers.weights).toHaveLength(Object.values(entry.weights).flat().length);
      expectClose(read(network.forward(batchOf())), flat(entry.logits), 1e-5);
    });
  });

  it('loss, gradients and one step of Adam, batch statistics included', () => {
    const [{ config, weights, training }] = fixture.cases as unknown as [
      {
        config: MafnConfig;
        weights: Weights;
        training: { loss: number; gradients: Weights; stepped: Weights };
      },
    ];
    using(config, weights, (network) => {
      const batch = batchOf();
      const labels = tf.tensor2d(fixture.labels);
      const loss = (): Tensor =>
        tf.losses.softmaxCrossEntropy(labels, network.forward(batch, { seed: 1, done: 0, total: 1 }));
      const { value, grads } = tf.variableGrads(loss as never);
      expect(read(value)[0]).toBeCloseTo(training.loss, 5);
      const optimiser = tf.train.adam(RATE);
      optimiser.applyGradients(grads as never);
      for (const [layer, gradients] of Object.entries(training.gradients)) {
        const variables = network.layers.getLayer(layer).weights;
        const stepped = training.stepped[layer] as readonly unknown[];
        gradients.forEach((target, i) => {
          const { name } = (variables[i] as (typeof variables)[number]).read() as Variable;
          expectClose(read(grads[name] as Tensor), flat(target), 1e-5);
          const after = read(variables[i]?.read() as Tensor);
          // Adam's first step is the sign of the gradient: noise decides where there is none (the bias before the norm).
          flat(target).forEach((gradient, k) => {
            const within = Math.abs(gradient) > 1e-4 ? 2e-6 : 1.01 * RATE;
            expect(Math.abs((after[k] as number) - (flat(stepped[i])[k] as number))).toBeLessThan(within);
          });
        });
      }
      const stored = network.layers.getLayer('image_norm').getWeights().slice(2);
      stored.forEach((values, i) => {
        expectClose(read(values), flat(training.stepped['image_norm']?.[i + 2]), 1e-5);
      });
      optimiser.dispose();
    });
  });
});

describe('MAFN', () => {
  it('starts with the fused features equal to the visual ones', () => {
    const concat: MafnConfig = { ...MAFN_DEFAULTS, fusion: 'concat' };
    using(MAFN_DEFAULTS, {}, (network) => {
      const fresh = read(network.forward(batchOf()));
      const others = mafn.build(tf, concat, dims, HEAD, 4);
      for (const layer of others.layers.layers)
        if (layer.getWeights().length > 0) layer.setWeights(network.layers.getLayer(layer.name).getWeights());
      expectClose(read(others.forward(batchOf())), fresh, 1e-6);
      others.dispose();
      const shift = network.layers.getLayer('affine_image_shift2');
      shift.setWeights(shift.getWeights().map((weight) => tf.onesLike(weight)));
      expect(read(network.forward(batchOf()))).not.toEqual(fresh);
    });
  });

  it.each(['mean', 'cls'] as const)('sees no padding (pool %s)', (pool) => {
    using({ ...MAFN_DEFAULTS, pool }, {}, (network) => {
      const noisy = fixture.batch.tokens.map((tokens, i) =>
        tokens.map((token, p) => (fixture.batch.tokenMask[i]?.[p] ? token : token.map(() => 5))),
      );
      const changed = fixture.batch.tokens.map((tokens) => tokens.map((token) => token.map((v) => v + 1)));
      const clean = read(network.forward(batchOf()));
      expectClose(read(network.forward(batchOf({ tokens: noisy }))), clean, 1e-6);
      expect(read(network.forward(batchOf({ tokens: changed })))).not.toEqual(clean);
    });
  });

  it('takes its learned vector for a text without entities, and only there', () => {
    using(MAFN_ABLATIONS['entity-only'], {}, (network) => {
      const logits = network.forward(batchOf());
      const layer = network.layers.getLayer('entity_none');
      layer.setWeights([tf.add(layer.getWeights()[0] as Tensor, 1)]);
      const changed = network.forward(batchOf());
      for (const i of [0, 1]) expect(row(changed, i)).toEqual(row(logits, i));
      expect(row(changed, 2)).not.toEqual(row(logits, 2));
      expect(row(changed, 3)).toEqual(row(logits, 3)); // its text is missing: R_u is zero, not the vector
    });
  });

  it('shows a missing picture as nothing: neither in the logits nor in the statistics of the others', () => {
    const run = (imageLogits: number[][]): { logits: number[]; stored: number[] } => {
      let result = { logits: [] as number[], stored: [] as number[] };
      using(MAFN_DEFAULTS, {}, (network) => {
        network.forward(batchOf({ imageLogits }), { seed: 5, done: 0, total: 1 });
        const stored = network.layers.getLayer('image_norm').getWeights().slice(2).flatMap(read);
        result = { logits: read(network.forward(batchOf({ imageLogits }))), stored };
      });
      return result;
    };
    const of = fixture.batch.imageLogits;
    const zero = run(of.map((picture, i) => (i === 2 ? picture.map(() => 0) : picture)));
    expect(run(of.map((picture, i) => (i === 2 ? picture.map(() => 9) : picture)))).toEqual(zero);
    expect(run(of.map((picture, i) => (i === 1 ? picture.map(() => 9) : picture)))).not.toEqual(zero);
  });

  it('keeps the statistics of its pictures through a batch that has fewer than two', () => {
    using(MAFN_DEFAULTS, {}, (network) => {
      const stored = (): number[] =>
        network.layers.getLayer('image_norm').getWeights().slice(2).flatMap(read);
      const fresh = stored();
      for (const pictures of [0, 1])
        network.forward(batchOf({ present: [0, 1, 2, 3].map((i) => [1, Number(i < pictures)]) }), {
          seed: 1,
          done: 0,
          total: 1,
        });
      expect(stored()).toEqual(fresh);
    });
  });

  it.each([
    ['units', { ...MAFN_DEFAULTS, modalityDropout: 0 }],
    ['modalities', { ...MAFN_DEFAULTS, dropout: 0, modalityDropout: 0.5 }],
  ])('drops %s by seed while training', (_, config) => {
    using(config, {}, (network) => {
      const run = (seed: number): number[] => read(network.forward(batchOf(), { seed, done: 0, total: 1 }));
      expect(run(1)).toEqual(run(1));
      expect(new Set([1, 2, 3, 4, 5, 6].map((seed) => run(seed).join())).size).toBeGreaterThan(1);
      expect(run(1)).not.toEqual(read(network.forward(batchOf())));
    });
  });

  it.each([
    ['without-entity', ['tokens', 'tokenMask', 'imageLogits', 'present'], 64, true],
    ['without-affine', ['tokens', 'tokenMask', 'entities', 'imageLogits', 'present'], 64, false],
    ['without-both', ['tokens', 'tokenMask', 'imageLogits', 'present'], 64, false],
    ['text-only', ['tokens', 'tokenMask', 'present'], 32, false],
    ['entity-only', ['entities', 'present'], 32, false],
    ['without-image', ['tokens', 'tokenMask', 'entities', 'present'], 32, false],
  ] as const)('ablation %s reads and fuses what Table 2 says', (name, columns, width, fuses) => {
    const config = MAFN_ABLATIONS[name];
    expect(mafn.columns(config)).toEqual(columns);
    using(config, {}, (network) => {
      expect(network.layers.getLayer('detector_fc').getWeights()[0]?.shape).toEqual([width, 32]);
      expect(network.layers.layers.some((layer) => layer.name.startsWith('affine'))).toBe(fuses);
      expect(network.forward(batchOf()).shape).toEqual([4, 2]);
    });
  });

  it('refuses to be built of nothing', () => {
    const nothing: MafnConfig = { ...MAFN_DEFAULTS, text: false, entity: false, image: false };
    expect(() => mafn.build(tf, nothing, dims, HEAD, 1)).toThrow('all off');
  });
});

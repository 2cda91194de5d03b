/** The registered wasm gradient kernels give the cpu backend's gradients and leave no tensor behind. */
import type { LayersModel, Tensor, Variable } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/base/random.ts';
import { openEngine } from '../../../../src/models/engine/engine.ts';
import type { Tf } from '../../../../src/models/engine/tf.ts';

let tf: Tf;

beforeAll(async () => {
  tf = await openEngine({ backend: 'wasm' });
});

const numbers = (shape: readonly number[], seed: number): Float32Array => {
  const random = seededRandom(seed);
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() * 2 - 1);
};

/** Gradients of sum(f(inputs) · fixed noise) with respect to every input, on one backend. */
async function gradientsOn(
  backend: 'cpu' | 'wasm',
  shapes: readonly (readonly number[])[],
  f: (...inputs: Tensor[]) => Tensor,
): Promise<Float32Array[]> {
  await tf.setBackend(backend);
  try {
    const before = tf.memory().numTensors;
    const result = tf.tidy(() => {
      const inputs = shapes.map((shape, i) => tf.tensor(numbers(shape, i + 1), [...shape]));
      const loss = (...given: Tensor[]): Tensor => {
        const out = f(...given);
        return tf.sum(tf.mul(out, tf.tensor(numbers(out.shape, 99), out.shape)));
      };
      return tf
        .grads(loss as never)(inputs as never)
        .map((g: Tensor) => g.dataSync() as Float32Array);
    });
    expect(tf.memory().numTensors).toBe(before);
    return result;
  } finally {
    await tf.setBackend('wasm');
  }
}

function expectClose(actual: readonly Float32Array[], wanted: readonly Float32Array[]): void {
  expect(actual.map((a) => a.length)).toEqual(wanted.map((w) => w.length));
  actual.forEach((gradient, i) => {
    const target = wanted[i] as Float32Array;
    const scale = Math.max(1, ...target.map(Math.abs));
    const worst = gradient.reduce(
      (most, value, k) => Math.max(most, Math.abs(value - (target[k] as number))),
      0,
    );
    expect(worst / scale).toBeLessThan(1e-4);
  });
}

describe('wasm gradient kernels', () => {
  const convolutions: [string, number[], number[], number, 'same' | 'valid' | number][] = [
    ['3×3 valid', [2, 9, 8, 3], [3, 3, 3, 5], 1, 'valid'],
    ['3×3 same', [2, 9, 8, 3], [3, 3, 3, 5], 1, 'same'],
    ['2×2 same (uneven padding)', [1, 6, 7, 2], [2, 2, 2, 3], 1, 'same'],
    ['3×3 valid, stride 2', [2, 9, 8, 3], [3, 3, 3, 4], 2, 'valid'],
    ['3×3 same, stride 2', [2, 8, 8, 3], [3, 3, 3, 4], 2, 'same'],
    ['explicit padding', [1, 6, 6, 2], [3, 3, 2, 2], 1, 2],
    ['1×2 over words', [3, 1, 15, 10], [1, 2, 10, 6], 1, 'valid'],
  ];
  it.each(convolutions)(
    'convolution %s: gradients of input and filter equal the cpu backend',
    async (...given) => {
      const [, input, filter, stride, pad] = given;
      const f = (x: Tensor, w: Tensor): Tensor => tf.conv2d(x as never, w as never, stride, pad);
      expectClose(
        await gradientsOn('wasm', [input, filter], f),
        await gradientsOn('cpu', [input, filter], f),
      );
    },
  );

  const pools: [string, number[], number, number, 'same' | 'valid'][] = [
    ['2×2', [2, 8, 6, 3], 2, 2, 'valid'],
    ['2×2 with odd sides', [2, 7, 9, 3], 2, 2, 'valid'],
    ['2×2 same with odd sides', [1, 7, 9, 2], 2, 2, 'same'],
    ['3×3 stride 1', [1, 6, 6, 2], 3, 1, 'valid'],
  ];
  it.each(pools)('max pooling %s: gradient equals the cpu backend', async (_, input, size, stride, pad) => {
    const f = (x: Tensor): Tensor => tf.maxPool(x as never, size, stride, pad);
    expectClose(await gradientsOn('wasm', [input], f), await gradientsOn('cpu', [input], f));
  });

  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('matrix product (transposed %s, %s): gradients equal the cpu backend', async (ta, tb) => {
    const shapes = [ta ? [5, 4] : [4, 5], tb ? [3, 5] : [5, 3]];
    const f = (a: Tensor, b: Tensor): Tensor => tf.matMul(a, b, ta, tb);
    expectClose(await gradientsOn('wasm', shapes, f), await gradientsOn('cpu', shapes, f));
  });

  it('batched matrix product with a transposed operand still works', async () => {
    const f = (a: Tensor, b: Tensor): Tensor => tf.matMul(a, b, false, true);
    const shapes = [
      [3, 4, 5],
      [3, 2, 5],
    ];
    expectClose(await gradientsOn('wasm', shapes, f), await gradientsOn('cpu', shapes, f));
  });

  it('sums rows by segment, and drops the rows of negative segments', async () => {
    const sums = (): Float32Array =>
      tf.tidy(() => {
        const rows = tf.tensor2d(numbers([4, 3], 1), [4, 3]);
        return tf.unsortedSegmentSum(rows, tf.tensor1d([2, 0, -1, 2], 'int32'), 4).dataSync() as Float32Array;
      });
    const rows = numbers([4, 3], 1);
    const wanted = [3, 4, 5, 0, 0, 0, 0, 1, 2, 0, 0, 0].map((k, i) => {
      if (i >= 3 && (i < 6 || i > 8)) return 0;
      return (rows[k] as number) + (i >= 6 ? (rows[k + 9] as number) : 0);
    });
    expectClose([sums()], [Float32Array.from(wanted)]);
  });

  it('a loss through a mask of its own input can be differentiated; the mask counts as constant', () => {
    const gradient = tf.tidy(() => {
      const masked = (x: Tensor): Tensor => {
        const known = tf.any(tf.logicalAnd(tf.notEqual(x, 0), tf.greater(x, -5)), 1, true);
        return tf.sum(tf.mul(tf.square(x), tf.cast(known, 'float32')));
      };
      const rows = [
        [0, 3],
        [0, 0],
      ];
      return [...tf.grad(masked)(tf.tensor2d(rows)).dataSync()];
    });
    expect(gradient).toEqual([0, 6, 0, 0]);
  });

  it('gather: gradient equals the cpu backend, repeated rows included', async () => {
    const f = (x: Tensor): Tensor => tf.gather(x, tf.tensor1d([3, 0, 3, 1], 'int32'));
    expectClose(await gradientsOn('wasm', [[5, 4]], f), await gradientsOn('cpu', [[5, 4]], f));
  });
});

/** Layers that models are trained with and whose gradients tfjs makes of many kernels. */
describe('layers train on wasm as on the cpu backend', () => {
  const sequence = [6, 8];
  const cases: [string, number[], () => ReturnType<Tf['layers']['dense']>[]][] = [
    ['embedding', [5], () => [tf.layers.embedding({ inputDim: 20, outputDim: 4 }), tf.layers.flatten()]],
    ['LSTM', sequence, () => [tf.layers.lstm({ units: 5 })]],
    ['GRU', sequence, () => [tf.layers.gru({ units: 5 })]],
    ['batch normalisation', [8], () => [tf.layers.dense({ units: 6 }), tf.layers.batchNormalization()]],
    ['layer normalisation', [8], () => [tf.layers.dense({ units: 6 }), tf.layers.layerNormalization()]],
    [
      '1-D convolution and global max',
      [10, 8],
      () => [tf.layers.conv1d({ filters: 4, kernelSize: 3 }), tf.layers.globalMaxPooling1d()],
    ],
  ] as never;

  /** Gradients of a fixed loss with respect to every trainable weight; weights are given, not drawn. */
  function trainingGradients(shape: readonly number[], layers: () => object[]): Float32Array[] {
    const before = tf.memory().numTensors;
    const model = tf.sequential() as ReturnType<Tf['sequential']>;
    const [first, ...rest] = layers() as { batchInputShape?: unknown }[];
    (first as { batchInputShape: unknown }).batchInputShape = [null, ...shape];
    for (const layer of [first, ...rest]) model.add(layer as never);
    const gradients = tf.tidy(() => {
      model.setWeights(
        model.weights.map((weight, i) => {
          const values = numbers(weight.shape as number[], i + 7);
          // A variance is positive.
          return tf.tensor(
            weight.name.includes('variance') ? values.map(Math.abs) : values,
            weight.shape as number[],
          );
        }),
      );
      const values = numbers([4, ...shape], 5);
      const ids = shape.length === 1 && shape[0] === 5;
      const x = tf.tensor(ids ? values.map((v) => Math.floor((v + 1) * 9)) : values, [4, ...shape]);
      const loss = (): Tensor => {
        const y = (model as LayersModel).apply(x, { training: true }) as Tensor;
        return tf.sum(tf.mul(y, tf.tensor(numbers(y.shape, 99), y.shape)));
      };
      const variables = model.trainableWeights.map((weight) => weight.read() as Variable);
      const { grads } = tf.variableGrads(loss as never, variables);
      return variables.map(({ name }) => (grads[name] as Tensor).dataSync() as Float32Array);
    });
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
    return gradients;
  }

  it.each(cases)('%s', async (_, shape, layers) => {
    const wasm = trainingGradients(shape, layers);
    await tf.setBackend('cpu');
    try {
      expectClose(wasm, trainingGradients(shape, layers));
      expect(Math.max(...wasm.flatMap((g) => [...g].map(Math.abs)))).toBeGreaterThan(0.01);
    } finally {
      await tf.setBackend('wasm');
    }
  });
});

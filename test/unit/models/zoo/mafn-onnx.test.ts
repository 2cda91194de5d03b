/** MAFN's ONNX graph gives the logits of the tfjs network, row by row, for every form of the network. */
import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { Tf } from '../../../../src/models/engine/tf.ts';
import type { Batch, Dims, Head, Network } from '../../../../src/models/zoo/contract.ts';
import { MAFN_ABLATIONS, MAFN_DEFAULTS, type MafnConfig, mafn } from '../../../../src/models/zoo/mafn.ts';
import { exportMafn } from '../../../../src/models/zoo/mafn-onnx.ts';
import { onEngine } from '../../../support/tensor-check.ts';
import { TINY_DIMS, tinyBatch } from '../../../support/tiny-encoder.ts';

const ROWS = 8;
let tf: Tf;

onEngine((opened) => {
  tf = opened;
});

/** MiniLM's tokens and EfficientNet-lite0's classes. */
const SERVED: Dims = { tokens: 64, text: 384, imageLogits: 1000, imageFeatures: 1280, events: 0 };

/** Texts of 8, 16, … tokens, the first without an entity. */
function servedBatch(engine: Tf): Batch {
  const noise = (shape: number[], seed: number): TfTensor =>
    engine.randomUniform(shape, -1, 1, 'float32', seed);
  const rows = Array.from({ length: ROWS }, (_, i) => i);
  return engine.tidy(() => {
    const tokenMask = engine.tensor2d(
      rows.map((i) => Array.from({ length: 64 }, (_, p) => Number(p < 8 * (i + 1)))),
    );
    return {
      tokens: engine.mul(noise([ROWS, 64, 384], 1), engine.expandDims(tokenMask, 2)),
      tokenMask,
      entities: engine.tensor2d(rows.map((i) => Array.from({ length: 16 }, (_, p) => (p < i ? 1 + p : 0)))),
      imageLogits: noise([ROWS, 1000], 2),
    };
  });
}

type Run = (batch: Batch) => Promise<Record<string, Float32Array>>;

/** A network whose weights are all random, biases and norm too: a mistake in their order must show. */
async function using(
  { config, head, dims = TINY_DIMS }: { config: MafnConfig; head: Head; dims?: Dims },
  work: (network: Network, batch: Batch, run: Run) => Promise<void>,
): Promise<void> {
  const network = mafn.build(tf, config, dims, head, 3);
  tf.tidy(() => {
    let seed = 0;
    for (const layer of network.layers.layers)
      layer.setWeights(
        layer.getWeights().map((weight, i) => {
          seed += 1;
          const most = weight.rank > 1 ? Math.sqrt(3 / (weight.shape[0] as number)) : 1; // outputs stay near one
          const least = i === 3 ? 0.5 : -most; // a variance is positive
          return tf.randomUniform(weight.shape, least, most, 'float32', seed);
        }),
      );
  });
  const batch = dims === TINY_DIMS ? tinyBatch(tf, mafn.columns(config), ROWS) : servedBatch(tf);
  const session = await InferenceSession.create(exportMafn(tf, network.layers, config, dims));
  const run: Run = async (columns) => {
    const feeds = Object.entries(columns)
      .filter(([name]) => name !== 'present')
      .map(([name, x]) => [name, new Tensor('float32', x.dataSync() as Float32Array, x.shape)] as const);
    const results = await session.run(Object.fromEntries(feeds));
    return Object.fromEntries(Object.entries(results).map(([name, x]) => [name, x.data as Float32Array]));
  };
  try {
    await work(network, batch, run);
  } finally {
    tf.dispose(batch as never);
    network.dispose();
    await session.release();
  }
}

function expectClose(actual: Float32Array | undefined, target: Float32Array): void {
  expect(actual?.length).toBe(target.length);
  target.forEach((value, i) => {
    expect(Math.abs(value - (actual?.[i] as number))).toBeLessThanOrEqual(1e-4);
  });
}

/** The network's logits with these modalities present in every row. */
const wanted = (network: Network, batch: Batch, text: 0 | 1, image: 0 | 1): Float32Array =>
  tf.tidy(() => {
    const present = tf.tensor2d(Array.from({ length: ROWS }, () => [text, image]));
    return network.forward({ ...batch, present }).dataSync() as Float32Array;
  });

const SOFTMAX: Head = { kind: 'softmax', outputs: 2 };
const SIGMOID: Head = { kind: 'sigmoid', outputs: 1 };
const WITH_BOTH: readonly (readonly [string, MafnConfig, Head])[] = [
  ['mafn', MAFN_DEFAULTS, SOFTMAX],
  ['mafn with one output', MAFN_DEFAULTS, SIGMOID],
  ['picture to text', { ...MAFN_DEFAULTS, affine: 'image->text', pool: 'cls' }, SOFTMAX],
  ['both directions', { ...MAFN_DEFAULTS, affine: 'both', attention: 'feature' }, SOFTMAX],
  ['first token alone', { ...MAFN_DEFAULTS, attention: 'feature', pool: 'cls' }, SOFTMAX],
  ['without affine', MAFN_ABLATIONS['without-affine'], SOFTMAX],
  ['without both', MAFN_ABLATIONS['without-both'], SOFTMAX],
];

describe('exportMafn', () => {
  it.each(WITH_BOTH)(
    '%s: equals the network with both, without the picture and without the text',
    (_, config, head) =>
      using({ config, head }, async (network, batch, run) => {
        const results = await run(batch);
        expectClose(results['logits'], wanted(network, batch, 1, 1));
        expectClose(results['text_logits'], wanted(network, batch, 1, 0));
        expectClose(results['image_logits'], wanted(network, batch, 0, 1));
      }),
  );

  it.each([
    ['text-only', MAFN_ABLATIONS['text-only']],
    ['entity-only', MAFN_ABLATIONS['entity-only']],
    ['without-image', MAFN_ABLATIONS['without-image']],
    ['visual', { ...MAFN_DEFAULTS, text: false, entity: false }],
  ])('%s: has one output, equal to the network', (_, config) =>
    using({ config, head: SOFTMAX }, async (network, batch, run) => {
      const results = await run(batch);
      expect(Object.keys(results)).toEqual(['logits']);
      expectClose(results['logits'], wanted(network, batch, 1, 1));
    }),
  );

  it('gives a row the same bits whoever its neighbours are, at the size that is served', () => {
    return using({ config: MAFN_DEFAULTS, head: SOFTMAX, dims: SERVED }, async (_network, batch, run) => {
      const whole = await run(batch);
      for (const [from, size] of [
        [0, 1],
        [7, 1],
        [2, 3],
        [1, 7],
      ] as const) {
        const rows = Object.fromEntries(
          Object.entries(batch).map(([name, x]) => [
            name,
            tf.slice(x as TfTensor, [from, ...x.shape.slice(1).map(() => 0)], [size, ...x.shape.slice(1)]),
          ]),
        );
        const part = await run(rows);
        tf.dispose(rows);
        for (const [name, values] of Object.entries(part))
          expect(values, name).toEqual(whole[name]?.slice(2 * from, 2 * (from + size)));
      }
    });
  });

  it('reads text_logits without looking at the picture, image_logits without looking at the text', () =>
    using({ config: MAFN_DEFAULTS, head: SOFTMAX }, async (_network, batch, run) => {
      const clean = await run(batch);
      const zeros = (x: TfTensor | undefined): TfTensor => tf.zerosLike(x as TfTensor);
      const changed = { imageLogits: zeros(batch.imageLogits), tokens: zeros(batch.tokens) };
      const noPicture = await run({ ...batch, imageLogits: changed.imageLogits });
      const noText = await run({ ...batch, tokens: changed.tokens });
      tf.dispose(changed);
      expect(noPicture['text_logits']).toEqual(clean['text_logits']);
      expect(noPicture['logits']).not.toEqual(clean['logits']);
      expect(noText['image_logits']).toEqual(clean['image_logits']);
      expect(noText['logits']).not.toEqual(clean['logits']);
    }));

  it('writes the same bytes for the same weights', () =>
    using({ config: MAFN_DEFAULTS, head: SOFTMAX }, async (network) => {
      const bytes = (): Uint8Array => exportMafn(tf, network.layers, MAFN_DEFAULTS, TINY_DIMS);
      expect(bytes()).toEqual(bytes());
    }));
});

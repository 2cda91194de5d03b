/** The exported ONNX graphs give the logits of the tfjs network. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import { exportMmn } from '../../../src/models/onnx-export.ts';
import type { Network } from '../../../src/models/zoo/contract.ts';
import { buildMmn, MMN_DEFAULTS } from '../../../src/models/zoo/mmn.ts';

const BATCH = 6;
let tf: Tf;
let mmn: Network;

beforeAll(async () => {
  tf = await openEngine();
  mmn = buildMmn(tf, MMN_DEFAULTS, { kind: 'sigmoid', outputs: 1 }, 7);
  // Fresh biases are zero; a mistake in their order would not show.
  for (const layer of mmn.layers.layers) {
    const weights = layer.getWeights();
    if (weights.length === 2)
      layer.setWeights([
        weights[0] as never,
        tf.randomUniform((weights[1] as never as { shape: number[] }).shape, -1, 1),
      ]);
  }
});

afterAll(() => mmn.dispose());

const noise = (length: number, seed: number, low: number): Float32Array => {
  const random = seededRandom(seed);
  return Float32Array.from({ length }, () => low + random() * (1 - low));
};

const words = noise(BATCH * 1500, 1, -1);
const pictures = noise(BATCH * 12_288, 2, 0);

const wanted = (withWords: boolean, withPictures: boolean): Float32Array =>
  tf.tidy(
    () =>
      mmn
        .forward({
          ...(withWords ? { words: tf.tensor3d(words, [BATCH, 15, 100]) } : {}),
          ...(withPictures ? { pixels: tf.tensor4d(pictures, [BATCH, 64, 64, 3]) } : {}),
        })
        .dataSync() as Float32Array,
  );

function expectClose(actual: unknown, target: Float32Array): void {
  const values = actual as Float32Array;
  expect(values.length).toBe(target.length);
  values.forEach((value, i) => {
    expect(Math.abs(value - (target[i] as number))).toBeLessThanOrEqual(1e-4);
  });
}

describe('exportMmn', () => {
  it('text graph: equals the network without a picture', async () => {
    const session = await InferenceSession.create(exportMmn(tf, mmn, MMN_DEFAULTS).text);
    const out = await session.run({ words: new Tensor('float32', words, [BATCH, 15, 100]) });
    expectClose(out['text_logit']?.data, wanted(true, false));
  });

  it('joint graph: equals the network with both, without the picture and without the text', async () => {
    const session = await InferenceSession.create(exportMmn(tf, mmn, MMN_DEFAULTS).joint);
    const out = await session.run({
      words: new Tensor('float32', words, [BATCH, 15, 100]),
      pictures: new Tensor('float32', pictures, [BATCH, 64, 64, 3]),
    });
    expectClose(out['logit']?.data, wanted(true, true));
    expectClose(out['text_logit']?.data, wanted(true, false));
    expectClose(out['image_logit']?.data, wanted(false, true));
  });

  it('writes the same bytes for the same weights and leaves no tensor behind', () => {
    const before = tf.memory().numTensors;
    const [first, again] = [exportMmn(tf, mmn, MMN_DEFAULTS), exportMmn(tf, mmn, MMN_DEFAULTS)];
    expect(Buffer.compare(first.text, again.text)).toBe(0);
    expect(Buffer.compare(first.joint, again.joint)).toBe(0);
    expect(tf.memory().numTensors).toBe(before);
  });
});

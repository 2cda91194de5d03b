/** VQA's product fusion: zero where a modality is, so that only the bias is left to answer. */
import type { Tensor } from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { vqa } from '../../../../src/models/zoo/vqa.ts';
import { zooOnWasm } from '../../../support/zoo-on-wasm.ts';

const zoo = zooOnWasm();

it.each([
  ['text', [0, 1]],
  ['picture', [1, 0]],
] as const)('gives every post without a %s the answer of a zero product', (_, present) => {
  zoo.using(vqa, (network, batch) => {
    const { tf } = zoo;
    const row = (name: string) => network.layers.getLayer(name);
    // With biases a layer turns zero into something; the product must be zero all the same.
    const [width, seen] = [row('text_dense').getWeights()[0], row('image_dense').getWeights()[0]];
    row('text_dense').setWeights([width as Tensor, tf.ones([32])]);
    row('image_dense').setWeights([seen as Tensor, tf.ones([32])]);
    const zero = row('logit').apply(row('fusion').apply(tf.zeros([1, 32])) as never) as typeof batch.words;
    const wanted = zero?.dataSync()[0] as number;
    const lone = { ...batch, present: tf.tensor2d(Array.from({ length: 8 }, () => [...present])) };
    for (const logit of zoo.logits(network, lone)) expect(logit).toBeCloseTo(wanted, 6);
    expect(new Set(zoo.logits(network, batch)).size).toBe(8);
  });
});

it('sees the direction of the picture feature alone, not its length', () => {
  zoo.using(vqa, (network, batch) => {
    const picture = batch.imageLogits as NonNullable<typeof batch.imageLogits>;
    const logits = zoo.logits(network, batch);
    zoo.logits(network, { ...batch, imageLogits: zoo.tf.mul(picture, 7) }).forEach((logit, i) => {
      expect(logit).toBeCloseTo(logits[i] as number, 5);
    });
    expect(zoo.logits(network, { ...batch, imageLogits: zoo.tf.mul(picture, -1) })).not.toEqual(logits);
  });
});

/** SSE-Cross: swaps stay within a class, and each modality is gated by the other. */
import type { Tensor } from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { partners, sseCross } from '../../../../src/models/zoo/sse-cross.ts';
import { zooOnWasm } from '../../../support/zoo-on-wasm.ts';

const zoo = zooOnWasm();
const CLASSES = Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? 'yes' : 'no'));

describe('partners', () => {
  it('keep the label', () => {
    const chosen = partners(CLASSES, 0.5, 7);
    expect(chosen.map((i) => CLASSES[i])).toEqual(CLASSES);
    const moved = chosen.filter((other, i) => other !== i).length;
    expect(moved).toBeGreaterThan(15);
    expect(moved).toBeLessThan(45);
  });

  it('are the post itself without swaps, and the same for the same seed', () => {
    expect(partners(CLASSES, 0, 7)).toEqual(CLASSES.map((_, i) => i));
    expect(partners(CLASSES, 0.5, 7)).toEqual(partners(CLASSES, 0.5, 7));
    expect(partners(CLASSES, 0.5, 7)).not.toEqual(partners(CLASSES, 0.5, 8));
  });
});

it('closes a modality when the other one says so', () => {
  zoo.using(sseCross, (network, batch) => {
    const { tf } = zoo;
    const gate = network.layers.getLayer('image_gate'); // what the text says about the picture
    gate.setWeights([tf.zeros([8, 100]), tf.fill([100], -1e4)]);
    // The text is no longer a reason to look at the picture; the picture still gates the text.
    const textGate = network.layers.getLayer('text_gate');
    textGate.setWeights([tf.zeros([10, 100]), tf.zeros([100])]);
    const logits = zoo.logits(network, batch);
    const other = { ...batch, imageLogits: tf.mul(batch.imageLogits as Tensor, -2) };
    expect(zoo.logits(network, other)).toEqual(logits);
    gate.setWeights([tf.zeros([8, 100]), tf.fill([100], 1e4)]);
    expect(zoo.logits(network, other)).not.toEqual(zoo.logits(network, batch));
  });
});

/** att-RNN's attention: weights that sum to one, and a view that follows the picture. */
import type { Tensor, Tensor3D } from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { attRnn, lookAt } from '../../../../src/models/zoo/att-rnn.ts';
import { zooOnWasm } from '../../../support/zoo-on-wasm.ts';

const zoo = zooOnWasm();

it('spreads the attention of each word over the visual neurons', () => {
  zoo.using(attRnn, (network, batch) => {
    const { tf } = zoo;
    const inputs = [batch.words, batch.imageLogits, tf.zeros([8, 47])] as Tensor[];
    const [, attention] = network.layers.predict(inputs) as Tensor[];
    expect(attention?.shape).toEqual([8, 15, 32]);
    for (const sum of tf.sum(attention as Tensor, 2).dataSync()) expect(sum).toBeCloseTo(1, 5);
    // Words differ in what they look at.
    const [first, second] = (attention as Tensor3D).arraySync()[0] as number[][];
    expect(first).not.toEqual(second);
  });
});

it('sees what the picture shows where the attention lies', () => {
  const { tf } = zoo;
  tf.tidy(() => {
    const attention = tf.tensor3d([
      [
        [1, 0, 0],
        [0.25, 0.5, 0.25],
      ],
    ]);
    expect(lookAt(tf, attention, tf.tensor2d([[4, 8, 16]])).arraySync()).toEqual([[4, 9]]);
    expect(lookAt(tf, attention, tf.tensor2d([[3, 3, 3]])).arraySync()).toEqual([[3, 3]]);
  });
});

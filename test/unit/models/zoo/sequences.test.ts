/** Reading states of a sequence: only positions that count do, and a row without any gives zero. */
import type { Tensor3D } from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { knownWords, lastState, maskedMean } from '../../../../src/models/zoo/sequences.ts';
import { zooOnWasm } from '../../../support/zoo-on-wasm.ts';

const zoo = zooOnWasm();
const STATES = [
  [[1, 10], [2, 20], [3, 30]],
  [[4, 40], [5, 50], [6, 60]],
  [[7, 70], [8, 80], [9, 90]],
]; // biome-ignore format: one row a line

it.each([
  [
    'mean',
    maskedMean,
    [
      [1, 10],
      [5, 50],
      [0, 0],
    ],
  ],
  [
    'last state',
    lastState,
    [
      [1, 10],
      [6, 60],
      [0, 0],
    ],
  ],
] as const)('%s of the positions that count', (_, read, wanted) => {
  const { tf } = zoo;
  tf.tidy(() => {
    const mask = tf.tensor2d([
      [1, 0, 0],
      [1, 0, 1],
      [0, 0, 0],
    ]);
    expect(read(tf, tf.tensor3d(STATES), mask).arraySync()).toEqual(wanted);
  });
});

it('a word is known when its vector is not zero', () => {
  const { tf } = zoo;
  tf.tidy(() => {
    const words = tf.tensor3d([
      [
        [0, -1],
        [0, 0],
        [2, 0],
      ],
    ]) as Tensor3D;
    expect(knownWords(tf, words).arraySync()).toEqual([[1, 0, 1]]);
  });
});

/** Losses and macro-F1 against values worked out by hand, on tensors and on numbers alike. */
import { beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import type { Head } from '../../../src/models/zoo/contract.ts';
import { balancedWeights, type ClassWeights, crossEntropy, judge } from '../../../src/training/objective.ts';

const SOFTMAX: Head = { kind: 'softmax', outputs: 3 };
const MULTI: Head = { kind: 'sigmoid', outputs: 2 };

let tf: Tf;
beforeAll(async () => {
  tf = await openEngine();
});

const lossOf = (head: Head, logits: number[][], labels: number[][], weights: ClassWeights | null): number => {
  const before = tf.memory().numTensors;
  const loss = tf.tidy(
    () => crossEntropy(tf, head, tf.tensor2d(logits), tf.tensor2d(labels), weights).dataSync()[0] as number,
  );
  expect(tf.memory().numTensors).toBe(before);
  return loss;
};
const judged = (head: Head, logits: number[][], labels: number[][], weights: ClassWeights | null) =>
  judge(head, Float32Array.from(logits.flat()), Float32Array.from(labels.flat()), weights);

describe('balancedWeights', () => {
  it('gives every class the same sum', () => {
    const labels = Float32Array.from([1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0]);
    expect(balancedWeights(SOFTMAX, labels)).toEqual({ kind: 'softmax', weights: [4 / 9, 4 / 3, 4 / 3] });
    const bits = Float32Array.from([1, 0, 1, 0, 1, 0, 0, 1]);
    expect(balancedWeights(MULTI, bits)).toEqual({
      kind: 'sigmoid',
      weights: [
        [2, 2 / 3],
        [2 / 3, 2],
      ],
    });
  });
});

describe('cross-entropy', () => {
  const logits = [
    [2, 0, -1],
    [0, 1, 0],
  ];
  const labels = [
    [1, 0, 0],
    [0, 0, 1],
  ];
  const first = Math.log(Math.exp(2) + 1 + Math.exp(-1)) - 2;
  const second = Math.log(2 + Math.E);

  it('of a softmax head, plain and weighted', () => {
    expect(lossOf(SOFTMAX, logits, labels, null)).toBeCloseTo((first + second) / 2, 5);
    expect(judged(SOFTMAX, logits, labels, null).loss).toBeCloseTo((first + second) / 2, 5);
    const weights: ClassWeights = { kind: 'softmax', weights: [1, 1, 3] };
    expect(lossOf(SOFTMAX, logits, labels, weights)).toBeCloseTo((first + 3 * second) / 4, 5);
    expect(judged(SOFTMAX, logits, labels, weights).loss).toBeCloseTo((first + 3 * second) / 2, 5);
  });

  it('of a sigmoid head with two outputs, plain and weighted', () => {
    const z = [
      [2, -1],
      [0, 3],
    ];
    const y = [
      [1, 1],
      [0, 1],
    ];
    const [a, b, c, d] = [1, 2, 3, 4].map((n) => Math.log1p(Math.exp([-2, 1, 0, -3][n - 1] as number))) as [
      number,
      number,
      number,
      number,
    ];
    expect(lossOf(MULTI, z, y, null)).toBeCloseTo((a + b + c + d) / 4, 5);
    expect(judged(MULTI, z, y, null).loss).toBeCloseTo((a + b + c + d) / 4, 5);
    const weights: ClassWeights = {
      kind: 'sigmoid',
      weights: [
        [5, 1],
        [1, 2],
      ],
    };
    expect(lossOf(MULTI, z, y, weights)).toBeCloseTo((a + 2 * b + 5 * c + 2 * d) / 10, 5);
    expect(judged(MULTI, z, y, weights).loss).toBeCloseTo((a + 2 * b + 5 * c + 2 * d) / 4, 5);
  });
});

describe('macro-F1', () => {
  it('of one sigmoid output is the mean over yes and no', () => {
    const head: Head = { kind: 'sigmoid', outputs: 1 };
    const { macroF1 } = judged(head, [[1], [1], [-1], [-1], [1]], [[1], [0], [0], [0], [1]], null);
    expect(macroF1).toBeCloseTo((4 / 5 + 4 / 5) / 2, 6);
  });

  it('of a softmax head is the mean over its classes; one that is never right counts zero', () => {
    const { macroF1 } = judged(
      SOFTMAX,
      [
        [3, 0, 0],
        [3, 0, 0],
        [0, 3, 0],
      ],
      [
        [1, 0, 0],
        [0, 0, 1],
        [0, 1, 0],
      ],
      null,
    );
    expect(macroF1).toBeCloseTo((2 / 3 + 1 + 0) / 3, 6);
  });
});

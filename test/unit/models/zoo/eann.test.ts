/** EANN: the reversal turns the sign of what the features learn from the events, and of nothing else. */
import type { Scalar, Tensor, Variable } from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import type { Tf } from '../../../../src/models/engine/tf.ts';
import type { Batch } from '../../../../src/models/zoo/contract.ts';
import { eann } from '../../../../src/models/zoo/eann.ts';
import { reverseGradient } from '../../../../src/models/zoo/gradient-reversal.ts';
import { onEngine } from '../../../support/tensor-check.ts';
import { TINY_DIMS, tinyBatch, tinyLabels } from '../../../support/tiny-encoder.ts';

const HEAD = { kind: 'softmax', outputs: 2 } as const;
const STEP = { seed: 1, done: 0, total: 1 };
let tf: Tf;

onEngine((opened) => {
  tf = opened;
});

/** Loss and its gradients by variable, from the events alone. */
function eventLoss(
  reversal: number,
  change: Partial<Batch> = {},
): { loss: number; gradients: Record<string, number[]> } {
  const network = eann.build(tf, { ...eann.defaults, reversal }, TINY_DIMS, HEAD, 3);
  const result = tf.tidy(() => {
    const batch = { ...tinyBatch(tf, eann.columns(eann.defaults), 8), ...change };
    const labels = tinyLabels(tf, HEAD, 8);
    const variables = network.layers.layers.flatMap((layer) =>
      layer.trainableWeights.map((weight) => ({ name: weight.originalName, variable: weight.read() })),
    );
    const { value, grads } = tf.variableGrads(
      () => network.auxiliaryLoss?.(batch, labels, STEP) as never,
      variables.map(({ variable }) => variable) as never,
    );
    const gradients = Object.fromEntries(
      variables.flatMap(({ name, variable }) => {
        const gradient = grads[(variable as unknown as { name: string }).name];
        return gradient ? [[name, Array.from(gradient.dataSync())] as const] : [];
      }),
    );
    return { loss: value.dataSync()[0] as number, gradients };
  });
  network.dispose();
  return result;
}

describe('reverseGradient', () => {
  it('is an identity whose gradient has the other sign', () => {
    tf.tidy(() => {
      const x = tf.tensor1d([1, -2, 3]);
      expect(Array.from(reverseGradient(tf, x, 0.5).dataSync())).toEqual([1, -2, 3]);
      const gradient = tf.grad((v) => tf.sum(tf.square(reverseGradient(tf, v, 0.5))))(x);
      expect(Array.from(gradient.dataSync())).toEqual([-1, 2, -3]);
    });
  });
});

describe('EANN', () => {
  it('pushes the features up the loss of the events while the discriminator goes down', () => {
    const reversed = eventLoss(1);
    const plain = eventLoss(-1);
    expect(reversed.loss).toBe(plain.loss);
    const turned = Object.keys(plain.gradients).filter((name) => !name.startsWith('event_'));
    expect(turned).toEqual(
      expect.arrayContaining(['text_embedding/kernel', 'text_fc/kernel', 'image_fc/kernel']),
    );
    for (const name of turned) {
      expect(
        plain.gradients[name]?.some((value) => value !== 0),
        name,
      ).toBe(true);
      expect(reversed.gradients[name], name).toEqual(plain.gradients[name]?.map((value) => -value));
    }
    for (const name of ['event_fc/kernel', 'event_logits/kernel'])
      expect(reversed.gradients[name]).toEqual(plain.gradients[name]);
  });

  it.each([
    ['features', 'raises', false, 1],
    ['discriminator', 'lowers', true, -1],
  ] as const)('a step of the %s %s the loss of the events', (_, _word, ofEvents, sign) => {
    const network = eann.build(tf, eann.defaults, TINY_DIMS, HEAD, 3);
    tf.tidy(() => {
      const batch = tinyBatch(tf, eann.columns(eann.defaults), 8);
      const labels = tinyLabels(tf, HEAD, 8);
      const loss = (): Scalar => network.auxiliaryLoss?.(batch, labels, STEP) as Scalar;
      const variables = network.layers.layers
        .filter(({ name }) => name.startsWith('event_') === ofEvents && !name.startsWith('logits'))
        .flatMap((layer) => layer.trainableWeights.map((weight) => weight.read() as Variable));
      const { value, grads } = tf.variableGrads(loss, variables);
      for (const variable of variables)
        variable.assign(tf.sub(variable, tf.mul(grads[variable.name] as Tensor, 0.05)));
      const change = (loss().dataSync()[0] as number) - (value.dataSync()[0] as number);
      expect(Math.sign(change)).toBe(sign);
    });
    network.dispose();
  });

  it('learns nothing from posts whose event is unknown', () => {
    tf.tidy(() => {
      const { loss, gradients } = eventLoss(1, { event: tf.fill([8, 1], -1) as Tensor });
      expect(loss).toBeCloseTo(0, 10);
      expect(
        Object.values(gradients)
          .flat()
          .every((value) => Math.abs(value) === 0),
      ).toBe(true);
    });
  });

  it('judges a post without a picture by its text alone', () => {
    const network = eann.build(tf, eann.defaults, TINY_DIMS, HEAD, 3);
    tf.tidy(() => {
      const batch = tinyBatch(tf, eann.columns(eann.defaults), 8);
      const present = tf.tensor2d(Array.from({ length: 8 }, (_, i) => [1, i % 2]));
      const logits = (imageLogits: Tensor): Float32Array =>
        network.forward({ ...batch, present, imageLogits }).dataSync() as Float32Array;
      const first = logits(batch.imageLogits as Tensor);
      const second = logits(tf.add(batch.imageLogits as Tensor, 1));
      for (let i = 0; i < 8; i += 1) expect(first[2 * i] === second[2 * i], `row ${i}`).toBe(i % 2 === 0);
    });
    network.dispose();
  });
});

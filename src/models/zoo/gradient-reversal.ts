/** Gradient reversal (Ganin & Lempitsky, ICML 2015, §3): an identity whose gradient has the other sign. */
import type { Tensor } from '@tensorflow/tfjs';
import type { Tf } from '../engine/tf.ts';

/** x itself; what is below it learns to raise the loss that what is above it learns to lower, `strength` times as fast. */
export const reverseGradient = <T extends Tensor>(tf: Tf, x: T, strength: number): T =>
  tf.customGrad((input) => ({
    value: (input as T).clone(),
    gradFunc: (upstream) => tf.mul(upstream as Tensor, -strength),
  }))(x) as T;

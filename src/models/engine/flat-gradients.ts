/**
 * Gradients of comparisons, which tfjs has not: it refuses to differentiate a loss when a comparison of the input (a mask
 * of the words that are there, say) lies between the two. A comparison is constant almost everywhere, so its gradient is 0.
 */
import type { Tensor } from '@tensorflow/tfjs';
import type { Tf } from './tf.ts';

/** Kernels and the names of their inputs. */
const FLAT: Readonly<Record<string, readonly string[]>> = {
  Equal: ['a', 'b'],
  NotEqual: ['a', 'b'],
  Greater: ['a', 'b'],
  GreaterEqual: ['a', 'b'],
  Less: ['a', 'b'],
  LessEqual: ['a', 'b'],
  LogicalAnd: ['a', 'b'],
  LogicalOr: ['a', 'b'],
  LogicalNot: ['x'],
  Any: ['x'],
  All: ['x'],
};

/** Registers the gradients, once per process. */
export function registerFlatGradients(tf: Tf): void {
  for (const [kernelName, inputs] of Object.entries(FLAT)) {
    if (tf.getGradient(kernelName)) continue;
    tf.registerGradient({
      kernelName,
      inputsToSave: [...inputs],
      gradFunc: (_dy, saved) =>
        Object.fromEntries(
          inputs.map((input, i) => [input, () => tf.zeros((saved[i] as Tensor).shape, 'float32')]),
        ),
    });
  }
}

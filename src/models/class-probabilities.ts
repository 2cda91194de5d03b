/** Logits of a task with several classes → calibrated probabilities; the same for training and serving. */
import type { ServedClass } from './manifest.ts';
import type { Head } from './zoo/contract.ts';

/** What a row of logits rests on. */
export type Basis = 'text' | 'image' | 'both';

/**
 * One probability per class: a sigmoid each, or one softmax over all. Null where the model has no calibration for what
 * the logits rest on.
 */
export function classProbabilities(
  { kind }: Head,
  classes: readonly Pick<ServedClass, 'calibration'>[],
  basis: Basis,
  logits: ArrayLike<number>,
): number[] | null {
  const scaled: number[] = [];
  for (const [k, { calibration }] of classes.entries()) {
    const chosen = calibration[basis];
    if (!chosen) return null;
    scaled.push(chosen.scale * (logits[k] as number) + chosen.bias);
  }
  if (kind === 'sigmoid') return scaled.map((z) => 1 / (1 + Math.exp(-z)));
  const highest = Math.max(...scaled);
  const raised = scaled.map((z) => Math.exp(z - highest));
  const sum = raised.reduce((total, value) => total + value, 0);
  return raised.map((value) => value / sum);
}

/** How each architecture is trained: the head that its paper gives it and the options that differ from the defaults. */
import type { Head } from '../models/zoo/contract.ts';
import { TRAINING_DEFAULTS, type TrainingOptions } from './train.ts';

interface Recipe {
  /** The paper's output for a question with two answers. */
  readonly head: Head;
  readonly options: Partial<TrainingOptions>;
}

/** MMAT §IV-B: one sigmoid unit, batches of 32, early stopping on the loss. */
const MMAT: Recipe = { head: { kind: 'sigmoid', outputs: 1 }, options: {} };

/** MAFN §4.2, also for its baselines: softmax, 50 epochs, EANN's learning rate, the epoch with the best dev macro-F1. */
const MAFN: Recipe = {
  head: { kind: 'softmax', outputs: 2 },
  options: { schedule: 'eann', maxEpochs: 50, patience: 10, stopOn: 'macroF1' },
};

const MMAT_FAMILY: readonly string[] = ['visual-cnn', 'text-cnn', 'mmn'];

/** For a question with two answers. */
export function recipeOf(architecture: string): Recipe & { readonly options: Omit<TrainingOptions, 'seed'> } {
  const { head, options } = MMAT_FAMILY.includes(architecture) ? MMAT : MAFN;
  return { head, options: { ...TRAINING_DEFAULTS, ...options } };
}

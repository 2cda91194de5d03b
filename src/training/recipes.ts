/** How each architecture is trained: the head that its paper gives it and the options that differ from the defaults. */
import type { Head } from '../models/zoo/contract.ts';
import type { Dataset } from './dataset.ts';
import { isBinary, TASKS } from './tasks.ts';
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

/**
 * @param data a question with two answers unless given; several classes are one output each, under sigmoids where a post
 *   may have several of them, else under a softmax
 */
export function recipeOf(
  architecture: string,
  data?: Pick<Dataset, 'task' | 'classes'>,
): Recipe & { readonly options: Omit<TrainingOptions, 'seed'> } {
  const { head, options } = MMAT_FAMILY.includes(architecture) ? MMAT : MAFN;
  const several: Head | null =
    !data || isBinary(data.task)
      ? null
      : {
          kind: TASKS[data.task].kind === 'any-of' ? 'sigmoid' : 'softmax',
          outputs: data.classes.length,
        };
  return { head: several ?? head, options: { ...TRAINING_DEFAULTS, ...options } };
}

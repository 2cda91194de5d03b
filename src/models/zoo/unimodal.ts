/**
 * MMAT's models of one modality (§IV-B): a branch, "a fully connected layer with the hidden size of 64" and the output on
 * top of it.
 */
import type { SymbolicTensor, Tensor, Tensor2D } from '@tensorflow/tfjs';
import { TocsinError } from '../../base/errors.ts';
import type { Tf } from '../engine/tf.ts';
import { type Branch, seededInitialisers } from './branches.ts';
import type { Column, Head, Network } from './contract.ts';
import { dropUnits } from './dropout.ts';

export interface UnimodalConfig {
  /** Width of the layer between the representation and the output. */
  readonly hiddenUnits: number;
  /** Share of the representation and of the hidden layer that is dropped while training. */
  readonly dropout: number;
}

/** §IV-B: hidden size 64, dropout 0.5; where it drops is models.md §1.2's. */
export const UNIMODAL_DEFAULTS: UnimodalConfig = { hiddenUnits: 64, dropout: 0.5 };

/** Representation [b, 64] → [b, 64] → logits [b, outputs]. */
export function buildUnimodal(
  tf: Tf,
  name: string,
  column: Column,
  branch: Branch,
  config: UnimodalConfig,
  head: Head,
  seed: number,
): Network {
  const init = seededInitialisers(tf, seed);
  const hidden = tf.layers.dense({
    name: 'hidden',
    units: config.hiddenUnits,
    activation: 'relu',
    kernelInitializer: init(4),
  });
  const output = tf.layers.dense({ name: 'logit', units: head.outputs, kernelInitializer: init(5) });
  const logits = output.apply(hidden.apply(branch.output)) as SymbolicTensor;
  const layers = tf.model({ name, inputs: branch.input, outputs: logits });
  const representation = tf.model({ inputs: branch.input, outputs: branch.output });
  return {
    layers,
    forward: (batch, step) =>
      tf.tidy(() => {
        const input = batch[column];
        if (!input) throw new TocsinError('BAD_USAGE', `Running ${name}: the data have no ${column}.`);
        const drop = (x: Tensor, place: number): Tensor2D =>
          (step ? dropUnits(tf, x, config.dropout, step.seed * 4 + place) : x) as Tensor2D;
        const seen = drop(representation.apply(input) as Tensor, 0);
        return output.apply(drop(hidden.apply(seen) as Tensor, 1)) as Tensor2D;
      }),
    dispose: () => layers.dispose(),
  };
}

/**
 * What every architecture of the zoo is: a documented config that builds a network, the columns it reads, logits out.
 * One file per architecture in this folder; `zoo.ts` lists them; test/contract/zoo runs one suite over all.
 */
import type { LayersModel, Scalar, Tensor, Tensor2D, Variable } from '@tensorflow/tfjs';
import type { Tf } from '../engine/tf.ts';

/**
 * What one post may bring to a network. `d`, `l` and `v` are the dimensions of the frozen encoders (`EncoderDims`).
 *
 * words          [15, 100]    frozen GloVe vectors, zero where padded or unknown (MMAT §IV-B)
 * pixels         [64, 64, 3]  in [0, 1]
 * tokens         [t, d]       token vectors of the text encoder, zero after the last (MAFN's BERT sequence)
 * tokenMask      [t]          1 for a token, 0 for padding
 * sentence       [d]          mean of the token vectors
 * imageLogits    [l]          the 1000-d class output of the picture encoder (VGG19 in the papers)
 * imageFeatures  [v]          its pooled features
 * entities       [16]         OntoNotes tags in reading order, 1 … 18; 0 pads
 * present        [2]          1 for a row that has its text, its picture
 * event          [1]          number of the training event, for event-adversarial heads; -1 unknown
 */
export const COLUMNS = [
  'words',
  'pixels',
  'tokens',
  'tokenMask',
  'sentence',
  'imageLogits',
  'imageFeatures',
  'entities',
  'present',
  'event',
] as const;
export type Column = (typeof COLUMNS)[number];

/** One batch: the columns that the architecture asked for, each [b, …]; a column that it did not ask for is absent. */
export type Batch = Readonly<Partial<Record<Column, Tensor>>>;

/** Sizes that depend on the encoders and the data, known when a network is built. */
export interface Dims {
  /** Tokens per text. */
  readonly tokens: number;
  /** Length of a token vector. */
  readonly text: number;
  readonly imageLogits: number;
  readonly imageFeatures: number;
  /** Training events, for event-adversarial heads. */
  readonly events: number;
}

/** How logits become probabilities: one sigmoid per output, or one softmax over all outputs. */
export interface Head {
  readonly kind: 'sigmoid' | 'softmax';
  /** Sigmoid: 1 = yes or no, more = several labels at once. Softmax: number of classes. */
  readonly outputs: number;
}

/** What a training step is made from, beside the batch. */
export interface Step {
  /** Seeds everything random in the step: dropped units, sampled latents, swapped partners. */
  readonly seed: number;
  /** Steps done and steps in all, for schedules (gradient reversal, KL warm-up). */
  readonly done: number;
  readonly total: number;
}

/** What a training step needs of a network. */
export interface TrainingPass {
  readonly logits: Tensor2D;
  /** Null where nothing is added to the cross-entropy. */
  readonly auxiliary: Scalar | null;
}

/** A training pass, by the network's own way of doing it where it has one. */
export const trainingPass = (network: Network, batch: Batch, labels: Tensor2D, step: Step): TrainingPass =>
  network.both?.(batch, labels, step) ?? {
    logits: network.forward(batch, step),
    auxiliary: network.auxiliaryLoss?.(batch, labels, step) ?? null,
  };

/** A network with weights. `forward` and `auxiliaryLoss` may be called inside tf.tidy and under tf.grads. */
export interface Network {
  /** Owns every weight; it is what is saved (network-files.ts) and it is enough to build the same network again. */
  readonly layers: LayersModel;
  /**
   * Logits [b, outputs]. With `step` the pass is a training pass: units are dropped (by seed: no Keras Dropout, see
   * decision 10), batch statistics are used. Without it the pass is deterministic.
   */
  forward(batch: Batch, step?: Step): Tensor2D;
  /** What is added to the cross-entropy of the logits while training (events, reconstruction, KL, alignment). */
  auxiliaryLoss?(batch: Batch, labels: Tensor2D, step: Step): Scalar;
  /** The logits of `forward` and the sum of `auxiliaryLoss` at once, where the second would repeat most of the first. */
  both?(batch: Batch, labels: Tensor2D, step: Step): TrainingPass;
  /** The variables that training may change; all trainable weights where absent. */
  trainable?(): Variable[];
  dispose(): void;
}

/** One row of the zoo. */
export interface Architecture<Config extends object = object> {
  readonly name: string;
  /** Where it comes from: paper, section, figure; and what was inferred. */
  readonly source: string;
  /** Columns that `forward` and `auxiliaryLoss` read under this config. */
  columns(config: Config): readonly Column[];
  /** Each value with its reason at its declaration. */
  readonly defaults: Config;
  /** Same config, dims, head and seed: same initial weights. Initialisers are seeded; nothing here is left to chance. */
  build(tf: Tf, config: Config, dims: Dims, head: Head, seed: number): Network;
}

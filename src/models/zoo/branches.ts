/**
 * The two branches of Chen et al., "Multi-modal Adversarial Training for Crisis-related Data Classification on Social
 * Media" (MMAT, SMARTCOMP 2020), §III-A, Fig. 2 and 3, which Visual-CNN, Text-CNN and MMN share. What the paper leaves
 * open (filter counts, padding) is as reported in docs/decisions/0010-mmn.md.
 */
import type { SymbolicTensor } from '@tensorflow/tfjs';
import type { Tf } from '../engine/tf.ts';
import { MAX_WORDS, WORD_DIMENSIONS } from '../words.ts';

/** Side of the pictures that the Visual-CNN reads. */
export const PICTURE_SIDE = 64;

export interface TextBranchConfig {
  /** Words per filter of the Text-CNN. */
  readonly textWindow: number;
  /** Filters of the Text-CNN = length of the text representation. */
  readonly textFilters: number;
}

export interface ImageBranchConfig {
  /** Filters of the two blocks of the Visual-CNN. */
  readonly imageFilters: readonly [number, number];
  /** Length of the picture representation. */
  readonly imageUnits: number;
}

/** §IV-B: window of 2 words, 64 hidden units, read as 64 filters. */
export const TEXT_BRANCH_DEFAULTS: TextBranchConfig = { textWindow: 2, textFilters: 64 };

/** §IV-B: 64 hidden units; the filter counts are models.md §1.2's. */
export const IMAGE_BRANCH_DEFAULTS: ImageBranchConfig = { imageFilters: [16, 32], imageUnits: 64 };

/** A branch as symbolic tensors: what it reads and the representation that it gives. */
export interface Branch {
  readonly input: SymbolicTensor;
  readonly output: SymbolicTensor;
}

type Initialiser = ReturnType<Tf['initializers']['glorotUniform']>;

/** Initialisers of a network's layers: another one for each place (below 16), all from one seed. */
export const seededInitialisers =
  (tf: Tf, seed: number): ((place: number) => Initialiser) =>
  (place) =>
    tf.initializers.glorotUniform({ seed: seed * 16 + place });

/** Text-CNN: [b, 15, 100] → convolution [b, 14, 64] → maximum over time [b, 64]. Takes place 0. */
export function textBranch(tf: Tf, config: TextBranchConfig, init: (place: number) => Initialiser): Branch {
  const input = tf.input({ name: 'words', shape: [MAX_WORDS, WORD_DIMENSIONS] });
  const convolution = tf.layers.conv1d({
    name: 'text_conv',
    filters: config.textFilters,
    kernelSize: config.textWindow,
    activation: 'relu',
    kernelInitializer: init(0),
  });
  const output = tf.layers.globalMaxPooling1d({ name: 'text_max' }).apply(convolution.apply(input));
  return { input, output: output as SymbolicTensor };
}

/**
 * Visual-CNN: [b, 64, 64, 3] → [b, 62, 62, 16] → [b, 31, 31, 16] → [b, 29, 29, 32] → [b, 14, 14, 32] → [b, 6272] →
 * [b, 64]. Takes places 1 to 3.
 */
export function imageBranch(tf: Tf, config: ImageBranchConfig, init: (place: number) => Initialiser): Branch {
  const input = tf.input({ name: 'pictures', shape: [PICTURE_SIDE, PICTURE_SIDE, 3] });
  let image = input;
  for (const block of [1, 2]) {
    const convolution = tf.layers.conv2d({
      name: `image_conv${block}`,
      filters: config.imageFilters[block - 1] as number,
      kernelSize: 3,
      activation: 'relu',
      kernelInitializer: init(block),
    });
    const pool = tf.layers.maxPooling2d({ name: `image_pool${block}`, poolSize: 2, strides: 2 });
    image = pool.apply(convolution.apply(image)) as SymbolicTensor;
  }
  image = tf.layers.flatten({ name: 'image_flat' }).apply(image) as SymbolicTensor;
  const dense = tf.layers.dense({
    name: 'image_dense',
    units: config.imageUnits,
    activation: 'relu',
    kernelInitializer: init(3),
  });
  return { input, output: dense.apply(image) as SymbolicTensor };
}

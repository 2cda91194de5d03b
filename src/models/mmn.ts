/**
 * MMN, the multi-modal network of Chen et al., "Multi-modal Adversarial Training for Crisis-related Data
 * Classification on Social Media" (SMARTCOMP 2020), §III-A and Fig. 2: a Text-CNN and a Visual-CNN, their 64-d
 * representations side by side, a fully connected layer, one output. What the paper leaves open (filter counts,
 * padding, width of the fusion layer) is as reported in docs/decisions/0010-mmn.md.
 */
import type { LayersModel, SymbolicTensor, Tensor2D, Tensor3D, Tensor4D, Variable } from '@tensorflow/tfjs';
import type { Tf } from './engine/tf.ts';
import { MAX_WORDS, WORD_DIMENSIONS } from './words.ts';

/** Side of the pictures that the Visual-CNN reads. */
export const PICTURE_SIDE = 64;

/** Everything that shapes the network. Stored in the manifest; `buildMmn` of it gives the same layers again. */
export interface MmnConfig {
  /** Words per filter of the Text-CNN. */
  readonly textWindow: number;
  /** Filters of the Text-CNN = length of the text representation. */
  readonly textFilters: number;
  /** Filters of the two blocks of the Visual-CNN. */
  readonly imageFilters: readonly [number, number];
  /** Length of the picture representation. */
  readonly imageUnits: number;
  /** Width of the layer after the fusion. */
  readonly fusionUnits: number;
  /** Share of each representation and of the fused layer that is dropped while training. */
  readonly dropout: number;
}

/** The paper's values where it gives them (§IV-B), else models.md §1.2. */
export const MMN_DEFAULTS: MmnConfig = {
  textWindow: 2,
  textFilters: 64,
  imageFilters: [16, 32],
  imageUnits: 64,
  fusionUnits: 64,
  dropout: 0.5,
};

export type MmnModality = 'text' | 'image';

/** One batch. A modality that is absent is null for the whole batch: its branch does not run. */
export interface MmnInputs {
  /** Word vectors, zero where padded or unknown. [b, 15, 100] */
  readonly words: Tensor3D | null;
  /** Pictures in [0, 1]. [b, 64, 64, 3] */
  readonly pictures: Tensor4D | null;
  /** Where rows differ: 1 for a row that has its words and its picture, 0 for one that has not. [b, 2] */
  readonly present?: Tensor2D;
}

export interface Mmn {
  readonly config: MmnConfig;
  /** The whole network, (words, pictures) → logit; what is saved. Owns the weights. */
  readonly network: LayersModel;
  /**
   * Logits before calibration. [b, 1]
   * @param dropoutSeed given only while training: which units are dropped. The same seed drops the same units.
   */
  forward(inputs: MmnInputs, dropoutSeed?: number): Tensor2D;
  dispose(): void;
}

/**
 * A network with fresh weights. The picture of a text-only post (and the text of a picture-only post) is a zero vector
 * at the fusion, and its branch is never computed.
 * @param seed of the initial weights
 */
export function buildMmn(tf: Tf, config: MmnConfig, seed: number): Mmn {
  const init = (offset: number): ReturnType<typeof tf.initializers.glorotUniform> =>
    tf.initializers.glorotUniform({ seed: seed * 16 + offset });
  const conv = (name: string, filters: number, offset: number): ReturnType<typeof tf.layers.conv2d> =>
    tf.layers.conv2d({ name, filters, kernelSize: 3, activation: 'relu', kernelInitializer: init(offset) });
  const dense = (name: string, units: number, offset: number): ReturnType<typeof tf.layers.dense> =>
    tf.layers.dense({ name, units, activation: 'relu', kernelInitializer: init(offset) });

  // Text-CNN: [b, 15, 100] → [b, 14, 64] → max over time → [b, 64]
  const words = tf.input({ name: 'words', shape: [MAX_WORDS, WORD_DIMENSIONS] });
  const textConvolution = tf.layers.conv1d({
    name: 'text_conv',
    filters: config.textFilters,
    kernelSize: config.textWindow,
    activation: 'relu',
    kernelInitializer: init(0),
  });
  const text = tf.layers
    .globalMaxPooling1d({ name: 'text_max' })
    .apply(textConvolution.apply(words)) as SymbolicTensor;

  // Visual-CNN: [b, 64, 64, 3] → [b, 62, 62, 16] → [b, 31, 31, 16] → [b, 29, 29, 32] → [b, 14, 14, 32] → [b, 6272] → [b, 64]
  const pictures = tf.input({ name: 'pictures', shape: [PICTURE_SIDE, PICTURE_SIDE, 3] });
  const pool = (name: string): ReturnType<typeof tf.layers.maxPooling2d> =>
    tf.layers.maxPooling2d({ name, poolSize: 2, strides: 2 });
  let image = conv('image_conv1', config.imageFilters[0], 1).apply(pictures) as SymbolicTensor;
  image = pool('image_pool1').apply(image) as SymbolicTensor;
  image = conv('image_conv2', config.imageFilters[1], 2).apply(image) as SymbolicTensor;
  image = pool('image_pool2').apply(image) as SymbolicTensor;
  image = tf.layers.flatten({ name: 'image_flat' }).apply(image) as SymbolicTensor;
  image = dense('image_dense', config.imageUnits, 3).apply(image) as SymbolicTensor;

  // Head: [b, 64] and [b, 64] → [b, 128] → [b, 64] → [b, 1]
  const fusion = dense('fusion', config.fusionUnits, 4);
  const output = tf.layers.dense({ name: 'logit', units: 1, kernelInitializer: init(5) });
  const fused = tf.layers.concatenate({ name: 'concat' }).apply([text, image]);
  const logit = output.apply(fusion.apply(fused)) as SymbolicTensor;

  const network = tf.model({ name: 'mmn', inputs: [words, pictures], outputs: logit });
  const textBranch = tf.model({ inputs: words, outputs: text });
  const imageBranch = tf.model({ inputs: pictures, outputs: image });

  return {
    config,
    network,
    forward: (inputs, dropoutSeed) =>
      tf.tidy(() => {
        const batch = (inputs.words ?? inputs.pictures)?.shape[0] ?? 0;
        // Keras' Dropout layer would draw one mask for ever from a fixed seed, so dropping is done here.
        const drop = (x: Tensor2D, offset: number): Tensor2D =>
          dropoutSeed === undefined || config.dropout === 0
            ? x
            : (tf.dropout(x, config.dropout, undefined, dropoutSeed * 4 + offset) as Tensor2D);
        const textPart = inputs.words
          ? drop(textBranch.apply(inputs.words) as Tensor2D, 0)
          : (tf.zeros([batch, config.textFilters]) as Tensor2D);
        const imagePart = inputs.pictures
          ? drop(imageBranch.apply(inputs.pictures) as Tensor2D, 1)
          : (tf.zeros([batch, config.imageUnits]) as Tensor2D);
        const keep = (part: Tensor2D, column: number): Tensor2D =>
          inputs.present ? tf.mul(part, tf.slice(inputs.present, [0, column], [batch, 1])) : part;
        const fusedParts = tf.concat([keep(textPart, 0), keep(imagePart, 1)], 1); // [b, 128]
        const hidden = fusion.apply(fusedParts) as Tensor2D;
        return output.apply(drop(hidden, 2)) as Tensor2D;
      }),
    dispose: () => network.dispose(),
  };
}

/** The variables that training may change when only these modalities have data. The head is always among them. */
export function trainableWeights(mmn: Mmn, modalities: readonly MmnModality[]): Variable[] {
  return mmn.network.layers
    .filter(({ name }) =>
      name.startsWith('text_')
        ? modalities.includes('text')
        : name.startsWith('image_')
          ? modalities.includes('image')
          : true,
    )
    .flatMap((layer) => layer.trainableWeights.map((weight) => weight.read() as Variable));
}

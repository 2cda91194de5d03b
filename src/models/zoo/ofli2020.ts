/** Ofli-2020: a CNN over the words and a frozen picture network, each widened to the same length, joined by three layers. */
import type { LayersModel, SymbolicTensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { MAX_WORDS, WORD_DIMENSIONS } from '../words.ts';
import type { Architecture } from './contract.ts';
import { dropUnits } from './dropout.ts';
import { has } from './presence.ts';
import { chain, joinParts, runNormalised, seededLayers } from './seeded-layers.ts';

export interface OfliConfig {
  /** Words per filter, one convolution each. */
  readonly windows: readonly number[];
  /** Filters of each convolution. */
  readonly filters: number;
  /** Length of each representation. */
  readonly units: number;
  /** Widths of the layers after the fusion. */
  readonly fusionUnits: readonly [number, number];
  /** Shares that are dropped: of the fused representation, after the first and after the second layer. */
  readonly dropout: readonly [number, number, number];
}

/** Keras' default, as in the code. A unit that is hardly ever above zero is not blown up by it, as it would be by torch's 1e-5. */
const KERAS_EPSILON = 1e-3;

export const ofli2020: Architecture<OfliConfig> = {
  name: 'ofli2020',
  source:
    'Ofli, Alam & Imran, Analysis of Social Media Data using Multimodal Deep Learning for Disaster Response (ISCRAM 2020), §4.3, Fig. 4; layers, widths and dropout as in firojalam/multimodal_social_media (text_image_multimodal_combined_vgg16.py, cnn_filter.py kimCNN). Changed: frozen picture features in place of a fine-tuned VGG16, frozen GloVe in place of trained crisis word2vec, 15 words in place of 25.',
  columns: () => ['words', 'imageFeatures', 'present'],
  defaults: {
    windows: [1, 2, 3, 4],
    filters: 300,
    units: 1000,
    fusionUnits: [500, 100],
    dropout: [0.4, 0.2, 0.02],
  },
  build(tf, { windows, filters, units, fusionUnits, dropout }, dims, head, seed) {
    const make = seededLayers(tf, seed);
    // [b, 15, 100] → per window [b, 15 - w + 1, 300] → maximum over time [b, 300]; together [b, 1200]
    const words = tf.input({ name: 'words', shape: [MAX_WORDS, WORD_DIMENSIONS] });
    const found = windows.map(
      (window) =>
        tf.layers
          .globalMaxPooling1d({ name: `text_max${window}` })
          .apply(make.conv1d(`text_conv${window}`, filters, window).apply(words)) as SymbolicTensor,
    );
    const read = tf.model({
      inputs: words,
      outputs: tf.layers.concatenate({ name: 'text_concat' }).apply(found) as SymbolicTensor,
    });

    // [b, 1200] → [b, 1000]
    const understand = chain(
      tf,
      'found',
      [windows.length * filters],
      [make.dense('text_dense', units, 'relu'), make.batchNorm('text_norm', KERAS_EPSILON)],
    );

    // [b, v] → [b, 1000]
    const see = chain(
      tf,
      'features',
      [dims.imageFeatures],
      [make.dense('image_dense', units, 'relu'), make.batchNorm('image_norm', KERAS_EPSILON)],
    );

    // [b, 2000] → dropout → [b, 500] → dropout → [b, 100] → dropout → [b, outputs]
    const [wide, narrow] = fusionUnits;
    const fuse = [
      chain(tf, 'joint', [2 * units], [make.batchNorm('joint_norm', KERAS_EPSILON)]),
      chain(tf, 'fused1', [2 * units], [make.dense('hidden1', wide, 'relu')]),
      chain(tf, 'fused2', [wide], [make.dense('hidden2', narrow, 'relu')]),
    ];
    const judge = chain(tf, 'fused3', [narrow], [make.dense('logit', head.outputs)]);

    const layers = joinParts(tf, 'ofli2020', [read, understand, see, ...fuse, judge]);
    return {
      layers,
      forward: (batch, step) =>
        tf.tidy(() => {
          const run = (part: LayersModel, x: Tensor2D, counted?: Tensor2D): Tensor2D =>
            runNormalised(tf, part, x, counted, step !== undefined);
          const drop = (x: Tensor2D, place: number): Tensor2D =>
            step ? dropUnits(tf, x, dropout[place] as number, step.seed + place) : x;
          const [hasText, hasImage] = [has(tf, batch.present, 'text'), has(tf, batch.present, 'image')];
          const phrases = read.apply(batch.words as Tensor3D) as Tensor2D;
          const texts = tf.mul(run(understand, phrases, hasText), hasText);
          const images = tf.mul(run(see, batch.imageFeatures as Tensor2D, hasImage), hasImage);
          const joint = tf.concat([images, texts], 1) as Tensor2D; // the code puts the picture first
          return judge.apply(fuse.reduce((x, part, i) => drop(run(part, x), i), joint)) as Tensor2D;
        }),
      dispose: () => layers.dispose(),
    };
  },
};

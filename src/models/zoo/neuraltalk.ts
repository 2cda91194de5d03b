/**
 * NeuralTalk: a caption network whose states are read as joint representations of picture and text. The picture is step 0
 * of an LSTM, the words follow; the mean of all outputs is classified.
 */
import type { SymbolicTensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { MAX_WORDS, WORD_DIMENSIONS } from '../words.ts';
import type { Architecture } from './contract.ts';
import { has } from './presence.ts';
import { chain, joinParts, seededLayers } from './seeded-layers.ts';
import { knownWords, maskedMean } from './sequences.ts';

export interface NeuralTalkConfig {
  /** Length of a word, of the picture and of the LSTM's state. */
  readonly units: number;
}

export const neuraltalk: Architecture<NeuralTalkConfig> = {
  name: 'neuraltalk',
  source:
    'Baseline of Fu & Sui, MAFN (PeerJ CS 928, 2022), §Baselines, after Wang et al., EANN (KDD 2018), §4.2, and Vinyals et al., Show and Tell (CVPR 2015): the RNN puts out a joint representation in each step, these are averaged and fed to a fully connected layer. Inferred: the picture comes first and once, padding and unknown words do not count in the mean, relu in the layer before the output, no caption decoder. Frozen GloVe through a dense layer stands for trained word vectors, the class output of the picture encoder for that of VGG19.',
  columns: () => ['words', 'imageLogits', 'present'],
  // MAFN: representations of 32.
  defaults: { units: 32 },
  build(tf, { units }, dims, head, seed) {
    const make = seededLayers(tf, seed);
    // [b, 15, 100] → [b, 15, 32] and [b, l] → [b, 1, 32], together [b, 16, 32] → LSTM → [b, 16, 32]
    const words = tf.input({ name: 'words', shape: [MAX_WORDS, WORD_DIMENSIONS] });
    const picture = tf.input({ name: 'picture', shape: [dims.imageLogits] });
    const first = tf.layers
      .reshape({ name: 'image_step', targetShape: [1, units] })
      .apply(make.dense('image_dense', units).apply(picture)) as SymbolicTensor;
    const next = make.dense('word_dense', units).apply(words) as SymbolicTensor;
    const steps = tf.layers.concatenate({ name: 'steps', axis: 1 }).apply([first, next]);
    const states = make.lstm('lstm', units).apply(steps) as SymbolicTensor;
    const read = tf.model({ inputs: [words, picture], outputs: states });

    // [b, 32] → [b, 32] → [b, outputs]
    const judge = chain(
      tf,
      'mean',
      [units],
      [make.dense('hidden', units, 'relu'), make.dense('logit', head.outputs)],
    );

    const layers = joinParts(tf, 'neuraltalk', [read, judge]);
    return {
      layers,
      forward: (batch) =>
        tf.tidy(() => {
          const image = has(tf, batch.present, 'image');
          const text = tf.mul(
            batch.words as Tensor3D,
            tf.expandDims(has(tf, batch.present, 'text'), 2),
          ) as Tensor3D;
          const seen = tf.mul(batch.imageLogits as Tensor2D, image);
          const outputs = read.apply([text, seen]) as Tensor3D; // [b, 16, 32]
          const counts = tf.concat([image, knownWords(tf, text)], 1) as Tensor2D; // [b, 16]
          return judge.apply(maskedMean(tf, outputs, counts)) as Tensor2D;
        }),
      dispose: () => layers.dispose(),
    };
  },
};

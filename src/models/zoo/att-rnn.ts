/** att-RNN: each word of a post, as an LSTM reads it, chooses which neurons of the picture's representation to look at. */
import type { SymbolicTensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import type { Tf } from '../engine/tf.ts';
import { MAX_WORDS, WORD_DIMENSIONS } from '../words.ts';
import type { Architecture } from './contract.ts';
import { has } from './presence.ts';
import { chain, joinParts, seededLayers } from './seeded-layers.ts';
import { knownWords, maskedMean } from './sequences.ts';

export interface AttRnnConfig {
  /** Length of a word, of the LSTM's state and of the picture's representation. */
  readonly units: number;
  /** Width of the layer between the picture's feature and its representation. */
  readonly imageHidden: number;
}

/**
 * What each word sees of the picture: the mean of the visual neurons, weighted by its attention.
 * @param attention rows sum to one. [b, t, n]
 * @param visual [b, n]
 * @returns [b, t]
 */
export const lookAt = (tf: Tf, attention: Tensor3D, visual: Tensor2D): Tensor2D =>
  tf.sum(tf.mul(attention, tf.expandDims(visual, 1)), 2);

export const attRnn: Architecture<AttRnnConfig> = {
  name: 'att-rnn',
  source:
    'Jin et al., Multimodal Fusion with Recurrent Neural Networks for Rumor Detection on Microblogs (ACM MM 2017), §3.2-3.4, without the social features, as Fu & Sui, MAFN (PeerJ CS 928, 2022), §Baselines, compare it. No public code was found; inferred: relu between the two attention layers of 32, mean of the states beside what the words see, zero for padding and unknown words, so that a post without known words shows nothing of its picture. Frozen GloVe through a dense layer stands for trained word vectors, the class output of the picture encoder for that of VGG19.',
  columns: () => ['words', 'imageLogits', 'present'],
  // Jin et al.: 32-d words and states, picture through 512 to 32.
  defaults: { units: 32, imageHidden: 512 },
  build(tf, { units, imageHidden }, dims, head, seed) {
    const make = seededLayers(tf, seed);
    // [b, 15, 100] → [b, 15, 32] → LSTM → h [b, 15, 32]; a = softmax(W2 relu(W1 h)) [b, 15, 32]
    const words = tf.input({ name: 'words', shape: [MAX_WORDS, WORD_DIMENSIONS] });
    const states = make
      .lstm('lstm', units)
      .apply(make.dense('word_dense', units).apply(words)) as SymbolicTensor;
    const scored = make.dense('attention_hidden', units, 'relu').apply(states);
    const attention = make.dense('attention', units, 'softmax').apply(scored) as SymbolicTensor;
    const read = tf.model({ inputs: words, outputs: [states, attention] });

    // [b, l] → [b, 512] → [b, 32]
    const see = chain(
      tf,
      'picture',
      [dims.imageLogits],
      [make.dense('image_hidden', imageHidden, 'relu'), make.dense('image_dense', units, 'relu')],
    );
    const judge = chain(tf, 'joint', [units + MAX_WORDS], [make.dense('logit', head.outputs)]); // [b, 47] → [b, outputs]

    const layers = joinParts(tf, 'att-rnn', [read, see, judge]);
    return {
      layers,
      forward: (batch) =>
        tf.tidy(() => {
          const known = tf.mul(
            knownWords(tf, batch.words as Tensor3D),
            has(tf, batch.present, 'text'),
          ) as Tensor2D;
          const [hidden, looks] = read.apply(batch.words as Tensor3D) as unknown as [Tensor3D, Tensor3D];
          const seen = tf.mul(
            see.apply(batch.imageLogits as Tensor2D) as Tensor2D,
            has(tf, batch.present, 'image'),
          );
          const perWord = tf.mul(lookAt(tf, looks, seen as Tensor2D), known); // [b, 15]
          return judge.apply(tf.concat([maskedMean(tf, hidden, known), perWord], 1)) as Tensor2D;
        }),
      dispose: () => layers.dispose(),
    };
  },
};

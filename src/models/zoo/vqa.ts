/** VQA: a question-answering network with two answers. Text and picture meet in an elementwise product. */
import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import type { Tf } from '../engine/tf.ts';
import { MAX_WORDS, WORD_DIMENSIONS } from '../words.ts';
import type { Architecture } from './contract.ts';
import { dropUnits } from './dropout.ts';
import { has } from './presence.ts';
import { chain, joinParts, seededLayers } from './seeded-layers.ts';
import { knownWords, lastState } from './sequences.ts';

export interface VqaConfig {
  /** Length of a word, of the LSTM's state and of both representations. */
  readonly units: number;
  /** Share of the fused representation that is dropped while training. */
  readonly dropout: number;
}

/** Each row to length one; a zero row stays zero. [b, n] */
const toUnitLength = (tf: Tf, x: Tensor2D): Tensor2D =>
  tf.div(x, tf.maximum(tf.norm(x, 'euclidean', 1, true), 1e-12));

export const vqa: Architecture<VqaConfig> = {
  name: 'vqa',
  source:
    'Baseline of Fu & Sui, MAFN (PeerJ CS 928, 2022), §Baselines (one LSTM layer of 32, two classes in place of answers), after Antol et al., VQA (ICCV 2015), §4.2: last LSTM state and l2-normalised picture feature, each through a tanh layer, multiplied. Inferred: the last known word gives the last state; a post that lacks text or picture has a zero product, so this network has nothing to say about it but the prior. Frozen GloVe through a dense layer stands for trained word vectors, the class output of the picture encoder for that of VGG19.',
  columns: () => ['words', 'imageLogits', 'present'],
  // MAFN: 32 hidden units. Antol et al.: dropout 0.5 before the output.
  defaults: { units: 32, dropout: 0.5 },
  build(tf, { units, dropout }, dims, head, seed) {
    const make = seededLayers(tf, seed);
    // [b, 15, 100] → [b, 15, 32] → LSTM → [b, 15, 32]
    const read = chain(
      tf,
      'words',
      [MAX_WORDS, WORD_DIMENSIONS],
      [make.dense('word_dense', units), make.lstm('lstm', units)],
    );
    const question = chain(tf, 'last', [units], [make.dense('text_dense', units, 'tanh')]); // [b, 32] → [b, 32]
    const see = chain(tf, 'picture', [dims.imageLogits], [make.dense('image_dense', units, 'tanh')]); // [b, l] → [b, 32]
    const fuse = chain(tf, 'product', [units], [make.dense('fusion', units, 'tanh')]); // [b, 32] → [b, 32]
    const answer = chain(tf, 'fused', [units], [make.dense('logit', head.outputs)]); // [b, 32] → [b, outputs]

    const layers = joinParts(tf, 'vqa', [read, question, see, fuse, answer]);
    return {
      layers,
      forward: (batch, step) =>
        tf.tidy(() => {
          const known = tf.mul(
            knownWords(tf, batch.words as Tensor3D),
            has(tf, batch.present, 'text'),
          ) as Tensor2D;
          const asked = lastState(tf, read.apply(batch.words as Tensor3D) as Tensor3D, known);
          const seen = see.apply(toUnitLength(tf, batch.imageLogits as Tensor2D)) as Tensor2D;
          const met = tf.mul(
            tf.mul(question.apply(asked) as Tensor2D, tf.max(known, 1, true)),
            tf.mul(seen, has(tf, batch.present, 'image')),
          );
          const joint = fuse.apply(met) as Tensor2D;
          return answer.apply(step ? dropUnits(tf, joint, dropout, step.seed) : joint) as Tensor2D;
        }),
      dispose: () => layers.dispose(),
    };
  },
};

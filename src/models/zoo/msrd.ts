/**
 * MSRD: post text, text inside the picture and picture side by side, seen as a Gaussian; a draw from it is classified.
 * No encoder of text in pictures is at hand, so that branch shows zeros and a flag that says so.
 */
import type { SymbolicTensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { MAX_WORDS, WORD_DIMENSIONS } from '../words.ts';
import type { Architecture, Batch } from './contract.ts';
import { divergenceFromStandard, type Gaussian, sample } from './gaussians.ts';
import { has } from './presence.ts';
import { chain, joinParts, seededLayers } from './seeded-layers.ts';
import { knownWords, lastState } from './sequences.ts';

export interface MsrdConfig {
  /** Length of a word, of the LSTM's state and of each part's representation. */
  readonly units: number;
  /** Dimensions of the Gaussian, and width of the layer before it. */
  readonly latent: number;
  /** Weight of the divergence from N(0, 1) beside the cross-entropy. */
  readonly divergenceWeight: number;
}

export const msrd: Architecture<MsrdConfig> = {
  name: 'msrd',
  source:
    'Liu et al., MSRD: Multi-Modal Web Rumor Detection Method (Journal of Computer Research and Development 57(11), 2020), abstract: VGG19 for the picture, DenseNet for text inside it, LSTM for the post, their concatenation as mean and variance of a Gaussian. Only the abstract was read; inferred: all widths, relu, the weight 0.1 of the divergence. Text inside pictures is always shown as absent (zeros and a flag of 0). Frozen GloVe through a dense layer stands for trained word vectors, the class output of the picture encoder for that of VGG19.',
  columns: () => ['words', 'imageLogits', 'present'],
  // 32 as in MAFN's comparison; the rest inferred (models.md §3).
  defaults: { units: 32, latent: 64, divergenceWeight: 0.1 },
  build(tf, { units, latent, divergenceWeight }, dims, head, seed) {
    const make = seededLayers(tf, seed);
    // [b, 15, 100] → [b, 15, 32] → LSTM → [b, 15, 32]
    const read = chain(
      tf,
      'words',
      [MAX_WORDS, WORD_DIMENSIONS],
      [make.dense('word_dense', units), make.lstm('lstm', units)],
    );
    const see = chain(tf, 'picture', [dims.imageLogits], [make.dense('image_dense', units, 'relu')]); // [b, l] → [b, 32]

    // text 32, text in the picture 32 and its flag, picture 32: [b, 97] → [b, 64] → mean [b, 64], log variance [b, 64]
    const joint = tf.input({ name: 'joint', shape: [3 * units + 1] });
    const fused = make.dense('fusion', latent, 'relu').apply(joint);
    const encode = tf.model({
      inputs: joint,
      outputs: [
        make.dense('mean', latent).apply(fused) as SymbolicTensor,
        make.dense('log_variance', latent).apply(fused) as SymbolicTensor,
      ],
    });

    // [b, 64] → [b, 64] → [b, 32] → [b, outputs]
    const judge = chain(
      tf,
      'latent',
      [latent],
      [
        make.dense('hidden1', latent, 'relu'),
        make.dense('hidden2', units, 'relu'),
        make.dense('logit', head.outputs),
      ],
    );

    const gaussianOf = (batch: Batch): Gaussian => {
      const known = tf.mul(
        knownWords(tf, batch.words as Tensor3D),
        has(tf, batch.present, 'text'),
      ) as Tensor2D;
      const text = lastState(tf, read.apply(batch.words as Tensor3D) as Tensor3D, known); // [b, 32]
      const seen = tf.mul(
        see.apply(batch.imageLogits as Tensor2D) as Tensor2D,
        has(tf, batch.present, 'image'),
      );
      const written = tf.zeros([text.shape[0], units + 1]); // no text was read in the picture
      const [mean, logVariance] = encode.apply(tf.concat([text, written, seen], 1)) as unknown as [
        Tensor2D,
        Tensor2D,
      ];
      return { mean, logVariance };
    };
    const layers = joinParts(tf, 'msrd', [read, see, encode, judge]);
    return {
      layers,
      forward: (batch, step) =>
        tf.tidy(() => {
          const gaussian = gaussianOf(batch);
          return judge.apply(step ? sample(tf, gaussian, step.seed) : gaussian.mean) as Tensor2D;
        }),
      auxiliaryLoss: (batch) =>
        tf.tidy(() => tf.mul(divergenceWeight, tf.mean(divergenceFromStandard(tf, gaussianOf(batch))))),
      dispose: () => layers.dispose(),
    };
  },
};

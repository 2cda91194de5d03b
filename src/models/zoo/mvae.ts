/**
 * MVAE: Khattar et al., "MVAE: Multimodal Variational Autoencoder for Fake News Detection" (WWW 2019). Text and picture are
 * encoded into one Gaussian; a decoder must find both again in a sample of it, and a detector judges the same sample.
 */
import type { Scalar, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import type { Tf } from '../engine/tf.ts';
import { MAX_WORDS, WORD_DIMENSIONS } from '../words.ts';
import { seededInitialisers } from './branches.ts';
import type { Architecture, Batch, Dims, Head, Network, Step } from './contract.ts';
import { divergenceFromStandard } from './gaussians.ts';
import { has } from './presence.ts';
import { chain, joinParts } from './seeded-layers.ts';
import { knownWords } from './sequences.ts';

export interface MvaeConfig {
  /** Length of the word vectors that the LSTMs read, units of each LSTM, and length of each representation. */
  readonly units: number;
  /** Width of the picture's first encoder and last decoder layer. */
  readonly imageHidden: number;
  /** Length of the latent vector z. */
  readonly latent: number;
  /** Standard deviation of the noise by which z is sampled. */
  readonly noise: number;
  /** Weights of the parts of the loss beside the detector's cross-entropy. */
  readonly textWeight: number;
  readonly imageWeight: number;
  readonly klWeight: number;
  /** L2 penalty on the weight matrices of the autoencoder, and on those of the detector. */
  readonly penalty: number;
  readonly detectorPenalty: number;
}

export const mvae: Architecture<MvaeConfig> = {
  name: 'mvae',
  source:
    "Khattar et al., WWW 2019, §3, Fig. 2; layers as in dhruvkhattar/MVAE mvae.py. Changed: 15 words in place of 20, frozen GloVe through a dense layer 100 → 32 in place of 32-d word2vec; the decoder gives word vectors (mean squared error) in place of a softmax over all words; the picture encoder's features in place of VGG19's fc7, decoded linearly; smaller L2.",
  columns: () => ['words', 'imageFeatures', 'present'],
  defaults: {
    units: 32,
    imageHidden: 1024,
    latent: 64,
    noise: 0.01,
    textWeight: 1,
    imageWeight: 1,
    klWeight: 1,
    // The code's 0.05 and 0.3 go with its Adam of 1e-5. At the 1e-3 of the others they take every matrix to zero before anything is
    // learned (eight samples: 5 right after 200 steps), so both are a fiftieth.
    penalty: 1e-3,
    detectorPenalty: 6e-3,
  },
  build: buildMvae,
};

type Dense = ReturnType<Tf['layers']['dense']>;

/** μ, log σ² and the sample z. [b, latent] each */
interface Code {
  readonly mu: Tensor2D;
  readonly variance: Tensor2D;
  readonly z: Tensor2D;
}

function buildMvae(tf: Tf, config: MvaeConfig, dims: Dims, head: Head, seed: number): Network {
  const { units, latent } = config;
  let place = 0;
  const init = (): ReturnType<ReturnType<typeof seededInitialisers>> => {
    place += 1;
    return seededInitialisers(tf, seed * 4)(place); // more than 16 places, so that every fourth seed is ours
  };
  const dense = (name: string, size: number, activation: 'tanh' | 'linear' = 'linear'): Dense =>
    tf.layers.dense({ name, units: size, activation, kernelInitializer: init() });
  // Keras' orthogonal start of the recurrent weights needs operations that the wasm backend lacks.
  const lstm = (name: string, returnSequences: boolean): ReturnType<typeof tf.layers.lstm> =>
    tf.layers.lstm({
      name,
      units,
      returnSequences,
      kernelInitializer: init(),
      recurrentInitializer: init(),
    });
  const bidirectional = (name: string, all: boolean): ReturnType<typeof tf.layers.bidirectional> =>
    tf.layers.bidirectional({ name, layer: lstm(`${name}_lstm`, all), mergeMode: 'concat' });

  // §3.1.1: [b, 15, 100] → [b, 15, 32] → [b, 15, 64] → [b, 64] → [b, 32]
  const text = chain(
    tf,
    'words',
    [MAX_WORDS, WORD_DIMENSIONS],
    [
      tf.layers.dense({ name: 'text_embedding', units, useBias: false, kernelInitializer: init() }),
      bidirectional('text_bilstm1', true),
      bidirectional('text_bilstm2', false),
      dense('text_fc', units, 'tanh'),
    ],
  );
  // §3.1.2: [b, v] → [b, 1024] → [b, 32]
  const image = chain(
    tf,
    'imageFeatures',
    [dims.imageFeatures],
    [dense('image_fc1', config.imageHidden, 'tanh'), dense('image_fc2', units, 'tanh')],
  );
  // R_m: [b, 64] → [b, 64]; μ and log σ² of it: [b, 64] each
  const shared = chain(tf, 'both', [2 * units], [dense('shared', 2 * units, 'tanh')]);
  const mean = chain(tf, 'shared_mean', [2 * units], [dense('mean', latent)]);
  const logVariance = chain(tf, 'shared_variance', [2 * units], [dense('log_variance', latent)]);
  // §3.2: z [b, 64] → [b, 32] → [b, 15, 32] → LSTM, LSTM [b, 15, 32] → word vectors [b, 15, 100]
  const textDecoder = chain(
    tf,
    'z_text',
    [latent],
    [
      dense('decoder_text_fc', units, 'tanh'),
      tf.layers.repeatVector({ name: 'decoder_repeat', n: MAX_WORDS }),
      lstm('decoder_lstm1', true),
      lstm('decoder_lstm2', true),
      dense('decoder_words', WORD_DIMENSIONS),
    ],
  );
  // z [b, 64] → [b, 32] → [b, 1024] → features [b, v]
  const imageDecoder = chain(
    tf,
    'z_image',
    [latent],
    [
      dense('decoder_image_fc1', units, 'tanh'),
      dense('decoder_image_fc2', config.imageHidden, 'tanh'),
      dense('decoder_features', dims.imageFeatures),
    ],
  );
  // §3.3: z [b, 64] → [b, 64] → [b, 32] → logits
  const detector = chain(
    tf,
    'z_detector',
    [latent],
    [dense('detector_fc1', 64, 'tanh'), dense('detector_fc2', 32, 'tanh'), dense('logits', head.outputs)],
  );

  /** A missing modality is a zero representation. Without a step z is μ. */
  const encode = (batch: Batch, step?: Step): Code => {
    const read = tf.mul(text.apply(batch.words as Tensor) as Tensor2D, has(tf, batch.present, 'text'));
    const seen = tf.mul(
      image.apply(batch.imageFeatures as Tensor) as Tensor2D,
      has(tf, batch.present, 'image'),
    );
    const both = shared.apply(tf.concat([read, seen], 1)) as Tensor2D;
    const mu = mean.apply(both) as Tensor2D;
    const variance = logVariance.apply(both) as Tensor2D;
    if (!step) return { mu, variance, z: mu };
    const drawn = tf.randomNormal(mu.shape, 0, config.noise, 'float32', step.seed);
    return { mu, variance, z: tf.add(mu, tf.mul(tf.exp(tf.mul(variance, 0.5)), drawn)) };
  };

  /** Mean squared error over the places that count. `counts` broadcasts to the shape of `target`. */
  const meanSquaredError = (guess: Tensor, target: Tensor, counts: Tensor): Scalar => {
    const places = tf.mul(tf.onesLike(target), counts);
    const squares = tf.mul(tf.squaredDifference(guess, target), places);
    return tf.div(tf.sum(squares), tf.maximum(tf.sum(places), 1)) as Scalar;
  };

  const autoencoder = [text, image, shared, mean, logVariance, textDecoder, imageDecoder];
  const layers = joinParts(tf, 'mvae', [...autoencoder, detector]);
  const penaltyOf = (parts: readonly { trainableWeights: typeof layers.trainableWeights }[]): Tensor =>
    tf.addN(
      parts
        .flatMap((part) => part.trainableWeights)
        .filter((weight) => weight.shape.length > 1)
        .map((weight) => tf.sum(tf.square(weight.read()))),
    );

  /** Equations of §3.4: reconstruction of the words that are known and of the picture where there is one, KL to N(0, 1). */
  const decode = (batch: Batch, { mu, variance, z }: Code): Scalar => {
    const words = batch.words as Tensor3D;
    const known = tf.mul(knownWords(tf, words), has(tf, batch.present, 'text')); // [b, 15]
    const ofWords = meanSquaredError(textDecoder.apply(z) as Tensor, words, tf.expandDims(known, 2));
    const ofFeatures = meanSquaredError(
      imageDecoder.apply(z) as Tensor,
      batch.imageFeatures as Tensor,
      has(tf, batch.present, 'image'),
    );
    // Per dimension of z, as in the code: its mean, not its sum.
    const kl = tf.div(tf.mean(divergenceFromStandard(tf, { mean: mu, logVariance: variance })), latent);
    return tf.addN([
      tf.mul(ofWords, config.textWeight),
      tf.mul(ofFeatures, config.imageWeight),
      tf.mul(kl, config.klWeight),
      tf.mul(penaltyOf(autoencoder), config.penalty),
      tf.mul(penaltyOf([detector]), config.detectorPenalty),
    ]) as Scalar;
  };

  return {
    layers,
    forward: (batch, step) => tf.tidy(() => detector.apply(encode(batch, step).z) as Tensor2D),
    auxiliaryLoss: (batch, _labels, step) => tf.tidy(() => decode(batch, encode(batch, step))),
    both(batch, _labels, step) {
      const code = encode(batch, step);
      return { logits: detector.apply(code.z) as Tensor2D, auxiliary: decode(batch, code) };
    },
    dispose: () => layers.dispose(),
  };
}

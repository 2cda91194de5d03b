/**
 * EANN: Wang et al., "EANN: Event Adversarial Neural Networks for Multi-Modal Fake News Detection" (KDD 2018). A Text-CNN and
 * the picture's class output side by side, a detector on top, and an event discriminator behind gradient reversal: what gives
 * the event away is unlearned.
 */
import type { Scalar, SymbolicTensor, Tensor2D } from '@tensorflow/tfjs';
import type { Tf } from '../engine/tf.ts';
import { MAX_WORDS, WORD_DIMENSIONS } from '../words.ts';
import { seededInitialisers } from './branches.ts';
import type { Architecture, Batch, Dims, Head, Network } from './contract.ts';
import { reverseGradient } from './gradient-reversal.ts';
import { has } from './presence.ts';
import { chain, joinParts } from './seeded-layers.ts';

export interface EannConfig {
  /** Length of the word vectors that the convolutions read. */
  readonly wordUnits: number;
  /** Words per filter, one convolution each. */
  readonly windows: readonly number[];
  /** Filters of each of them. */
  readonly filters: number;
  /** Length of each representation, and width of the discriminator. */
  readonly units: number;
  /** λ: how strongly the features are pushed away from the events. */
  readonly reversal: number;
}

export const eann: Architecture<EannConfig> = {
  name: 'eann',
  source:
    'Wang et al., KDD 2018, §3, Fig. 2; layers as in yaqingwang/EANN-KDD18 src/EANN.py. Changed: frozen GloVe through a dense layer 100 → 32 in place of 32-d word2vec that is trained on; imageLogits of the picture encoder at hand in place of VGG19.',
  columns: () => ['words', 'imageLogits', 'present', 'event'],
  // All as in the public code.
  defaults: { wordUnits: 32, windows: [1, 2, 3, 4], filters: 20, units: 32, reversal: 1 },
  build: buildEann,
};

/** Slope of LeakyReLU below zero: torch's default. */
const LEAK = 0.01;

function buildEann(tf: Tf, config: EannConfig, dims: Dims, head: Head, seed: number): Network {
  const { units } = config;
  const init = seededInitialisers(tf, seed);
  const dense = (name: string, size: number, place: number): ReturnType<typeof tf.layers.dense> =>
    tf.layers.dense({ name, units: size, kernelInitializer: init(place) });
  const leaky = (name: string): ReturnType<typeof tf.layers.leakyReLU> =>
    tf.layers.leakyReLU({ name, alpha: LEAK });

  // §3.2: [b, 15, 100] → [b, 15, 32] → for each window w: [b, 16 - w, 20] → maximum over time [b, 20] → side by side [b, 80] → [b, 32]
  const words = tf.input({ name: 'words', shape: [MAX_WORDS, WORD_DIMENSIONS] });
  const embedded = tf.layers
    .dense({ name: 'text_embedding', units: config.wordUnits, useBias: false, kernelInitializer: init(0) })
    .apply(words);
  const found = config.windows.map((window, i) => {
    const convolution = tf.layers.conv1d({
      name: `text_conv${window}`,
      filters: config.filters,
      kernelSize: window,
      kernelInitializer: init(1 + i),
    });
    const active = leaky(`text_conv${window}_leaky`).apply(convolution.apply(embedded));
    return tf.layers.globalMaxPooling1d({ name: `text_max${window}` }).apply(active) as SymbolicTensor;
  });
  const side = tf.layers.concatenate({ name: 'text_concat' }).apply(found);
  const representation = leaky('text_leaky').apply(dense('text_fc', units, 10).apply(side));
  const text = tf.model({ inputs: words, outputs: representation as SymbolicTensor });

  // §3.3: [b, l] → [b, 32]
  const image = chain(
    tf,
    'imageLogits',
    [dims.imageLogits],
    [dense('image_fc', units, 11), leaky('image_leaky')],
  );

  // §3.4: the detector is one layer, [b, 64] → logits. §3.5: the discriminator, [b, 64] → [b, 32] → [b, E]. The public code writes
  // `LeakyReLU(True)` there, a slope of 1; here it leaks as elsewhere.
  const detector = chain(tf, 'features', [2 * units], [dense('logits', head.outputs, 12)]);
  const discriminator = chain(
    tf,
    'reversed_features',
    [2 * units],
    [dense('event_fc', units, 13), leaky('event_leaky'), dense('event_logits', Math.max(1, dims.events), 14)],
  );

  /** R_F = R_T ⊕ R_V; a missing modality is zero. [b, 64] */
  const features = (batch: Batch): Tensor2D =>
    tf.concat(
      [
        tf.mul(text.apply(batch.words as Tensor2D) as Tensor2D, has(tf, batch.present, 'text')),
        tf.mul(image.apply(batch.imageLogits as Tensor2D) as Tensor2D, has(tf, batch.present, 'image')),
      ],
      1,
    );

  const layers = joinParts(tf, 'eann', [text, image, detector, discriminator]);
  /** L_e, equation 8, over the rows whose event is known. The reversal makes the features climb it (equation 10). */
  const eventLoss = (batch: Batch, found: Tensor2D): Scalar => {
    const seen = reverseGradient(tf, found, config.reversal);
    return knownCrossEntropy(tf, discriminator.apply(seen) as Tensor2D, batch.event as Tensor2D);
  };
  return {
    layers,
    forward: (batch) => tf.tidy(() => detector.apply(features(batch)) as Tensor2D),
    auxiliaryLoss: (batch) => tf.tidy(() => eventLoss(batch, features(batch))),
    both(batch) {
      const found = features(batch);
      return { logits: detector.apply(found) as Tensor2D, auxiliary: eventLoss(batch, found) };
    },
    dispose: () => layers.dispose(),
  };
}

/** Mean cross-entropy over the rows whose class is known. logits [b, n], classes [b, 1], −1 unknown */
function knownCrossEntropy(tf: Tf, logits: Tensor2D, classes: Tensor2D): Scalar {
  const [, n] = logits.shape;
  const oneHot = tf.cast(tf.equal(classes, tf.range(0, n)), 'float32'); // [b, n], zero where unknown
  const total = tf.neg(tf.sum(tf.mul(oneHot, tf.logSoftmax(logits))));
  return tf.div(total, tf.maximum(tf.sum(oneHot), 1)) as Scalar;
}

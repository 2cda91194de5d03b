/**
 * MAFN, the multi-modal affine fusion network: "Multi-modal affine fusion network for social media rumor detection"
 * (PeerJ Computer Science 8, 2022, e928). The copy at hand has lost its equations; what stands here was put together from the
 * text around them, from EANN's public code, on which MAFN builds, and from DF-GAN's for the affine fusion. `k` is 32.
 *
 *   tokens [b, t, d]    → text extractor   → R_t [b, k] ┐
 *   entities [b, 16]    → entity extractor → R_e [b, k] ┴ sum → R_u [b, k] ┐
 *   imageLogits [b, l]  → visual extractor → R_v [b, k] ────────────────────┴ affine fuser → R_c ⊕ R_u → detector → logits
 *
 * A missing modality is a zero representation at the fusion (R_u or R_v), and training hides one of some pairs, so that the
 * network knows such posts: as in MMN (decision 10).
 */
import type { layers, SymbolicTensor, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { TocsinError } from '../../base/errors.ts';
import type { Tf } from '../engine/tf.ts';
import { NORM_EPSILON, normalise } from './batch-norm.ts';
import type { Architecture, Batch, Column, Dims, Head, Network } from './contract.ts';
import { dropUnits } from './dropout.ts';
import { has, hideModalities } from './presence.ts';
import { maskedMean } from './sequences.ts';

/** Everything that shapes the network; the ablations of Table 2 are values of it. */
export interface MafnConfig {
  /** Which extractors there are; at least one. The entity branch reads the post's text too. */
  readonly text: boolean;
  readonly entity: boolean;
  readonly image: boolean;
  /** How R_u and R_v meet where there are both: affine fuser, or side by side. */
  readonly fusion: 'affine' | 'concat';
  /** Which side of the affine fuser is the condition → which is scaled and shifted by it. */
  readonly affine: 'text->image' | 'image->text' | 'both';
  /** Self-attention over the tokens, or over one vector that stands for them all. */
  readonly attention: 'token' | 'feature';
  /** How the tokens become one vector: mean of those that are not padding, or the first, BERT's [CLS]. */
  readonly pool: 'mean' | 'cls';
  /** k, the length of every representation. */
  readonly units: number;
  /** Width of the first of the two fully connected layers of the text and the visual extractor. */
  readonly hidden: number;
  /** Share of the visual extractor's hidden units that is dropped while training. */
  readonly dropout: number;
  /** Share of pairs that lose their text, and share that lose their picture, while training. */
  readonly modalityDropout: number;
}

export const MAFN_DEFAULTS: MafnConfig = {
  text: true,
  entity: true,
  image: true,
  fusion: 'affine',
  // The paper "reconnected the fused features with the textual features": with the other direction text would stand there twice.
  affine: 'text->image',
  // "To enable the model to learn the correlation between the current word and the other parts of the sentence."
  attention: 'token',
  pool: 'mean', // inferred: R_t is one vector of length k, the paper does not say how
  units: 32, // "texts and entities were turned into 32-dimensional vectors"
  hidden: 256, // inferred
  dropout: 0.5, // rate inferred
  modalityDropout: 0.25, // MMN's (decision 10); most posts have no picture
};

/** The paper's own setting: it trains and tests on posts with a picture only, so nothing is hidden from the network. */
export const MAFN_PAPER: MafnConfig = { ...MAFN_DEFAULTS, modalityDropout: 0 };

/** Table 2 of the paper; its first row is `MAFN_PAPER`. */
export const MAFN_ABLATIONS: Readonly<
  Record<
    'without-entity' | 'without-affine' | 'without-both' | 'text-only' | 'entity-only' | 'without-image',
    MafnConfig
  >
> = {
  'without-entity': { ...MAFN_PAPER, entity: false },
  'without-affine': { ...MAFN_PAPER, fusion: 'concat' },
  'without-both': { ...MAFN_PAPER, entity: false, fusion: 'concat' },
  'text-only': { ...MAFN_PAPER, entity: false, image: false },
  'entity-only': { ...MAFN_PAPER, text: false, image: false },
  'without-image': { ...MAFN_PAPER, image: false },
};

/** OntoNotes 5's types, the paper's 18 "kinds of identifiable entities". */
export const ENTITY_TAGS = 18;
/** Entities that are read per post. */
export const MAX_ENTITIES = 16;
/** Slope of LeakyReLU below zero: torch's default, which EANN's code has. */
export const LEAK = 0.01;

type Layer = layers.Layer;
type Apply = (x: Tensor) => Tensor;
type Attend = (x: Tensor3D, mask: Tensor2D) => Tensor3D;

export const mafn: Architecture<MafnConfig> = {
  name: 'mafn',
  source:
    'PeerJ CS 8:e928 (2022), Fig. 2 and 3, Tables 1 and 2. Inferred: hidden width, LeakyReLU, scaled one-head attention, pooling, affine direction; entity tags through an embedding of their own instead of BERT; imageLogits of the picture encoder at hand in place of VGG19.',
  columns: (config) => {
    const columns: Column[] = [];
    if (config.text) columns.push('tokens', 'tokenMask');
    if (config.entity) columns.push('entities');
    if (config.image) columns.push('imageLogits');
    return [...columns, 'present'];
  },
  defaults: MAFN_DEFAULTS,
  build: buildMafn,
};

function buildMafn(tf: Tf, config: MafnConfig, dims: Dims, head: Head, seed: number): Network {
  if (!(config.text || config.entity || config.image))
    throw new TocsinError('BAD_USAGE', 'Building mafn: text, entity and image are all off.');
  const { units: k, hidden } = config;
  const inputs: SymbolicTensor[] = [];
  const outputs: SymbolicTensor[] = [];
  let made = 0;
  const glorot = (): ReturnType<typeof tf.initializers.glorotUniform> => {
    made += 1;
    return tf.initializers.glorotUniform({ seed: seed * 64 + made });
  };
  const dense = (name: string, units: number, start: { kernel?: 'zeros'; bias?: 'ones' } = {}): Layer =>
    tf.layers.dense({
      name,
      units,
      kernelInitializer: start.kernel ?? glorot(),
      biasInitializer: start.bias ?? 'zeros',
    });
  const matrix = (name: string, units: number): Layer =>
    tf.layers.dense({ name, units, useBias: false, kernelInitializer: glorot() });
  /** Makes a layer the network's own: [b, …shape] → what the layer makes of it. `forward` connects them. */
  const own = (layer: Layer, ...shape: number[]): Apply => {
    const input = tf.input({ name: `${layer.name}_input`, shape });
    inputs.push(input);
    outputs.push(layer.apply(input) as SymbolicTensor);
    return (x) => layer.apply(x) as Tensor;
  };
  const leaky: Apply = (x) => tf.leakyRelu(x, LEAK);

  /** Residual self-attention (Fig. 3): X + softmax(Q Kᵀ / √k) V, padding seen by none. [b, n, k], [b, n] → [b, n, k] */
  const attention = (name: string, n: number): Attend => {
    const query = own(matrix(`${name}_query`, k), n, k);
    const key = own(matrix(`${name}_key`, k), n, k);
    const value = own(matrix(`${name}_value`, k), n, k);
    return (x, mask) => {
      const scores = tf.mul(tf.matMul(query(x), key(x), false, true), 1 / Math.sqrt(k)); // [b, n, n]
      const hidePadding = tf.mul(tf.expandDims(tf.sub(mask, 1), 1), 1e9); // [b, 1, n]
      return tf.add(x, tf.matMul(tf.softmax(tf.add(scores, hidePadding)), value(x)));
    };
  };

  /**
   * "Extraction of text representation": BERT's S_f [b, t, d] through two fully connected layers, d → 256 → k per token, then
   * residual self-attention. The paper writes Q from R_t and K, V from R_t′: taken as a misprint, all three from R_t′.
   */
  const textExtractor = (): ((batch: Batch) => Tensor2D) => {
    const first = own(dense('text_fc1', hidden), dims.tokens, dims.text);
    const second = own(dense('text_fc2', k), dims.tokens, hidden);
    const reduce = (x: Tensor): Tensor => leaky(second(leaky(first(x)))); // R_t′ [b, t, k]
    const pool = (x: Tensor3D, mask: Tensor2D): Tensor2D =>
      config.pool === 'cls'
        ? tf.reshape(tf.slice(x, [0, 0, 0], [-1, 1, -1]), [-1, x.shape[2]])
        : maskedMean(tf, x, mask);
    if (config.attention === 'feature') {
      // Attention of one vector to itself is 1, so it leaves a linear map: R_t = R_t′ + W_V R_t′.
      const value = own(matrix('text_value', k), 1, k);
      return (batch) => {
        const mask = column(batch, 'tokenMask') as Tensor2D;
        const pooled = pool(column(batch, 'tokens') as Tensor3D, mask); // [b, d]
        const reduced = reduce(tf.expandDims(pooled, 1)); // [b, 1, k]
        return tf.squeeze(tf.add(reduced, value(reduced)), [1]);
      };
    }
    const attend = attention('text', dims.tokens);
    return (batch) => {
      const mask = column(batch, 'tokenMask') as Tensor2D;
      return pool(attend(reduce(column(batch, 'tokens')) as Tensor3D, mask), mask);
    };
  };

  /**
   * "Extraction of entity representation": the tags E_f, k-dimensional each, through residual attention → R_e. A text without an
   * entity is a learned vector. The tags' order, which BERT's positions would carry, is lost in the mean.
   */
  const entityExtractor = (): ((batch: Batch) => Tensor2D) => {
    const embedding = own(matrix('entity_embedding', k), MAX_ENTITIES, ENTITY_TAGS);
    const attend = attention('entity', MAX_ENTITIES);
    const none = own(matrix('entity_none', k), 1);
    return (batch) => {
      const tags = column(batch, 'entities') as Tensor2D;
      const mask = tf.cast(tf.greater(tags, 0), 'float32') as Tensor2D; // [b, 16]
      const oneHot = tf.cast(tf.equal(tf.expandDims(tags, 2), tf.range(1, ENTITY_TAGS + 1)), 'float32'); // [b, 16, 18]
      const pooled = maskedMean(tf, attend(embedding(oneHot) as Tensor3D, mask), mask); // zero where there is none
      const empty = tf.sub(1, tf.max(mask, 1, true)); // [b, 1]
      return tf.add(pooled, none(empty));
    };
  };

  /**
   * "Visual feature extractor": R_v = σ(W₂ drop(σ(norm(W₁ R_vgg + b₁))) + b₂), l → 256 → k: "the batch normalization layer and
   * drop-out layer between the two fully connected layers and the activation function".
   */
  const visualExtractor = (): ((batch: Batch, pictured: Tensor2D, seed: number | undefined) => Tensor2D) => {
    const first = own(dense('image_fc1', hidden), dims.imageLogits);
    const norm = tf.layers.batchNormalization({ name: 'image_norm', epsilon: NORM_EPSILON });
    own(norm, hidden);
    const second = own(dense('image_fc2', k), hidden);
    return (batch, pictured, seed) => {
      const reduced = first(column(batch, 'imageLogits')) as Tensor2D; // [b, 256]
      const active = leaky(normalise(tf, norm, reduced, pictured, seed !== undefined));
      const kept = seed === undefined ? active : dropUnits(tf, active, config.dropout, seed);
      return leaky(second(kept)) as Tensor2D;
    };
  };

  /** F(c) ⊙ x + H(c). F and H are k → k → k, relu between; F starts as 1, H as 0 (DF-GAN's Affine): the result is x. */
  const affine = (name: string): ((condition: Tensor, x: Tensor) => Tensor) => {
    const mlp = (part: string, bias: 'ones' | undefined): Apply => {
      const first = own(dense(`${name}_${part}1`, k), k);
      const second = own(dense(`${name}_${part}2`, k, { kernel: 'zeros', ...(bias ? { bias } : {}) }), k);
      return (x) => second(tf.relu(first(x)));
    };
    const scale = mlp('scale', 'ones');
    const shift = mlp('shift', undefined);
    return (condition, x) => tf.add(tf.mul(scale(condition), x), shift(condition));
  };

  /** "Multi-modal affine fuser": R_s = R_c ⊕ R_u, or R_v ⊕ R_u without it. */
  const fuser = (): ((joint: Tensor2D, visual: Tensor2D) => Tensor2D) => {
    if (config.fusion === 'concat') return (joint, visual) => tf.concat([visual, joint], 1);
    const onImage = config.affine === 'image->text' ? null : affine('affine_image');
    const onText = config.affine === 'text->image' ? null : affine('affine_text');
    return (joint, visual) => {
      const fused: Tensor[] = [];
      if (onImage) fused.push(onImage(joint, visual));
      if (onText) fused.push(onText(visual, joint));
      return tf.concat([...fused, joint], 1) as Tensor2D; // [b, 2k], [b, 3k] in both directions
    };
  };

  const text = config.text ? textExtractor() : null;
  const entity = config.entity ? entityExtractor() : null;
  const image = config.image ? visualExtractor() : null;
  const fuse = (text || entity) && image ? fuser() : null;
  const width = fuse ? k * (config.fusion === 'affine' && config.affine === 'both' ? 3 : 2) : k;
  // "Multiple completely connected layers with softmax": 2k → k → outputs.
  const detectorHidden = own(dense('detector_fc', k), width);
  const detectorOutput = own(dense('detector_logits', head.outputs), k);
  const network = tf.model({ name: 'mafn', inputs, outputs });

  return {
    layers: network,
    forward: (batch, step) =>
      tf.tidy(() => {
        // The normalisation counts every picture, hidden or not.
        const visual = image?.(batch, has(tf, batch.present, 'image'), step && step.seed * 2);
        const present =
          fuse && step && config.modalityDropout > 0
            ? hideModalities(tf, column(batch, 'present'), config.modalityDropout, step.seed * 2 + 1)
            : batch.present;
        const spoken = [text?.(batch), entity?.(batch)].filter((part) => part !== undefined);
        const keep = (part: Tensor2D, modality: 'text' | 'image'): Tensor2D =>
          tf.mul(part, has(tf, present, modality));
        const parts = {
          joint: spoken.length > 0 ? keep(tf.addN(spoken), 'text') : null, // R_u = R_e + R_t
          visual: visual ? keep(visual, 'image') : null, // R_v
        };
        const total =
          fuse && parts.joint && parts.visual
            ? fuse(parts.joint, parts.visual)
            : ((parts.joint ?? parts.visual) as Tensor2D); // R_s
        return detectorOutput(leaky(detectorHidden(total))) as Tensor2D;
      }),
    dispose: () => network.dispose(),
  };
}

function column(batch: Batch, name: Column): Tensor {
  const found = batch[name];
  if (!found) throw new TocsinError('BAD_USAGE', `Running mafn: the batch has no ${name}.`);
  return found;
}

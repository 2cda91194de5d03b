/**
 * MMN, the multi-modal network of Chen et al. (MMAT, SMARTCOMP 2020), §III-A and Fig. 2: a Text-CNN and a Visual-CNN, their
 * 64-d representations side by side, a fully connected layer, the output. What the paper leaves open (the width of the
 * fusion layer, a missing picture) is as reported in docs/decisions/0010-mmn.md.
 */
import type { SymbolicTensor, Tensor, Tensor2D } from '@tensorflow/tfjs';
import type { Tf } from '../engine/tf.ts';
import {
  IMAGE_BRANCH_DEFAULTS,
  type ImageBranchConfig,
  imageBranch,
  seededInitialisers,
  TEXT_BRANCH_DEFAULTS,
  type TextBranchConfig,
  textBranch,
} from './branches.ts';
import type { Architecture, Head, Network } from './contract.ts';
import { dropUnits } from './dropout.ts';
import { hideModalities } from './presence.ts';

/** Everything that shapes the network and what it drops. */
export interface MmnConfig extends TextBranchConfig, ImageBranchConfig {
  /** Width of the layer after the fusion. */
  readonly fusionUnits: number;
  /** Share of each representation and of the fused layer that is dropped while training. */
  readonly dropout: number;
  /** Share of pairs that lose their text, and share that lose their picture, while training. */
  readonly modalityDropout: number;
}

/** The paper's values where it gives them (§IV-B), else models.md §1.2 and decision 10. */
export const MMN_DEFAULTS: MmnConfig = {
  ...TEXT_BRANCH_DEFAULTS,
  ...IMAGE_BRANCH_DEFAULTS,
  fusionUnits: 64,
  dropout: 0.5,
  modalityDropout: 0.25,
};

export const mmn: Architecture<MmnConfig> = {
  name: 'mmn',
  source:
    'Chen et al., MMAT (SMARTCOMP 2020), §III-A, §IV-B, Fig. 2. Inferred: filters, padding, fusion layer, missing modalities (decision 10).',
  columns: () => ['words', 'pixels', 'present'],
  defaults: MMN_DEFAULTS,
  build: (tf, config, _dims, head, seed) => buildMmn(tf, config, head, seed),
};

/**
 * A network with fresh weights. The picture of a text-only post (and the text of a picture-only post) is a zero vector at
 * the fusion; where a whole batch lacks `words` or `pixels`, that branch is never computed. Without `present`, every row
 * has what the batch has.
 */
export function buildMmn(tf: Tf, config: MmnConfig, head: Head, seed: number): Network {
  const init = seededInitialisers(tf, seed);
  const text = textBranch(tf, config, init);
  const image = imageBranch(tf, config, init);

  // Head: [b, 64] and [b, 64] → [b, 128] → [b, 64] → [b, outputs]
  const fusion = tf.layers.dense({
    name: 'fusion',
    units: config.fusionUnits,
    activation: 'relu',
    kernelInitializer: init(4),
  });
  const output = tf.layers.dense({ name: 'logit', units: head.outputs, kernelInitializer: init(5) });
  const fused = tf.layers.concatenate({ name: 'concat' }).apply([text.output, image.output]);
  const logits = output.apply(fusion.apply(fused)) as SymbolicTensor;

  const layers = tf.model({ name: 'mmn', inputs: [text.input, image.input], outputs: logits });
  const textRepresentation = tf.model({ inputs: text.input, outputs: text.output });
  const imageRepresentation = tf.model({ inputs: image.input, outputs: image.output });

  return {
    layers,
    forward: (batch, step) =>
      tf.tidy(() => {
        const rows = (batch.words ?? batch.pixels)?.shape[0] ?? 0;
        const drop = (x: Tensor, place: number): Tensor2D =>
          (step ? dropUnits(tf, x, config.dropout, step.seed * 4 + place) : x) as Tensor2D;
        const textPart = batch.words
          ? drop(textRepresentation.apply(batch.words) as Tensor, 0)
          : (tf.zeros([rows, config.textFilters]) as Tensor2D);
        const imagePart = batch.pixels
          ? drop(imageRepresentation.apply(batch.pixels) as Tensor, 1)
          : (tf.zeros([rows, config.imageUnits]) as Tensor2D);
        const pairs = batch.present && batch.words && batch.pixels;
        const present =
          step && pairs
            ? hideModalities(tf, batch.present, config.modalityDropout, step.seed * 4 + 3)
            : batch.present;
        const shown = (part: Tensor2D, column: number): Tensor2D =>
          present ? tf.mul(part, tf.slice(present, [0, column], [rows, 1])) : part;
        const hidden = fusion.apply(tf.concat([shown(textPart, 0), shown(imagePart, 1)], 1)) as Tensor2D;
        return output.apply(drop(hidden, 2)) as Tensor2D;
      }),
    dispose: () => layers.dispose(),
  };
}

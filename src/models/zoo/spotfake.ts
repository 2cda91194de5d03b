/** SpotFake: features of frozen BERT and VGG19, each narrowed in two layers, side by side, two layers on top. */
import type { LayersModel, Tensor2D } from '@tensorflow/tfjs';
import type { Architecture } from './contract.ts';
import { dropUnits } from './dropout.ts';
import { has } from './presence.ts';
import { chain, joinParts, seededLayers } from './seeded-layers.ts';

export interface SpotFakeConfig {
  /** Width of the first layer of each branch. */
  readonly wide: number;
  /** Length of each representation. */
  readonly units: number;
  /** Width of the layer after the fusion. */
  readonly fusionUnits: number;
  /** Share that is dropped after every hidden layer and after the concatenation. */
  readonly dropout: number;
}

export const spotfake: Architecture<SpotFakeConfig> = {
  name: 'spotfake',
  source:
    "Singhal et al., SpotFake: A Multi-modal Framework for Fake News Detection (BigMM 2019), Fig. 2 and §III; layers as in shiivangii/SpotFake and NPURG/FaKnow. Changed: 256 in place of 2742 for the wide layers, the mean token vector in place of BERT's pooled output, the picture encoder's features in place of VGG19's.",
  columns: () => ['sentence', 'imageFeatures', 'present'],
  // 32, 35 and 0.4 are the paper's.
  defaults: { wide: 256, units: 32, fusionUnits: 35, dropout: 0.4 },
  build(tf, { wide, units, fusionUnits, dropout }, dims, head, seed) {
    const make = seededLayers(tf, seed);
    // Relu layers of these widths, one part each, so that units can be dropped in between.
    const stack = (name: string, widths: readonly number[]): LayersModel[] =>
      widths
        .slice(1)
        .map((out, i) =>
          chain(
            tf,
            `${name}_in${i + 1}`,
            [widths[i] as number],
            [make.dense(`${name}_dense${i + 1}`, out, 'relu')],
          ),
        );
    const text = stack('text', [dims.text, wide, units]); // [b, d] → [b, 256] → [b, 32]
    const image = stack('image', [dims.imageFeatures, wide, units]); // [b, v] → [b, 256] → [b, 32]
    const fusion = stack('fusion', [2 * units, fusionUnits]); // [b, 64] → [b, 35]
    const judge = chain(tf, 'fused', [fusionUnits], [make.dense('logit', head.outputs)]); // [b, 35] → [b, outputs]
    const layers = joinParts(tf, 'spotfake', [...text, ...image, ...fusion, judge]);
    return {
      layers,
      forward: (batch, step) =>
        tf.tidy(() => {
          let place = 0;
          const drop = (x: Tensor2D): Tensor2D => {
            place += 1;
            return step ? dropUnits(tf, x, dropout, step.seed + place) : x;
          };
          const through = (parts: readonly LayersModel[], x: Tensor2D): Tensor2D =>
            parts.reduce((seen, part) => drop(part.apply(seen) as Tensor2D), x);
          const read = tf.mul(through(text, batch.sentence as Tensor2D), has(tf, batch.present, 'text'));
          const seen = tf.mul(
            through(image, batch.imageFeatures as Tensor2D),
            has(tf, batch.present, 'image'),
          );
          return judge.apply(through(fusion, drop(tf.concat([read, seen], 1) as Tensor2D))) as Tensor2D;
        }),
      dispose: () => layers.dispose(),
    };
  },
};

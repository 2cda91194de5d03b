/** How fast an engine runs and trains a network of the zoo: one batch, again and again. */
import type { LayersModel, Scalar, Tensor } from '@tensorflow/tfjs';
import type { Clock } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import type { Tf } from '../models/engine/tf.ts';
import { takeTurns } from '../models/speed/rates.ts';
import { columnShapes } from '../models/zoo/columns.ts';
import {
  type Batch,
  type Column,
  type Dims,
  type Head,
  type Step,
  trainingPass,
} from '../models/zoo/contract.ts';
import { architecture } from '../models/zoo/zoo.ts';
import { crossEntropy } from './objective.ts';

/** Rows of a batch; both papers'. */
export const SPEED_BATCH = 32;
/** MiniLM's tokens and EfficientNet-lite0's outputs, the default encoders; 64 tokens a text. */
const DIMS: Dims = { tokens: 64, text: 384, imageLogits: 1_000, imageFeatures: 1_280, events: 8 };
const HEAD: Head = { kind: 'sigmoid', outputs: 1 };
const STEP: Step = { seed: 1, done: 0, total: 1 };

const SHAPES = columnShapes(DIMS);
/** Whole numbers, and what must be 1 for the network to look. */
const FILLED: Partial<Record<Column, number>> = { tokenMask: 1, entities: 1, present: 1, event: 0 };

export interface NetworkSpeed {
  /** Multiplications and additions of one sample's forward pass, as `megaflopOf` counts them. */
  readonly megaflop: number;
  /** Forward passes without gradients, encoders apart. */
  readonly samplesPerSecond: number;
  /** Forward, backward and Adam for a batch of 32. */
  readonly stepMs: number;
  /** Gradient of the loss with respect to the columns that an attack can move (FGSM's step), for a batch of 32. */
  readonly inputGradientMs: number;
}

/** Measures one row of the zoo with its defaults. The weights are random: speed does not depend on them. */
export async function networkSpeed(
  tf: Tf,
  name: string,
  seconds: number,
  clock: Clock,
): Promise<NetworkSpeed> {
  const row = architecture(name);
  const network = row.build(tf, row.defaults, DIMS, HEAD, 1);
  const random = seededRandom(1);
  const batch: Batch = Object.fromEntries(
    row.columns(row.defaults).map((column) => {
      const shape = [SPEED_BATCH, ...SHAPES[column]];
      const length = shape.reduce((product, side) => product * side, 1);
      return [
        column,
        tf.tensor(
          Float32Array.from({ length }, () => FILLED[column] ?? random()),
          shape,
        ),
      ];
    }),
  );
  const labels = tf.tensor2d(
    Array.from({ length: SPEED_BATCH }, (_, i) => i % 2),
    [SPEED_BATCH, 1],
  );
  const optimiser = tf.train.adam(1e-3);
  const forward = (): unknown => tf.tidy(() => network.forward(batch).dataSync());
  const trainingStep = (): unknown =>
    tf.tidy(() =>
      optimiser
        .minimize(
          () => {
            const { logits, auxiliary } = trainingPass(network, batch, labels, STEP);
            const loss = crossEntropy(tf, HEAD, logits, labels, null);
            return auxiliary ? tf.add(loss, auxiliary) : loss;
          },
          true,
          network.trainable?.(),
        )
        ?.dataSync(),
    );
  // The columns in `FILLED` choose or count; they have no gradient.
  const moved = (Object.keys(batch) as Column[]).filter((column) => FILLED[column] === undefined);
  // Nothing is returned: tidy would look for tensors among the numbers.
  const inputGradient = (): void =>
    tf.tidy(() => {
      const loss = (...inputs: Tensor[]): Scalar => {
        const given = Object.fromEntries(moved.map((column, i) => [column, inputs[i] as Tensor]));
        return crossEntropy(tf, HEAD, network.forward({ ...batch, ...given }), labels, null);
      };
      const inputs = moved.map((column) => batch[column] as Tensor);
      for (const gradient of tf.grads(loss)(inputs)) gradient.dataSync();
    });
  try {
    const [[forwards], [steps], [gradients]] = (await takeTurns(
      [
        { samples: SPEED_BATCH, step: forward },
        { samples: 1, step: trainingStep },
        { samples: 1, step: inputGradient },
      ],
      1,
      seconds,
      clock,
    )) as [[number], [number], [number]];
    return {
      megaflop: megaflopOf(network.layers),
      samplesPerSecond: forwards,
      stepMs: 1_000 / steps,
      inputGradientMs: 1_000 / gradients,
    };
  } finally {
    optimiser.dispose();
    tf.dispose([labels, ...Object.values(batch)] as Tensor[]);
    network.dispose();
  }
}

/**
 * Two for each weight of a matrix or filter and each place where it is applied. Left out because small: biases, activations,
 * pooling, products between activations (attention).
 */
export const megaflopOf = (layers: LayersModel): number =>
  layers.layers
    .flatMap((layer) =>
      layer.weights
        .filter(({ shape }) => shape.length > 1)
        .map(({ shape }) => {
          const weights = (shape as number[]).reduce((product, side) => product * side, 1);
          const places = (layer.outputShape as number[])
            .slice(1, -1)
            .reduce((product, side) => product * side, 1);
          return 2 * weights * places;
        }),
    )
    .reduce((sum, flop) => sum + flop, 0) / 1e6;

/** tfjs layers with seeded initialisers, and networks put together from parts. */
import type { LayersModel, layers, SymbolicTensor, Tensor2D } from '@tensorflow/tfjs';
import type { Tf } from '../engine/tf.ts';
import { NORM_EPSILON, normalise } from './batch-norm.ts';

type Layer = layers.Layer;
type Activation = 'relu' | 'tanh' | 'sigmoid' | 'softmax';

export interface SeededLayers {
  /** [b, …, n] → [b, …, units]; linear without an activation. */
  dense(name: string, units: number, activation?: Activation): Layer;
  /** [b, t, n] → [b, t - window + 1, filters], relu, no padding. */
  conv1d(name: string, filters: number, window: number): Layer;
  /** [b, t, n] → all states [b, t, units]. */
  lstm(name: string, units: number): Layer;
  /** To be run by `runNormalised`. */
  batchNorm(name: string, epsilon?: number): Layer;
  /** Parameterless relu, for after a normalisation. */
  relu(name: string): Layer;
}

/** The n-th layer made from the same seed starts with the same weights. */
export function seededLayers(tf: Tf, seed: number): SeededLayers {
  let made = 0;
  const glorot = (): ReturnType<typeof tf.initializers.glorotUniform> => {
    made += 1;
    return tf.initializers.glorotUniform({ seed: seed * 64 + made });
  };
  return {
    dense: (name, units, activation) =>
      tf.layers.dense({ name, units, kernelInitializer: glorot(), ...(activation ? { activation } : {}) }),
    conv1d: (name, filters, window) =>
      tf.layers.conv1d({
        name,
        filters,
        kernelSize: window,
        activation: 'relu',
        kernelInitializer: glorot(),
      }),
    // Keras' orthogonal start of the recurrent weights needs operations that the wasm backend lacks.
    lstm: (name, units) =>
      tf.layers.lstm({
        name,
        units,
        returnSequences: true,
        kernelInitializer: glorot(),
        recurrentInitializer: glorot(),
      }),
    batchNorm: (name, epsilon = NORM_EPSILON) => tf.layers.batchNormalization({ name, epsilon }),
    relu: (name) => tf.layers.activation({ name, activation: 'relu' }),
  };
}

/** A part that passes its input of `shape` (without the batch) through layers, one after the other. */
export function chain(tf: Tf, name: string, shape: readonly number[], steps: readonly Layer[]): LayersModel {
  const input = tf.input({ name, shape: [...shape] });
  const output = steps.reduce((x, layer) => layer.apply(x) as SymbolicTensor, input);
  return tf.model({ inputs: input, outputs: output });
}

/**
 * Runs a chain over vectors, its normalisations by the rows that count.
 * @param counted 1 for a row that has something to normalise. [b, 1]
 */
export const runNormalised = (
  tf: Tf,
  part: LayersModel,
  x: Tensor2D,
  counted: Tensor2D | undefined,
  training: boolean,
): Tensor2D =>
  part.layers
    .slice(1) // the first is the input
    .reduce(
      (seen, layer) =>
        layer.getClassName() === 'BatchNormalization'
          ? normalise(tf, layer, seen, counted, training)
          : (layer.apply(seen) as Tensor2D),
      x,
    );

/** One network that owns the weights of all parts: what is saved. What happens between the parts is up to `forward`. */
export const joinParts = (tf: Tf, name: string, parts: readonly LayersModel[]): LayersModel =>
  tf.model({
    name,
    inputs: parts.flatMap((part) => part.inputs),
    outputs: parts.flatMap((part) => part.outputs),
  });

/** A network between two points of its training. */
import type { Variable } from '@tensorflow/tfjs';
import type { Tf } from '../models/engine/tf.ts';
import type { Network } from '../models/zoo/contract.ts';

/** Copies of all weights of a network, in the order of `layers.weights`. */
export type Weights = readonly Float32Array[];

export const weightsOf = ({ layers }: Network): Weights =>
  layers.weights.map((weight) => weight.read().dataSync().slice() as Float32Array);

/** Gives the network `share` of the weights `after` and the rest of `before` (WiSE-FT, Wortsman et al. 2022, eq. 1). */
export function mixWeights(tf: Tf, network: Network, before: Weights, after: Weights, share: number): void {
  tf.tidy(() => {
    network.layers.weights.forEach((weight, i) => {
      const variable = weight.read() as Variable;
      const from = before[i] as Float32Array;
      const mixed = (after[i] as Float32Array).map(
        (value, k) => share * value + (1 - share) * (from[k] as number),
      );
      variable.assign(tf.tensor(mixed, variable.shape));
    });
  });
}

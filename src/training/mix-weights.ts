/** A network between two points of its training. */
import type { Variable } from '@tensorflow/tfjs';
import type { Tf } from '../models/engine/tf.ts';
import type { Network } from '../models/zoo/contract.ts';

/** Copies of all its weights, in the order of `layers.weights`. */
export const weightsOf = ({ layers }: Network): Float32Array[] =>
  layers.weights.map((weight) => weight.read().dataSync().slice() as Float32Array);

/**
 * Leaves the network between its weights `before` and those that it has now, as near to the latter in tenths as `fits` allows
 * (WiSE-FT, Wortsman et al. 2022): what robustness costs too much is given back. At least a tenth stays. Returns the share of
 * the new weights.
 */
export function mixWeights(
  tf: Tf,
  network: Network,
  before: readonly Float32Array[],
  fits: () => boolean,
): number {
  const after = weightsOf(network);
  for (let tenths = 10; ; tenths -= 1) {
    const share = tenths / 10;
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
    if (tenths === 1 || fits()) return share;
  }
}

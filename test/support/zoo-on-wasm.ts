/** One architecture of the zoo on wasm with tiny columns; a test that leaves a tensor behind fails. */
import type { Tf } from '../../src/models/engine/tf.ts';
import type { Architecture, Batch, Network } from '../../src/models/zoo/contract.ts';
import { onEngine } from './tensor-check.ts';
import { TINY_DIMS, tinyBatch } from './tiny-encoder.ts';

export interface ZooOnWasm {
  /** Open from the first test on. */
  readonly tf: Tf;
  /** Builds with one sigmoid output, hands over the network and eight rows inside a tidy, disposes of both. */
  using<Config extends object>(
    row: Architecture<Config>,
    work: (network: Network, batch: Batch) => void,
  ): void;
  /** Of a training pass where there is a seed. */
  logits(network: Network, batch: Batch, seed?: number): number[];
}

/** To be called at the top of a test file. */
export function zooOnWasm(): ZooOnWasm {
  let tf: Tf;
  onEngine((opened) => {
    tf = opened;
  });
  return {
    get tf() {
      return tf;
    },
    using(row, work) {
      const network = row.build(tf, row.defaults, TINY_DIMS, { kind: 'sigmoid', outputs: 1 }, 3);
      try {
        tf.tidy(() => {
          work(network, tinyBatch(tf, row.columns(row.defaults), 8));
        });
      } finally {
        network.dispose();
      }
    },
    logits: (network, batch, seed) =>
      Array.from(
        network.forward(batch, seed === undefined ? undefined : { seed, done: 0, total: 1 }).dataSync(),
      ),
  };
}

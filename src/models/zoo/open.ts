/** A network from its artefact. */
import { ARTEFACT_FILES, type Artefact } from '../artefact.ts';
import type { Tf } from '../engine/tf.ts';
import { setWeights } from '../network-files.ts';
import type { Architecture, Network } from './contract.ts';
import { architecture } from './zoo.ts';

export interface OpenedNetwork {
  readonly network: Network;
  readonly architecture: Architecture;
  readonly config: object;
}

/** Builds the network of a manifest and gives it its weights. Throws MODEL_INVALID when they do not fit. */
export function openNetwork(tf: Tf, artefact: Artefact): OpenedNetwork {
  const { name, config, dims, head } = artefact.manifest.architecture;
  const row = architecture(name);
  const network = row.build(tf, config, dims, head, 0);
  try {
    setWeights(tf, network.layers, {
      json: Buffer.from(artefact.bytes(ARTEFACT_FILES.network)).toString('utf8'),
      weights: artefact.bytes(ARTEFACT_FILES.weights),
    });
  } catch (thrown) {
    network.dispose();
    throw thrown;
  }
  return { network, architecture: row, config };
}

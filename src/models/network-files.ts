/** A tfjs network ↔ the two files (model.json, weights.bin) that every tfjs can read. */
import type { io, LayersModel, NamedTensorMap } from '@tensorflow/tfjs';
import { TocsinError } from '../base/errors.ts';
import type { Tf } from './engine/tf.ts';

export interface NetworkFiles {
  /** Topology and the list of weights. */
  readonly json: string;
  /** Weights, float32 little-endian, in the order of the list. */
  readonly weights: Uint8Array;
}

/** The files of a network. */
export async function saveNetwork(tf: Tf, network: LayersModel): Promise<NetworkFiles> {
  const saved: io.ModelArtifacts[] = [];
  await network.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved.push(artifacts);
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  const { modelTopology, weightSpecs, weightData, format, generatedBy } = saved[0] as io.ModelArtifacts;
  const json = {
    format,
    generatedBy,
    convertedBy: null,
    modelTopology,
    weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }],
  };
  return { json: `${JSON.stringify(json)}\n`, weights: new Uint8Array(weightData as ArrayBuffer) };
}

/** The network of the files. Throws MODEL_INVALID when they do not belong together. */
export async function loadNetwork(
  tf: Tf,
  files: { json: string; weights: Uint8Array },
): Promise<LayersModel> {
  try {
    const { modelTopology, weightsManifest } = JSON.parse(files.json) as {
      modelTopology: object;
      weightsManifest: io.WeightsManifestConfig;
    };
    const weightSpecs = weightsManifest.flatMap((group) => group.weights);
    return await tf.loadLayersModel(
      tf.io.fromMemory({ modelTopology, weightSpecs, weightData: files.weights.slice().buffer }),
    );
  } catch (cause) {
    throw new TocsinError('MODEL_INVALID', 'Reading a network from its files', { cause });
  }
}

/**
 * Gives a network the weights of the files, by order: the network is built again by its architecture, so custom layers
 * need no registration. Throws MODEL_INVALID when the files are another network's.
 */
export function setWeights(tf: Tf, network: LayersModel, files: { json: string; weights: Uint8Array }): void {
  let named: NamedTensorMap = {};
  try {
    const { weightsManifest } = JSON.parse(files.json) as { weightsManifest: io.WeightsManifestConfig };
    const specs = weightsManifest.flatMap((group) => group.weights);
    named = tf.io.decodeWeights(files.weights.slice().buffer, specs);
    network.setWeights(specs.map(({ name }) => named[name] as NamedTensorMap[string]));
  } catch (cause) {
    throw new TocsinError('MODEL_INVALID', 'Giving a network the weights of its files', { cause });
  } finally {
    tf.dispose(named);
  }
}

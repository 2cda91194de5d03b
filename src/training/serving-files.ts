/** What an artefact needs beside its network to be served: graphs for ONNX Runtime and a golden batch. */
import { ARTEFACT_FILES } from '../models/artefact.ts';
import type { Tf } from '../models/engine/tf.ts';
import { encodeGolden } from '../models/golden.ts';
import { encodeRumourGolden } from '../models/golden-rumour.ts';
import { exportMmn } from '../models/onnx-export.ts';
import type { Dims, Network } from '../models/zoo/contract.ts';
import type { MafnConfig } from '../models/zoo/mafn.ts';
import { exportMafn } from '../models/zoo/mafn-onnx.ts';
import type { MmnConfig } from '../models/zoo/mmn.ts';
import type { Encoders } from './encoders.ts';
import type { Model } from './fit-network.ts';
import { makeGolden } from './golden-batch.ts';
import { makeRumourGolden } from './golden-rumour.ts';

type Files = Readonly<Record<string, Uint8Array | string>>;
/** A network as it was trained. */
export interface Trained {
  readonly network: Network;
  readonly model: Model;
  readonly dims: Dims;
  readonly encoders: Encoders;
}

type MakeFiles = (tf: Tf, trained: Trained) => Files | Promise<Files>;

/** The architectures that are served. All others are artefacts to train, judge and compare. */
const SERVED: Readonly<Record<string, MakeFiles>> = {
  mmn: (tf, { network, model, encoders }) => {
    const onnx = exportMmn(tf, network, model.config as MmnConfig);
    return {
      [ARTEFACT_FILES.text]: onnx.text,
      [ARTEFACT_FILES.joint]: onnx.joint,
      [ARTEFACT_FILES.golden]: encodeGolden(
        makeGolden(tf, network, encoders.vocabulary, encoders.wordVectors),
      ),
    };
  },
  mafn: async (tf, { network, model, dims, encoders }) => {
    const config = model.config as MafnConfig;
    // Ablations are compared, not served.
    if (!(config.text && config.image)) return {};
    return {
      [ARTEFACT_FILES.rumour]: exportMafn(tf, network.layers, config, dims),
      [ARTEFACT_FILES.golden]: encodeRumourGolden(await makeRumourGolden(tf, network, model, dims, encoders)),
    };
  },
};

/** None for an architecture that is not served. */
export async function servingFiles(tf: Tf, trained: Trained): Promise<Files> {
  return (await SERVED[trained.model.architecture.name]?.(tf, trained)) ?? {};
}

/** What an artefact needs beside its network to be served: graphs for ONNX Runtime and a golden batch. */
import { ARTEFACT_FILES } from '../models/artefact.ts';
import type { Tf } from '../models/engine/tf.ts';
import { encodeGolden } from '../models/golden.ts';
import { exportMmn } from '../models/onnx-export.ts';
import type { Network } from '../models/zoo/contract.ts';
import type { MmnConfig } from '../models/zoo/mmn.ts';
import type { Encoders } from './encoders.ts';
import type { Model } from './fit.ts';
import { makeGolden } from './golden-batch.ts';

type Files = Readonly<Record<string, Uint8Array | string>>;
type MakeFiles = (tf: Tf, network: Network, model: Model, encoders: Encoders) => Files;

/** The architectures that are served. All others are artefacts to train, judge and compare. */
const SERVED: Readonly<Record<string, MakeFiles>> = {
  mmn: (tf, network, { config }, { vocabulary, wordVectors }) => {
    const onnx = exportMmn(tf, network, config as MmnConfig);
    return {
      [ARTEFACT_FILES.text]: onnx.text,
      [ARTEFACT_FILES.joint]: onnx.joint,
      [ARTEFACT_FILES.golden]: encodeGolden(makeGolden(tf, network, vocabulary, wordVectors)),
    };
  },
};

/** None for an architecture that is not served. */
export function servingFiles(tf: Tf, network: Network, model: Model, encoders: Encoders): Files {
  return SERVED[model.architecture.name]?.(tf, network, model, encoders) ?? {};
}

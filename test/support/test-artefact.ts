/** Small artefacts for tests: real files and hashes around a network with fresh weights. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ARTEFACT_FILES, type Artefact, encodeManifest } from '../../src/models/artefact.ts';
import type { Tf } from '../../src/models/engine/tf.ts';
import { encodeGolden } from '../../src/models/golden.ts';
import type { Json, Manifest, Metrics, Training } from '../../src/models/manifest.ts';
import { saveNetwork } from '../../src/models/network-files.ts';
import { exportMmn } from '../../src/models/onnx-export.ts';
import { loadVocabulary, loadWordVectors } from '../../src/models/words.ts';
import type { Network } from '../../src/models/zoo/contract.ts';
import { MMN_DEFAULTS } from '../../src/models/zoo/mmn.ts';
import { writeArtefact } from '../../src/registry/artefact.ts';
import { makeGolden } from '../../src/training/golden-batch.ts';

const NONE = '0'.repeat(64);
const figure = { value: 0.5, interval: [0, 1] } as const;
const METRICS: Metrics = {
  n: 0,
  positives: 0,
  accuracy: figure,
  balancedAccuracy: figure,
  macroF1: figure,
  auroc: figure,
  ece: 0,
  confusion: { tp: 0, fp: 0, fn: 0, tn: 0 },
};
const CALIBRATION = { scale: 1.5, bias: -0.25 };

/** Writes `mmn`, built with its defaults, as an artefact. `golden` is another network to take the golden logits from. */
export async function writeTestArtefact(
  tf: Tf,
  mmn: Network,
  dir: string,
  options: { readonly image: Training; readonly golden?: Network },
): Promise<Artefact> {
  const vocabulary = loadVocabulary();
  const network = await saveNetwork(tf, mmn.layers);
  const onnx = exportMmn(tf, mmn, MMN_DEFAULTS);
  const trained = options.image === 'trained' ? CALIBRATION : null;
  return writeArtefact(
    dir,
    {
      [ARTEFACT_FILES.network]: network.json,
      [ARTEFACT_FILES.weights]: network.weights,
      [ARTEFACT_FILES.text]: onnx.text,
      [ARTEFACT_FILES.joint]: onnx.joint,
      [ARTEFACT_FILES.golden]: encodeGolden(
        makeGolden(tf, options.golden ?? mmn, vocabulary, loadWordVectors()),
      ),
    },
    {
      format: 2,
      name: 'test-mmn',
      version: 'test-1',
      task: 'informative',
      architecture: {
        name: 'mmn',
        config: { ...MMN_DEFAULTS } as unknown as Record<string, Json>,
        head: { kind: 'sigmoid', outputs: 1 },
        dims: { tokens: 0, text: 0, imageLogits: 0, imageFeatures: 0, events: 0 },
      },
      encoders: [],
      modalities: { text: 'trained', image: options.image },
      words: { id: vocabulary.id, size: vocabulary.size },
      normaliser: 'test',
      calibration: { text: CALIBRATION, image: trained, both: trained },
      thresholds: { name: 'test', yes: 0.6, no: 0.4 },
      data: { name: 'none', licence: 'none', examples: 0, sha256: NONE },
      split: { protocol: 'none', seed: 0, sha256: NONE, train: 0, dev: 0, test: 0 },
      training: { seed: 0, engine: 'none', epochs: 0, bestEpoch: 0, options: {} },
      codeVersion: '0.0.0',
      metrics: { dev: METRICS, test: METRICS },
    },
  );
}

/** Changes a manifest on disk and gives it the digest that goes with the change. */
export async function rewriteManifest(dir: string, edit: (manifest: Manifest) => Manifest): Promise<void> {
  const path = join(dir, ARTEFACT_FILES.manifest);
  const { manifest } = JSON.parse(await readFile(path, 'utf8')) as { manifest: Manifest };
  await writeFile(path, encodeManifest(edit(manifest)));
}

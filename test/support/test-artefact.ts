/** Small artefacts for tests: real files and hashes around a network with fresh weights. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ARTEFACT_FILES, type Artefact, encodeManifest } from '../../src/models/artefact.ts';
import type { Tf } from '../../src/models/engine/tf.ts';
import { encodeGolden } from '../../src/models/golden.ts';
import type { Json, Manifest, Metrics, Training } from '../../src/models/manifest.ts';
import { saveNetwork } from '../../src/models/network-files.ts';
import { exportMmn } from '../../src/models/onnx-export.ts';
import type { Reading } from '../../src/models/port.ts';
import { loadVocabulary, loadWordVectors } from '../../src/models/words.ts';
import type { Architecture, Head, Network } from '../../src/models/zoo/contract.ts';
import { MAFN_DEFAULTS, mafn } from '../../src/models/zoo/mafn.ts';
import { MMN_DEFAULTS } from '../../src/models/zoo/mmn.ts';
import { writeArtefact } from '../../src/registry/artefact.ts';
import { dimsOf, type Encoders, encodersOf } from '../../src/training/encoders.ts';
import { makeGolden } from '../../src/training/golden-batch.ts';
import { servingFiles, type Trained } from '../../src/training/serving-files.ts';

const NONE = '0'.repeat(64);
const figure = { value: 0.5, interval: [0, 1] } as const;
export const METRICS: Metrics = {
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

/** What a test does not look at. */
const UNMEASURED = {
  normaliser: 'test',
  thresholds: { name: 'test', yes: 0.6, no: 0.4 },
  data: { name: 'none', licence: 'none', examples: 0, sha256: NONE },
  split: { protocol: 'none', seed: 0, sha256: NONE, train: 0, dev: 0, test: 0 },
  training: { seed: 0, engine: 'none', epochs: 0, bestEpoch: 0, options: {} },
  codeVersion: '0.0.0',
  metrics: { dev: METRICS, test: METRICS },
} as const;

/** Writes `mmn`, built with its defaults, as an artefact. */
export async function writeTestArtefact(
  tf: Tf,
  mmn: Network,
  dir: string,
  options: {
    readonly image: Training;
    /** Another network to take the golden logits from. */
    readonly golden?: Network;
    readonly head?: Head;
    readonly reading?: Reading;
    /** What the manifest says otherwise. */
    readonly manifest?: (manifest: Manifest) => Manifest;
  },
): Promise<Artefact> {
  const vocabulary = loadVocabulary(options.reading);
  const network = await saveNetwork(tf, mmn.layers);
  const onnx = exportMmn(tf, mmn, MMN_DEFAULTS);
  const trained = options.image === 'trained' ? CALIBRATION : null;
  const manifest: Manifest = {
    ...UNMEASURED,
    format: 2,
    name: 'test-mmn',
    version: 'test-1',
    task: 'informative',
    architecture: {
      name: 'mmn',
      config: { ...MMN_DEFAULTS } as unknown as Record<string, Json>,
      head: options.head ?? { kind: 'sigmoid', outputs: 1 },
      dims: { tokens: 0, text: 0, imageLogits: 0, imageFeatures: 0, events: 0 },
    },
    encoders: [],
    modalities: { text: 'trained', image: options.image },
    words: { id: vocabulary.id, size: vocabulary.size },
    calibration: { text: CALIBRATION, image: trained, both: trained },
    files: {},
  };
  return writeArtefact(
    dir,
    {
      [ARTEFACT_FILES.network]: network.json,
      [ARTEFACT_FILES.weights]: network.weights,
      [ARTEFACT_FILES.text]: onnx.text,
      [ARTEFACT_FILES.joint]: onnx.joint,
      [ARTEFACT_FILES.golden]: encodeGolden(
        makeGolden(tf, options.golden ?? mmn, vocabulary, loadWordVectors(options.reading)),
      ),
    },
    options.manifest?.(manifest) ?? manifest,
  );
}

const HEAD = { kind: 'softmax', outputs: 2 } as const;

/** MAFN with fresh weights over these encoders, both of which must be open. */
export function buildTestMafn(tf: Tf, encoders: Encoders, seed: number): Network {
  return mafn.build(tf, MAFN_DEFAULTS, dimsOf(encoders, 0), HEAD, seed);
}

/** Writes MAFN as an artefact. `golden` is another network to take the golden margins from. */
export async function writeTestRumourArtefact(
  tf: Tf,
  network: Network,
  encoders: Encoders,
  dir: string,
  options: { readonly image: Training; readonly golden?: Network } = { image: 'trained' },
): Promise<Artefact> {
  const dims = dimsOf(encoders, 0);
  const model = { architecture: mafn as unknown as Architecture, config: MAFN_DEFAULTS, head: HEAD };
  const saved = await saveNetwork(tf, network.layers);
  const trained = options.image === 'trained' ? CALIBRATION : null;
  return writeArtefact(
    dir,
    {
      [ARTEFACT_FILES.network]: saved.json,
      [ARTEFACT_FILES.weights]: saved.weights,
      ...(await servingFiles(tf, { network, model, dims, encoders })),
      ...(options.golden ? await goldenOf(tf, { network: options.golden, model, dims, encoders }) : {}),
    },
    {
      ...UNMEASURED,
      format: 2,
      name: 'test-mafn',
      version: 'test-1',
      task: 'rumour',
      architecture: {
        name: 'mafn',
        config: { ...MAFN_DEFAULTS } as unknown as Record<string, Json>,
        head: HEAD,
        dims,
      },
      encoders: encodersOf(encoders),
      modalities: { text: 'trained', image: options.image },
      words: null,
      calibration: { text: CALIBRATION, image: trained, both: trained },
    },
  );
}

async function goldenOf(tf: Tf, trained: Trained): Promise<Record<string, Uint8Array | string>> {
  const { [ARTEFACT_FILES.golden]: golden } = await servingFiles(tf, trained);
  return { [ARTEFACT_FILES.golden]: golden as string };
}

/** Changes a manifest on disk and gives it the digest that goes with the change. */
export async function rewriteManifest(dir: string, edit: (manifest: Manifest) => Manifest): Promise<void> {
  const path = join(dir, ARTEFACT_FILES.manifest);
  const { manifest } = JSON.parse(await readFile(path, 'utf8')) as { manifest: Manifest };
  await writeFile(path, encodeManifest(edit(manifest)));
}

/** From labelled posts to an artefact: split, fit, judge, export, write. */
import { ARTEFACT_FILES, type Artefact, sha256Of } from '../models/artefact.ts';
import { describeEngine } from '../models/engine/engine.ts';
import type { Tf } from '../models/engine/tf.ts';
import { encodeGolden } from '../models/golden.ts';
import type { Json, Manifest } from '../models/manifest.ts';
import { saveNetwork } from '../models/network-files.ts';
import { exportMmn } from '../models/onnx-export.ts';
import { loadVocabulary, loadWordVectors } from '../models/words.ts';
import { MMN_DEFAULTS } from '../models/zoo/mmn.ts';
import { NORMALISER_VERSION } from '../normalise/text.ts';
import { refuseExisting, writeArtefact } from '../registry/artefact.ts';
import { writeCard } from './card.ts';
import { type EpochReport, openCheckpoints } from './checkpoint.ts';
import type { Dataset } from './dataset.ts';
import { answersOf, bySubgroup, type Evaluation } from './evaluation.ts';
import { type Comparison, type Fitted, fitMmn } from './fit.ts';
import { makeGolden } from './golden-batch.ts';
import { chooseThresholds, measure } from './measure.ts';
import { encodeSplit, type Split, splitByEvent, splitGrouped } from './splits.ts';
import { TRAINING_DEFAULTS, type TrainingOptions } from './train.ts';

/** Share of `yes` and of `no` answers on dev that must be right. */
const ANSWER_TARGET = 0.85;

export interface BuildOptions {
  readonly data: Dataset;
  readonly seed: number;
  /** The artefact's folder; must not exist or be empty. Checkpoints lie beside it until all is done. */
  readonly out: string;
  /** Events for which a further model is trained without them, for the card. */
  readonly leaveOut: readonly string[];
  readonly maxEpochs?: number;
  readonly codeVersion: string;
  /** Called after each epoch; `run` names the split. */
  readonly report: (run: string, epoch: EpochReport) => void;
}

/** Trains and writes an informative-or-not MMN. Continues where a killed run stopped. */
export async function buildMmnArtefact(tf: Tf, build: BuildOptions): Promise<Artefact> {
  const { data, seed, out } = build;
  await refuseExisting(out);
  const vocabulary = loadVocabulary();
  const encoders = { vocabulary, wordVectors: loadWordVectors() };
  const options: TrainingOptions = {
    ...TRAINING_DEFAULTS,
    seed,
    ...(build.maxEpochs === undefined ? {} : { maxEpochs: build.maxEpochs }),
  };
  const checkpointDir = `${out}.checkpoints`;
  const fitOn = (split: Split): Promise<Fitted> => {
    const run = { split: encodeSplit(split).sha256, options, words: vocabulary.id };
    return fitMmn(
      {
        tf,
        encoders,
        checkpoints: openCheckpoints(
          `${checkpointDir}/${split.protocol.replace(/[^A-Za-z0-9_-]/g, '_')}`,
          run,
        ),
        report: (epoch) => build.report(split.protocol, epoch),
      },
      data,
      split,
      options,
    );
  };

  const split = splitGrouped(data, seed);
  const fitted = await fitOn(split);
  const { network: mmn, calibration, dev, test } = fitted;
  try {
    const leftOut: Record<string, Comparison> = {};
    for (const event of build.leaveOut) {
      const other = await fitOn(splitByEvent(data, event, seed));
      leftOut[event] = other.comparison;
      other.network.dispose();
    }
    const thresholds = { name: `dev-${100 * ANSWER_TARGET}`, ...chooseThresholds(dev, ANSWER_TARGET) };
    const evaluation: Evaluation = {
      test: fitted.comparison,
      dev: measure(dev),
      answers: answersOf(test, thresholds),
      byLanguage: bySubgroup(test, fitted.testExamples, ({ language }) => language),
      byEvent: bySubgroup(test, fitted.testExamples, ({ event }) => event),
      leftOut,
    };
    const network = await saveNetwork(tf, mmn.layers);
    const onnx = exportMmn(tf, mmn, MMN_DEFAULTS);
    const splitFile = encodeSplit(split);
    const manifest: Omit<Manifest, 'files'> = {
      format: 1,
      name: 'mmn-informative',
      version: `s${seed}-${sha256Of(network.weights).slice(0, 8)}`,
      task: 'informative',
      architecture: { name: 'mmn', config: { ...MMN_DEFAULTS } as unknown as Record<string, Json> },
      modalities: {
        text: 'trained',
        image: fitted.pictures ? 'trained' : 'untrained',
      },
      words: { id: vocabulary.id, size: vocabulary.size },
      normaliser: NORMALISER_VERSION,
      calibration,
      thresholds,
      data: {
        name: data.name,
        licence: data.licence,
        examples: data.examples.length,
        sha256: data.sha256,
      },
      split: {
        protocol: split.protocol,
        seed,
        sha256: splitFile.sha256,
        train: split.train.length,
        dev: split.dev.length,
        test: split.test.length,
      },
      training: {
        seed,
        engine: describeEngine(tf),
        epochs: fitted.result.epochs,
        bestEpoch: fitted.result.bestEpoch,
        options: { ...options },
      },
      codeVersion: build.codeVersion,
      metrics: { dev: evaluation.dev, test: evaluation.test.mmn },
    };
    const artefact = await writeArtefact(
      out,
      {
        [ARTEFACT_FILES.network]: network.json,
        [ARTEFACT_FILES.weights]: network.weights,
        [ARTEFACT_FILES.text]: onnx.text,
        [ARTEFACT_FILES.joint]: onnx.joint,
        [ARTEFACT_FILES.golden]: encodeGolden(makeGolden(tf, mmn, vocabulary, encoders.wordVectors)),
        [ARTEFACT_FILES.split]: splitFile.json,
        [ARTEFACT_FILES.evaluation]: `${JSON.stringify({ ...evaluation, history: fitted.result.history }, null, 1)}\n`,
        [ARTEFACT_FILES.card]: writeCard(manifest, evaluation),
      },
      manifest,
    );
    await openCheckpoints(checkpointDir, null).clear();
    return artefact;
  } finally {
    mmn.dispose();
  }
}

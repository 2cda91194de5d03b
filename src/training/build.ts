/** From labelled posts to an artefact: split, fit, judge, export, write. */
import { TocsinError } from '../base/errors.ts';
import { ARTEFACT_FILES, type Artefact, sha256Of } from '../models/artefact.ts';
import { describeEngine } from '../models/engine/engine.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Json, Manifest } from '../models/manifest.ts';
import { saveNetwork } from '../models/network-files.ts';
import { NORMALISER_VERSION } from '../normalise/text.ts';
import { refuseExisting, writeArtefact } from '../registry/artefact.ts';
import type { Other } from './as-often.ts';
import { type EpochReport, openCheckpoints } from './checkpoint.ts';
import type { Dataset } from './dataset.ts';
import { type Encoders, encodersOf } from './encoders.ts';
import type { Model } from './fit-network.ts';
import type { DefendedOptions } from './harden.ts';
import { judgeClasses } from './judge-classes.ts';
import { judgeYesNo } from './judge-yes-no.ts';
import type { FitOn } from './judging.ts';
import { hashesOf, openPictures } from './pictures.ts';
import { servingFiles } from './serving-files.ts';
import { encodeSplit, type Split } from './splits.ts';
import { isBinary } from './tasks.ts';
import type { Teaching } from './teachers.ts';

export interface BuildOptions {
  readonly model: Model;
  readonly data: Dataset;
  readonly split: Split;
  readonly encoders: Encoders;
  readonly training: DefendedOptions;
  /** Needed where `training` asks for teachers. */
  readonly teaching?: Teaching | null;
  /** The artefact's folder; must not exist or be empty. Checkpoints lie beside it until all is done. */
  readonly out: string;
  /**
   * Further models, each trained without the events of a fold: calibration and thresholds then come from what they say of
   * these events (unseen.ts). 0: from dev.
   */
  readonly unseenFolds: number;
  /** Of a yes-or-no task, on texts alone: the bias is such that it says yes of dev as often as this one does. */
  readonly asOftenAs?: Other | null;
  /** Events for which a further model is trained without them, for the card. */
  readonly leaveOut: readonly string[];
  readonly codeVersion: string;
  /** Called after each epoch; `run` names the split. */
  readonly report: (run: string, epoch: EpochReport) => void;
}

/** Trains and writes a model of any task. Continues where a killed run stopped. */
export async function buildArtefact(tf: Tf, build: BuildOptions): Promise<Artefact> {
  const { model, data, split, encoders, training, teaching = null, asOftenAs = null, out } = build;
  const unlabelled = teaching?.unlabelled ?? null;
  await refuseExisting(out);
  if (asOftenAs && (!isBinary(data.task) || data.examples.some(({ picture }) => picture)))
    throw new TocsinError(
      'BAD_USAGE',
      `Training on ${data.name}: only a yes-or-no model of texts alone can say yes as often as ${asOftenAs.version}.`,
    );
  const { name, source } = model.architecture;
  const { config, head } = model;
  const usedEncoders = encodersOf(encoders);
  const checkpointDir = `${out}.checkpoints`;
  const fitOn: FitOn = (train, on) => {
    const splitHash = encodeSplit(on).sha256;
    const run = {
      split: splitHash,
      model: { name, config, head },
      training,
      words: encoders.vocabulary.id,
      encoders: usedEncoders,
      engine: describeEngine(tf),
      ...(unlabelled ? { unlabelled: { sha256: unlabelled.data.sha256, limit: unlabelled.limit } } : {}),
    };
    const dir = `${checkpointDir}/${on.protocol.replace(/[^A-Za-z0-9_-]/g, '_')}-${splitHash.slice(0, 8)}`;
    const deps = { tf, encoders, teaching, checkpoints: openCheckpoints(dir, run) };
    const report = (epoch: EpochReport): void => build.report(on.protocol, epoch);
    return train({ ...deps, report }, model, data, on, training);
  };

  const pictures = openPictures();
  const judging = { ...build, asOftenAs, pictures, hashes: await hashesOf(data.examples, pictures) };
  const judged = await (isBinary(data.task) ? judgeYesNo : judgeClasses)(fitOn, judging);
  const { network, dims, learnt, result } = judged.fitted;
  try {
    const files = await saveNetwork(tf, network.layers);
    const splitFile = encodeSplit(split);
    const { id, size } = encoders.vocabulary;
    const manifest: Omit<Manifest, 'files'> = {
      format: 2,
      name: `${name}-${data.task}`,
      version: `s${training.seed}-${sha256Of(files.weights).slice(0, 8)}`,
      task: data.task,
      architecture: { name, config: config as Record<string, Json>, head, dims },
      encoders: usedEncoders,
      modalities: {
        text: learnt.text ? 'trained' : 'untrained',
        image: learnt.image ? 'trained' : 'untrained',
      },
      words: model.architecture.columns(config).includes('words') ? { id, size } : null,
      normaliser: NORMALISER_VERSION,
      ...judged.answers,
      data: {
        name: data.name,
        licence: data.licence,
        examples: data.examples.length,
        sha256: data.sha256,
        ...(data.also ? { also: data.also } : {}),
        ...(unlabelled && learnt.unlabelled > 0
          ? {
              unlabelled: {
                name: unlabelled.data.name,
                licence: unlabelled.data.licence,
                examples: learnt.unlabelled,
                sha256: unlabelled.data.sha256,
              },
            }
          : {}),
      },
      split: {
        protocol: split.protocol,
        seed: split.seed,
        sha256: splitFile.sha256,
        train: split.train.length,
        dev: split.dev.length,
        test: split.test.length,
      },
      training: {
        seed: training.seed,
        engine: describeEngine(tf),
        epochs: result.epochs,
        bestEpoch: result.bestEpoch,
        options: { ...training, ...(asOftenAs ? { asOftenAs: asOftenAs.version } : {}) },
      },
      codeVersion: build.codeVersion,
    };
    const artefact = await writeArtefact(
      out,
      {
        [ARTEFACT_FILES.network]: files.json,
        [ARTEFACT_FILES.weights]: files.weights,
        ...(await servingFiles(tf, { network, model, dims, encoders })),
        [ARTEFACT_FILES.split]: splitFile.json,
        [ARTEFACT_FILES.evaluation]: `${JSON.stringify({ ...judged.evaluation, history: result.history }, null, 1)}\n`,
        [ARTEFACT_FILES.card]: judged.card(manifest, source),
      },
      manifest,
    );
    await openCheckpoints(checkpointDir, null).clear();
    return artefact;
  } finally {
    network.dispose();
  }
}

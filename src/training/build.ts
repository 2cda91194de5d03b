/** From labelled posts to an artefact: split, fit, judge, export, write. */
import { ARTEFACT_FILES, type Artefact, sha256Of } from '../models/artefact.ts';
import { describeEngine } from '../models/engine/engine.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Json, Manifest } from '../models/manifest.ts';
import { saveNetwork } from '../models/network-files.ts';
import { NORMALISER_VERSION } from '../normalise/text.ts';
import { refuseExisting, writeArtefact } from '../registry/artefact.ts';
import { writeCard } from './card.ts';
import { type EpochReport, openCheckpoints } from './checkpoint.ts';
import { groupClaims, perClaim } from './claims.ts';
import { binaryTaskOf, type Dataset } from './dataset.ts';
import { type Encoders, encodersOf } from './encoders.ts';
import { answersOf, bySubgroup, claimsOf, type Evaluation } from './evaluation.ts';
import { type Comparison, type Fitted, fitModel, type Model } from './fit.ts';
import { chooseThresholds, measure } from './measure.ts';
import { hashesOf, openPictures } from './pictures.ts';
import { servingFiles } from './serving-files.ts';
import { encodeSplit, pick, type Split, splitBy } from './splits.ts';
import type { TrainingOptions } from './train.ts';
import { answerUnseen } from './unseen.ts';

/** Share of `yes` and of `no` answers that must be right, on dev or on unseen events. */
const ANSWER_TARGET = 0.85;
/** Claims of unseen events that such a share must rest on. */
const LEAST_CLAIMS = 20;

export interface BuildOptions {
  readonly model: Model;
  readonly data: Dataset;
  readonly split: Split;
  readonly encoders: Encoders;
  readonly training: TrainingOptions;
  /** The artefact's folder; must not exist or be empty. Checkpoints lie beside it until all is done. */
  readonly out: string;
  /**
   * Further models, each trained without the events of a fold: calibration and thresholds then come from what they say of
   * these events (unseen.ts). 0: from dev.
   */
  readonly unseenFolds: number;
  /** Events for which a further model is trained without them, for the card. */
  readonly leaveOut: readonly string[];
  readonly codeVersion: string;
  /** Called after each epoch; `run` names the split. */
  readonly report: (run: string, epoch: EpochReport) => void;
}

/** Trains and writes a model that says yes or no. Continues where a killed run stopped. */
export async function buildArtefact(tf: Tf, build: BuildOptions): Promise<Artefact> {
  const { model, data, split, encoders, training, out } = build;
  await refuseExisting(out);
  const task = binaryTaskOf(data);
  const { name, source } = model.architecture;
  const { config, head } = model;
  const usedEncoders = encodersOf(encoders);
  const checkpointDir = `${out}.checkpoints`;
  const fitOn = (on: Split): Promise<Fitted> => {
    const run = {
      split: encodeSplit(on).sha256,
      model: { name, config, head },
      training,
      words: encoders.vocabulary.id,
      encoders: usedEncoders,
      engine: describeEngine(tf),
    };
    const dir = `${checkpointDir}/${on.protocol.replace(/[^A-Za-z0-9_-]/g, '_')}`;
    const deps = { tf, encoders, checkpoints: openCheckpoints(dir, run) };
    const report = (epoch: EpochReport): void => build.report(on.protocol, epoch);
    return fitModel({ ...deps, report }, model, data, on, training);
  };

  const fitted = await fitOn(split);
  const { network, dims, learnt, testExamples } = fitted;
  try {
    const pictures = openPictures();
    const hashes = await hashesOf(data.examples, pictures);
    const unseen =
      build.unseenFolds > 0
        ? await answerUnseen(
            { ...data, examples: pick(data, [...split.train, ...split.dev]) },
            { folds: build.unseenFolds, seed: split.seed, hashes },
            pictures,
            fitOn,
          )
        : null;
    const leftOut: Record<string, Comparison> = {};
    for (const event of build.leaveOut) {
      const other = await fitOn(splitBy(data, `event:${event}`, split.seed, hashes));
      leftOut[event] = (await other.judge(other.calibration)).comparison;
      other.network.dispose();
    }
    const calibration = unseen?.calibration ?? fitted.calibration;
    const { dev, test, comparison } = await fitted.judge(calibration);
    const thresholds = {
      name: `${unseen ? 'unseen' : 'dev'}-${100 * ANSWER_TARGET}`,
      ...(unseen
        ? chooseThresholds(unseen.claims, ANSWER_TARGET, LEAST_CLAIMS)
        : chooseThresholds(dev, ANSWER_TARGET)),
    };
    const claims = task === 'rumour' ? groupClaims(testExamples, hashes) : null;
    const evaluation: Evaluation = {
      test: comparison,
      dev: measure(dev),
      answers: answersOf(test, thresholds),
      byLanguage: bySubgroup(test, testExamples, ({ language }) => language),
      byEvent: bySubgroup(test, testExamples, ({ event }) => event),
      leftOut,
      claims: claims && {
        ...claimsOf(test, claims),
        answers: answersOf(perClaim(test, claims), thresholds),
      },
      unseen: unseen && {
        folds: build.unseenFolds,
        events: unseen.events,
        posts: unseen.posts,
        perClaim: measure(unseen.claims),
        answers: answersOf(unseen.claims, thresholds),
      },
    };
    const files = await saveNetwork(tf, network.layers);
    const splitFile = encodeSplit(split);
    const { id, size } = encoders.vocabulary;
    const manifest: Omit<Manifest, 'files'> = {
      format: 2,
      name: `${name}-${task}`,
      version: `s${training.seed}-${sha256Of(files.weights).slice(0, 8)}`,
      task,
      architecture: { name, config: config as Record<string, Json>, head, dims },
      encoders: usedEncoders,
      modalities: {
        text: learnt.text ? 'trained' : 'untrained',
        image: learnt.image ? 'trained' : 'untrained',
      },
      words: model.architecture.columns(config).includes('words') ? { id, size } : null,
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
        seed: split.seed,
        sha256: splitFile.sha256,
        train: split.train.length,
        dev: split.dev.length,
        test: split.test.length,
      },
      training: {
        seed: training.seed,
        engine: describeEngine(tf),
        epochs: fitted.result.epochs,
        bestEpoch: fitted.result.bestEpoch,
        options: { ...training },
      },
      codeVersion: build.codeVersion,
      metrics: { dev: evaluation.dev, test: evaluation.test.model },
    };
    const artefact = await writeArtefact(
      out,
      {
        [ARTEFACT_FILES.network]: files.json,
        [ARTEFACT_FILES.weights]: files.weights,
        ...(await servingFiles(tf, { network, model, dims, encoders })),
        [ARTEFACT_FILES.split]: splitFile.json,
        [ARTEFACT_FILES.evaluation]: `${JSON.stringify({ ...evaluation, history: fitted.result.history }, null, 1)}\n`,
        [ARTEFACT_FILES.card]: writeCard(manifest, evaluation, source),
      },
      manifest,
    );
    await openCheckpoints(checkpointDir, null).clear();
    return artefact;
  } finally {
    network.dispose();
  }
}

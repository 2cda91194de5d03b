/** One training run on one split: fit, calibrate on dev, judge on test beside the plain models. */
import { TocsinError } from '../base/errors.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Calibration, Metrics } from '../models/manifest.ts';
import type { Architecture, Column, Dims, Head, Network } from '../models/zoo/contract.ts';
import { buildTable, type Shown } from './build-table.ts';
import type { CheckpointStore, EpochReport } from './checkpoint.ts';
import { binaryLabel, binaryTaskOf, type Dataset, type Example } from './dataset.ts';
import { dimsOf, type Encoders } from './encoders.ts';
import { calibrate, measure, type Scored } from './measure.ts';
import { trainNaiveBayes } from './naive-bayes.ts';
import { openPictures } from './pictures.ts';
import { type Calibrations, isPictured, probabilities, type Scoring, show, yesLogits } from './score.ts';
import { pick, type Split } from './splits.ts';
import type { Labelled } from './table.ts';
import { type TrainingOptions, type TrainingResult, train } from './train.ts';

/** What is trained. */
export interface Model {
  readonly architecture: Architecture;
  readonly config: object;
  /** One sigmoid output, or a softmax over no and yes. */
  readonly head: Head;
}

export interface FitDeps {
  readonly tf: Tf;
  readonly encoders: Encoders;
  readonly checkpoints: CheckpointStore | null;
  readonly report: (epoch: EpochReport) => void;
}

/** The model and the plain models on the same test posts. */
export interface Comparison {
  readonly model: Metrics;
  readonly naiveBayes: Metrics;
  /** Always the larger class of the training posts. */
  readonly majority: Metrics;
}

export interface Fitted {
  /** The caller disposes of it. */
  readonly network: Network;
  /** The same network with all that it takes to show it an example. */
  readonly scoring: Scoring;
  readonly dims: Dims;
  /** Which modalities it reads and has seen in training. */
  readonly learnt: { readonly text: boolean; readonly image: boolean };
  readonly result: TrainingResult;
  /** From dev. */
  readonly calibration: Calibrations;
  readonly testExamples: readonly Example[];
  /** Its answers under a calibration, and the plain models beside. */
  readonly judge: (calibration: Calibrations) => Promise<Judged>;
}

export interface Judged {
  readonly dev: Scored;
  readonly test: Scored;
  readonly comparison: Comparison;
}

const TEXT: readonly Column[] = ['words', 'tokens', 'tokenMask', 'sentence', 'entities'];
const IMAGE: readonly Column[] = ['pixels', 'imageLogits', 'imageFeatures'];

/**
 * Trains on the split's train posts and judges on its test posts, which nothing here looks at before. Throws BAD_USAGE
 * for a task with more than two answers and for a network that reads pictures alone where there are none.
 */
export async function fitModel(
  deps: FitDeps,
  model: Model,
  data: Dataset,
  split: Split,
  options: TrainingOptions,
): Promise<Fitted> {
  const { tf, encoders, checkpoints, report } = deps;
  const { architecture, config, head } = model;
  const events = [...new Set(pick(data, split.train).map(({ event }) => event))].sort();
  const load = loader(data, events);
  const testExamples = pick(data, split.test);
  const trainExamples = await load(pick(data, split.train));
  const dev = await load(pick(data, split.dev));
  const test = await load(testExamples);

  const pictures = trainExamples.some(isPictured);
  const reads = architecture.columns(config);
  const learnt = {
    text: reads.some((column) => TEXT.includes(column)),
    image: pictures && reads.some((column) => IMAGE.includes(column)),
  };
  if (!learnt.text && !learnt.image)
    throw new TocsinError(
      'BAD_USAGE',
      `Training ${architecture.name} on ${data.name}: it reads pictures alone, and the training posts have none.`,
    );
  // A network that never saw pictures is not shown any.
  const columns = reads.filter((column) => pictures || column !== 'pixels');
  const dims = dimsOf(encoders, events.length);
  const labelled = async (examples: readonly Loaded[]): Promise<Labelled> => ({
    table: await buildTable(examples, columns, encoders, dims),
    labels: Float32Array.from(
      examples.flatMap(({ label }) => (head.kind === 'softmax' ? [1 - label, label] : [label])),
    ),
  });
  const network = architecture.build(tf, config, dims, head, options.seed);
  try {
    const result = await train(
      tf,
      network,
      head,
      { train: await labelled(trainExamples), dev: await labelled(dev) },
      options,
      { checkpoints, report },
    );

    const scoring = { tf, network, head, columns, dims, encoders };
    const calibrated = async (
      examples: readonly Loaded[],
      hide: Partial<Shown> = {},
    ): Promise<Calibration> => {
      const z = await yesLogits(
        scoring,
        examples.map((example) => ({ ...example, ...hide })),
      );
      return calibrate(
        z,
        examples.map(({ label }) => label),
      );
    };
    const pictured = dev.filter(isPictured);
    const calibration = {
      text: learnt.text ? await calibrated(dev, { pixels: null }) : null,
      image: learnt.image ? await calibrated(pictured, { text: '' }) : null,
      both: learnt.text && learnt.image ? await calibrated(pictured) : null,
    };
    return {
      network,
      scoring,
      dims,
      learnt,
      result,
      calibration,
      testExamples,
      async judge(under) {
        const scored = async (examples: readonly Loaded[]): Promise<Scored> => ({
          probability: await probabilities(scoring, under, examples),
          label: examples.map(({ label }) => label),
        });
        const testScored = await scored(test);
        return {
          dev: await scored(dev),
          test: testScored,
          comparison: compare(testScored, trainExamples, test),
        };
      },
    };
  } catch (thrown) {
    network.dispose();
    throw thrown;
  }
}

function compare(scored: Scored, train: readonly Loaded[], test: readonly Loaded[]): Comparison {
  const naiveBayes = trainNaiveBayes(train);
  const positives = train.filter(({ label }) => label === 1).length / Math.max(1, train.length);
  const { label } = scored;
  return {
    model: measure(scored),
    naiveBayes: measure({ probability: test.map(({ text }) => naiveBayes(text)), label }),
    majority: measure({ probability: test.map(() => positives), label }),
  };
}

/** An example with its picture in memory. */
interface Loaded extends Shown {
  readonly label: 0 | 1;
}

function loader(
  data: Dataset,
  events: readonly string[],
): (examples: readonly Example[]) => Promise<Loaded[]> {
  const task = binaryTaskOf(data);
  const pictures = openPictures();
  return async (examples) =>
    (await show(examples, events, pictures)).map((shown, i) => ({
      ...shown,
      label: binaryLabel(examples[i] as Example, task),
    }));
}

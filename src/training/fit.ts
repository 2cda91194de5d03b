/** One training run on one split: fit, calibrate on dev, judge on test beside the plain models. */

import type { Tf } from '../models/engine/tf.ts';
import type { Calibration, Metrics } from '../models/manifest.ts';
import type { Head, Network } from '../models/zoo/contract.ts';
import { buildMmn, MMN_DEFAULTS, mmn } from '../models/zoo/mmn.ts';
import { buildTable, type Encoders, type Shown } from './build-table.ts';
import type { CheckpointStore, EpochReport } from './checkpoint.ts';
import { binaryLabel, binaryTaskOf, type Dataset, type Example } from './dataset.ts';
import { calibrate, measure, type Scored, sigmoid } from './measure.ts';
import { trainNaiveBayes } from './naive-bayes.ts';
import { openPictures, pixelsOf } from './pictures.ts';
import { pick, type Split } from './splits.ts';
import type { Labelled } from './table.ts';
import { predict, type TrainingOptions, type TrainingResult, train } from './train.ts';

/** Informative or not. */
const HEAD: Head = { kind: 'sigmoid', outputs: 1 };

export interface FitDeps {
  readonly tf: Tf;
  readonly encoders: Encoders;
  readonly checkpoints: CheckpointStore | null;
  readonly report: (epoch: EpochReport) => void;
}

/** The model and the plain models on the same test posts. */
export interface Comparison {
  readonly mmn: Metrics;
  readonly naiveBayes: Metrics;
  /** Always the larger class of the training posts. */
  readonly majority: Metrics;
}

export interface Fitted {
  /** The caller disposes of it. */
  readonly network: Network;
  /** Whether the training posts had pictures. */
  readonly pictures: boolean;
  readonly result: TrainingResult;
  readonly calibration: Readonly<Record<'text' | 'image' | 'both', Calibration | null>>;
  readonly dev: Scored;
  readonly test: Scored;
  readonly testExamples: readonly Example[];
  readonly comparison: Comparison;
}

/** Trains on the split's train posts and judges on its test posts, which nothing here looks at before. */
export async function fitMmn(
  deps: FitDeps,
  data: Dataset,
  split: Split,
  options: TrainingOptions,
): Promise<Fitted> {
  const { tf, encoders, checkpoints, report } = deps;
  const testExamples = pick(data, split.test);
  const load = loader(data);
  const trainExamples = await load(pick(data, split.train));
  const dev = await load(pick(data, split.dev));
  const test = await load(testExamples);
  const pictures = trainExamples.some(({ pixels }) => pixels !== null);
  // A network that never saw pictures is not shown any.
  const columns = mmn.columns(MMN_DEFAULTS).filter((column) => pictures || column !== 'pixels');
  const labelled = (examples: readonly Loaded[]): Labelled => ({
    table: buildTable(examples, columns, encoders),
    labels: Float32Array.from(examples, ({ label }) => label),
  });
  const network = buildMmn(tf, MMN_DEFAULTS, HEAD, options.seed);
  const result = await train(
    tf,
    network,
    HEAD,
    { train: labelled(trainExamples), dev: labelled(dev) },
    options,
    { checkpoints, report },
  );

  const logits = (examples: readonly Shown[]): number[] =>
    Array.from(predict(tf, network, HEAD, buildTable(examples, columns, encoders)));
  const labels = (examples: readonly Loaded[]): (0 | 1)[] => examples.map(({ label }) => label);
  const without = (modality: 'text' | 'pixels', examples: readonly Loaded[]): Shown[] =>
    examples.map((example) => ({ ...example, [modality]: modality === 'text' ? '' : null }));
  const text = calibrate(logits(without('pixels', dev)), labels(dev));
  const pictured = dev.filter(({ pixels }) => pixels !== null);
  const calibration = {
    text,
    image: pictures ? calibrate(logits(without('text', pictured)), labels(pictured)) : null,
    both: pictures ? calibrate(logits(pictured), labels(pictured)) : null,
  };
  const scored = (examples: readonly Loaded[]): Scored => {
    const z = logits(examples);
    return {
      probability: examples.map(({ pixels }, i) => {
        const { scale, bias } = (pixels ? calibration.both : null) ?? text;
        return sigmoid(scale * (z[i] as number) + bias);
      }),
      label: labels(examples),
    };
  };

  const testScored = scored(test);
  const naiveBayes = trainNaiveBayes(trainExamples);
  const positives =
    trainExamples.filter(({ label }) => label === 1).length / Math.max(1, trainExamples.length);
  return {
    network,
    pictures,
    result,
    calibration,
    dev: scored(dev),
    test: testScored,
    testExamples,
    comparison: {
      mmn: measure(testScored),
      naiveBayes: measure({
        probability: test.map((example) => naiveBayes(example.text)),
        label: testScored.label,
      }),
      majority: measure({ probability: test.map(() => positives), label: testScored.label }),
    },
  };
}

/** An example with its picture in memory. */
interface Loaded extends Shown {
  readonly label: 0 | 1;
}

function loader(data: Dataset): (examples: readonly Example[]) => Promise<Loaded[]> {
  const task = binaryTaskOf(data);
  const pictures = openPictures();
  return async (examples) => {
    const pixels = await pixelsOf(examples, pictures);
    return examples.map((example, i) => ({
      text: example.text,
      pixels: pixels[i] ?? null,
      label: binaryLabel(example, task),
    }));
  };
}

/** One training run on one split: fit, calibrate on dev, judge on test beside the plain models. */

import type { Tf } from '../models/engine/tf.ts';
import type { Calibration, Metrics } from '../models/manifest.ts';
import type { Head, Network } from '../models/zoo/contract.ts';
import { buildMmn, MMN_DEFAULTS, mmn } from '../models/zoo/mmn.ts';
import { buildTable, type Encoders, type Shown } from './build-table.ts';
import type { CheckpointStore, EpochReport } from './checkpoint.ts';
import type { Dataset, Example } from './dataset.ts';
import { calibrate, measure, type Scored, sigmoid } from './measure.ts';
import { trainNaiveBayes } from './naive-bayes.ts';
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
  const [trainExamples, dev, test] = [pick(data, split.train), pick(data, split.dev), pick(data, split.test)];
  const pictures = trainExamples.some(({ pixels }) => pixels !== null);
  // A network that never saw pictures is not shown any.
  const columns = mmn.columns(MMN_DEFAULTS).filter((column) => pictures || column !== 'pixels');
  const labelled = (examples: readonly Example[]): Labelled => ({
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
  const labels = (examples: readonly Example[]): (0 | 1)[] => examples.map(({ label }) => label);
  const without = (modality: 'text' | 'pixels', examples: readonly Example[]): Shown[] =>
    examples.map((example) => ({ ...example, [modality]: modality === 'text' ? '' : null }));
  const text = calibrate(logits(without('pixels', dev)), labels(dev));
  const pictured = dev.filter(({ pixels }) => pixels !== null);
  const calibration = {
    text,
    image: pictures ? calibrate(logits(without('text', pictured)), labels(pictured)) : null,
    both: pictures ? calibrate(logits(pictured), labels(pictured)) : null,
  };
  const scored = (examples: readonly Example[]): Scored => {
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
    testExamples: test,
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

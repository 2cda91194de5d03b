/** One training run on one split: fit, calibrate on dev, judge on test beside the plain models. */

import type { Tf } from '../models/engine/tf.ts';
import type { Calibration, Metrics } from '../models/manifest.ts';
import { buildMmn, MMN_DEFAULTS, type Mmn, type MmnModality } from '../models/mmn.ts';
import type { Vocabulary } from '../models/port.ts';
import type { CheckpointStore, EpochReport } from './checkpoint.ts';
import type { Dataset, Example } from './dataset.ts';
import { calibrate, measure, type Scored, sigmoid } from './measure.ts';
import { trainNaiveBayes } from './naive-bayes.ts';
import { pick, type Split } from './splits.ts';
import {
  predictRows,
  type TrainingOptions,
  type TrainingResult,
  type TrainingRow,
  trainMmn,
} from './train-mmn.ts';

export interface FitDeps {
  readonly tf: Tf;
  readonly vocabulary: Vocabulary;
  /** Word vectors. [rows, 100] */
  readonly table: Float32Array;
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
  readonly mmn: Mmn;
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
  const { tf, table, vocabulary, checkpoints, report } = deps;
  const rowsOf = (examples: readonly Example[]): TrainingRow[] =>
    examples.map(({ text, pixels, label }) => ({ words: vocabulary.encode(text), pixels, label }));
  const [train, dev, test] = [pick(data, split.train), pick(data, split.dev), pick(data, split.test)];
  const devRows = rowsOf(dev);
  const testRows = rowsOf(test);
  const mmn = buildMmn(tf, MMN_DEFAULTS, options.seed);
  const result = await trainMmn(tf, mmn, table, { train: rowsOf(train), dev: devRows }, options, {
    checkpoints,
    report,
  });

  const logits = (rows: readonly TrainingRow[], modalities: readonly MmnModality[]): number[] =>
    Array.from(predictRows(tf, mmn, table, rows, modalities));
  const labels = (rows: readonly TrainingRow[]): (0 | 1)[] => rows.map(({ label }) => label);
  const text = calibrate(logits(devRows, ['text']), labels(devRows));
  const pairs = result.modalities.includes('image');
  const pictured = devRows.filter(({ pixels }) => pixels !== null);
  const alone = pictured.map((row) => ({ ...row, words: new Int32Array(row.words.length) }));
  const calibration = {
    text,
    image: pairs ? calibrate(logits(alone, result.modalities), labels(alone)) : null,
    both: pairs ? calibrate(logits(pictured, result.modalities), labels(pictured)) : null,
  };
  const scored = (rows: readonly TrainingRow[]): Scored => {
    const z = logits(rows, result.modalities);
    return {
      probability: rows.map(({ pixels }, i) => {
        const { scale, bias } = (pixels ? calibration.both : null) ?? text;
        return sigmoid(scale * (z[i] as number) + bias);
      }),
      label: labels(rows),
    };
  };

  const testScored = scored(testRows);
  const naiveBayes = trainNaiveBayes(train);
  const positives = train.filter(({ label }) => label === 1).length / Math.max(1, train.length);
  return {
    mmn,
    result,
    calibration,
    dev: scored(devRows),
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

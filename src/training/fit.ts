/** One training run on one split for a yes-or-no task: fit, calibrate on dev, judge on test beside the plain models. */
import type { Metrics } from '../models/manifest.ts';
import type { Dims, Network } from '../models/zoo/contract.ts';
import { binaryTaskOf, type Dataset, type Example } from './dataset.ts';
import {
  calibrationRows,
  type FitDeps,
  type Loaded,
  type Model,
  perBasis,
  type TrainedNetwork,
  trainNetwork,
} from './fit-network.ts';
import type { DefendedOptions } from './harden.ts';
import { trainLogistic } from './logistic.ts';
import { calibrate, measure, type Scored } from './measure.ts';
import { trainNaiveBayes } from './naive-bayes.ts';
import { type Calibrations, probabilities, type Scoring, yesLogit } from './score.ts';
import { pick, type Split } from './splits.ts';
import type { TrainingResult } from './train.ts';

/** The model and the plain models on the same test posts. */
export interface Comparison {
  readonly model: Metrics;
  readonly naiveBayes: Metrics;
  /** TF-IDF of words and word pairs. */
  readonly logistic: Metrics;
  /** Always the larger class of the training posts. */
  readonly majority: Metrics;
}

export interface Fitted {
  /** The caller disposes of it. */
  readonly network: Network;
  /** The same network with all that it takes to show it an example. */
  readonly scoring: Scoring;
  readonly dims: Dims;
  readonly learnt: TrainedNetwork['learnt'];
  readonly result: TrainingResult;
  /** From dev. */
  readonly calibration: Calibrations;
  /** The posts that tuned it, with its logits of yes by their texts. */
  readonly dev: { readonly examples: readonly Example[]; readonly logits: readonly number[] };
  readonly testExamples: readonly Example[];
  /** Its answers under a calibration, and the plain models beside. */
  readonly judge: (calibration: Calibrations) => Promise<Judged>;
}

export interface Judged {
  readonly dev: Scored;
  readonly test: Scored;
  readonly comparison: Comparison;
}

/**
 * Trains on the split's train posts and judges on its test posts, which nothing here looks at before. Throws BAD_USAGE
 * for a task with more than two answers and for a network that reads pictures alone where there are none.
 */
export async function fitModel(
  deps: FitDeps,
  model: Model,
  data: Dataset,
  split: Split,
  options: DefendedOptions,
): Promise<Fitted> {
  binaryTaskOf(data);
  const trained = await trainNetwork(deps, model, data, split, options);
  const { network, dims, learnt, result, scoring, test, testExamples } = trained;
  try {
    const rows = await calibrationRows(trained, trained.dev);
    const calibration: Calibrations = perBasis(rows, (some) =>
      calibrate(
        some.map(({ logits }) => yesLogit(logits)),
        some.map(isYes),
      ),
    );
    return {
      network,
      scoring,
      dims,
      learnt,
      result,
      calibration,
      dev: {
        examples: pick(data, split.dev),
        logits: rows.filter(({ basis }) => basis === 'text').map(({ logits }) => yesLogit(logits)),
      },
      testExamples,
      async judge(under) {
        const scored = async (posts: readonly Loaded[]): Promise<Scored> => ({
          probability: await probabilities(scoring, under, posts),
          label: posts.map(isYes),
        });
        const testScored = await scored(test);
        return {
          dev: await scored(trained.dev),
          test: testScored,
          comparison: compare(testScored, trained.train, test),
        };
      },
    };
  } catch (thrown) {
    network.dispose();
    throw thrown;
  }
}

/** Targets of either head end in that of yes. */
const isYes = ({ target }: Pick<Loaded, 'target'>): 0 | 1 => (target.at(-1) === 1 ? 1 : 0);

function compare(scored: Scored, train: readonly Loaded[], test: readonly Loaded[]): Comparison {
  const { label } = scored;
  const rows = train.map((post) => ({ text: post.text, label: isYes(post) }));
  const positives = rows.filter((row) => row.label === 1).length / Math.max(1, rows.length);
  const judged = (predict: (text: string) => number): Metrics =>
    measure({ probability: test.map(({ text }) => predict(text)), label });
  return {
    model: measure(scored),
    naiveBayes: judged(trainNaiveBayes(rows)),
    logistic: judged(trainLogistic(rows)),
    majority: judged(() => positives),
  };
}

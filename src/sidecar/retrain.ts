/**
 * A round's training: from the champion's weights, every batch three times: as it is, as the champion was misled by it, and
 * moved to the worst point of its words' convex hulls on the network as it stands.
 */
import { join } from 'node:path';
import type { Posts } from '../adversarial/attack.ts';
import type { WordSpace } from '../adversarial/word-space.ts';
import { wordReplacement } from '../adversarial/words.ts';
import { seededRandom } from '../base/random.ts';
import { failPoint } from '../config/fail-point.ts';
import { type Artefact, sha256Of } from '../models/artefact.ts';
import { describeEngine } from '../models/engine/engine.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Calibration, Metrics } from '../models/manifest.ts';
import { gatherVectors, MAX_WORDS, WORD_DIMENSIONS } from '../models/words.ts';
import { type EpochReport, openCheckpoints } from '../training/checkpoint.ts';
import { hull } from '../training/defences.ts';
import { calibrate, measure, sigmoid } from '../training/measure.ts';
import { mixWeights, weightsOf } from '../training/mix-weights.ts';
import type { Labelled } from '../training/table.ts';
import {
  type LabelledBatch,
  TRAINING_DEFAULTS,
  type TrainingOptions,
  type TrainingResult,
  train,
} from '../training/train.ts';
import { COLUMNS, type Engine, type OpenChampion, openChampion } from './champion.ts';

import type { CraftedRow } from './craft.ts';
import type { Pause } from './pause.ts';
import type { RoundPlan } from './plan.ts';
import { postsOf, wordsTable } from './posts.ts';

/** Few epochs at half the rate: the champion's weights are where training begins. */
export const ROUND_TRAINING: Omit<TrainingOptions, 'seed'> = {
  ...TRAINING_DEFAULTS,
  learningRate: 5e-4,
  maxEpochs: 10,
  patience: 3,
};

/** Balanced accuracy on dev that a candidate may lose against the champion. */
const CLEAN_LOSS = 0.005;

export interface RetrainDeps extends Engine {
  readonly pause: Pause;
  readonly training: Omit<TrainingOptions, 'seed'>;
  /** Folder of the round. */
  readonly dir: string;
  readonly report: (epoch: EpochReport) => void;
}

/** Balanced accuracy on dev: as it is, and under Eq. 2 on the network itself. */
export interface Robustness {
  readonly clean: number;
  readonly attacked: number;
}

export interface Retrained {
  /** The network in training was the champion's; the caller disposes of it. */
  readonly opened: OpenChampion;
  /** Crafted samples that it was shown. */
  readonly crafted: number;
  readonly options: TrainingOptions;
  /** Of the trained weights in its own; the rest are the champion's. */
  readonly share: number;
  readonly result: TrainingResult;
  readonly calibration: Calibration;
  readonly metrics: { readonly dev: Metrics; readonly test: Metrics };
  readonly robustness: { readonly champion: Robustness; readonly candidate: Robustness };
}

/** Continues from the round's checkpoint where there is one, with the result that an undisturbed run has. */
export async function retrain(
  deps: RetrainDeps,
  plan: RoundPlan,
  artefact: Artefact,
  space: WordSpace,
  crafted: readonly CraftedRow[],
): Promise<Retrained> {
  const { tf, vocabulary, vectors } = deps;
  const opened = openChampion(deps, artefact, space);
  const { network, victim } = opened;
  const { head } = artefact.manifest.architecture;
  try {
    const [posts, dev, test] = [plan.train, plan.dev, plan.test].map((rows) =>
      postsOf(rows, (text) => vocabulary.encode(text)),
    ) as [Posts, Posts, Posts];
    const attacked = (some: Posts): Posts =>
      wordReplacement(tf).generate(victim, some, seededRandom(plan.seed)).posts;
    const labelled = (some: Posts): Labelled => ({ table: wordsTable(vectors, some), labels: some.labels });
    const logitsOf = (some: Posts): number[] => [...victim.logits(some)];
    const robustness = (): Robustness => ({
      clean: balancedAccuracy(logitsOf(dev), dev),
      attacked: balancedAccuracy(logitsOf(attacked(dev)), dev),
    });
    const champion = robustness();
    const start = weightsOf(network);
    const onDev = (): Calibration => calibrate(logitsOf(dev), truthOf(dev));
    const carry = carriedFrom(onDev(), artefact.manifest.calibration.text);

    const options: TrainingOptions = { ...deps.training, seed: plan.seed };
    const craftHull = hull({ tf, network, head, columns: COLUMNS, victim }, posts);
    const addMisled = misledTwins(tf, vectors, posts, crafted);
    const result = await train(tf, network, head, { train: labelled(posts), dev: labelled(dev) }, options, {
      checkpoints: openCheckpoints(join(deps.dir, 'checkpoints'), {
        parent: plan.parent,
        round: plan.round,
        train: sha256Of(JSON.stringify(plan.train)),
        crafted: sha256Of(JSON.stringify(crafted)),
        options,
        engine: describeEngine(tf),
      }),
      pause: deps.pause,
      report: (epoch) => {
        deps.report(epoch);
        failPoint('sidecar.train');
      },
      craft: (clean, step, rows) => addMisled(craftHull(clean, step, rows), rows),
      craftDev: () => labelled(attacked(dev)),
    });

    const share = mixWeights(
      tf,
      network,
      start,
      () => balancedAccuracy(logitsOf(dev), dev) >= champion.clean - CLEAN_LOSS,
    );
    const calibration = carry(onDev());
    const measured = (some: Posts): Metrics =>
      measure({
        probability: logitsOf(some).map((z) => sigmoid(calibration.scale * z + calibration.bias)),
        label: truthOf(some),
      });
    return {
      opened,
      crafted: crafted.length,
      options,
      share,
      result,
      calibration,
      metrics: { dev: measured(dev), test: measured(test) },
      robustness: { champion, candidate: robustness() },
    };
  } catch (thrown) {
    network.dispose();
    throw thrown;
  }
}

/** Adds to a batch the crafted forms of its rows, where the champion was attacked with one. */
function misledTwins(
  tf: Tf,
  vectors: Float32Array,
  { labels }: Posts,
  crafted: readonly CraftedRow[],
): (batch: LabelledBatch, rows: readonly number[]) => LabelledBatch {
  const wordsOf = new Map(crafted.map(({ row, words }) => [row, words]));
  return (batch, rows) => {
    const twins = rows.filter((row) => wordsOf.has(row));
    const clean = batch.batch.words;
    if (twins.length === 0 || !clean) return batch;
    const words = Int32Array.from(twins.flatMap((row) => wordsOf.get(row) ?? []));
    const values = gatherVectors(vectors, words, new Float32Array(words.length * WORD_DIMENSIONS));
    const added = tf.tensor3d(values, [twins.length, MAX_WORDS, WORD_DIMENSIONS]);
    const truth = tf.tensor2d(
      twins.map((row) => labels[row] as number),
      [twins.length, 1],
    );
    return {
      batch: { ...batch.batch, words: tf.concat([clean, added], 0) },
      labels: tf.concat([batch.labels, truth], 0),
    };
  };
}

/**
 * The champion's calibration may come from events that it had not seen (unseen.ts); dev, which has the events of train,
 * promises more. What separates the two on the champion is carried over to a candidate's calibration on dev.
 */
function carriedFrom(onDev: Calibration, served: Calibration | null): (own: Calibration) => Calibration {
  if (!served) return (own) => own;
  const share = served.scale / onDev.scale;
  const shift = served.bias - share * onDev.bias;
  return ({ scale, bias }) => ({ scale: share * scale, bias: share * bias + shift });
}

const truthOf = ({ labels }: Posts): (0 | 1)[] => Array.from(labels, (label) => (label === 1 ? 1 : 0));

/** Mean of the shares of right answers among the posts of either label. */
function balancedAccuracy(logits: readonly number[], { labels }: Posts): number {
  const right = [0, 0];
  const all = [0, 0];
  logits.forEach((z, i) => {
    const label = labels[i] as 0 | 1;
    all[label] = (all[label] as number) + 1;
    if (z >= 0 === (label === 1)) right[label] = (right[label] as number) + 1;
  });
  const share = (label: 0 | 1): number => (right[label] as number) / Math.max(1, all[label] as number);
  return (share(0) + share(1)) / 2;
}

/**
 * A round's training from the champion's weights (lesson.ts says on what), and how far its candidate goes from the champion
 * (weigh.ts says by what).
 */
import { join } from 'node:path';
import type { Posts } from '../adversarial/attack.ts';
import type { WordSpace } from '../adversarial/word-space.ts';
import { wordReplacement } from '../adversarial/words.ts';
import { seededRandom } from '../base/random.ts';
import { failPoint } from '../config/fail-point.ts';
import { type Artefact, sha256Of } from '../models/artefact.ts';
import { describeEngine } from '../models/engine/engine.ts';
import type { Calibration, Metrics } from '../models/manifest.ts';
import { asOften } from '../training/as-often.ts';
import { type EpochReport, openCheckpoints } from '../training/checkpoint.ts';
import { onTheFly } from '../training/defences.ts';
import { calibrate, measure, sigmoid } from '../training/measure.ts';
import { mixWeights, weightsOf } from '../training/mix-weights.ts';
import type { Labelled } from '../training/table.ts';
import { TRAINING_DEFAULTS, type TrainingOptions, type TrainingResult, train } from '../training/train.ts';
import { COLUMNS, type Engine, type OpenChampion, openChampion } from './champion.ts';
import type { CraftedRow } from './craft.ts';
import { lesson, taughtOf } from './lesson.ts';
import type { Pause } from './pause.ts';
import type { RoundPlan } from './plan.ts';
import { postsOf, wordsTable } from './posts.ts';
import { createScale, decide, fits, type Shown, type Weighed, type Weighing, type Yes } from './weigh.ts';

/**
 * The champion's weights are where training begins, so early stopping may be impatient. The rate goes down to almost nothing: what
 * noise moves, moves answers.
 */
export const ROUND_TRAINING: Omit<TrainingOptions, 'seed'> = {
  ...TRAINING_DEFAULTS,
  batch: 64,
  schedule: 'linear',
  maxEpochs: 8,
  patience: 3,
};

/** Shares of the new weights that are tried, the largest first. */
const SHARES: readonly number[] = Array.from({ length: 20 }, (_, i) => (20 - i) / 20);

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
  /** How much of the trained weights it has, the rest being the champion's; with a share of 0 it is the champion. */
  readonly weighing: Weighing;
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
    const rows = [...plan.train, ...plan.replay];
    const [posts, dev, test] = [rows, plan.dev, plan.test].map((rows) =>
      postsOf(rows, (text) => vocabulary.encode(text)),
    ) as [Posts, Posts, Posts];
    const attacked = (some: Posts): Posts =>
      wordReplacement(tf).generate(victim, some, seededRandom(plan.seed)).posts;
    const tableOf = (some: Posts, labels = some.labels): Labelled => ({
      table: wordsTable(vectors, some),
      labels,
    });
    const logitsOf = (some: Posts): number[] => [...victim.logits(some)];
    const start = weightsOf(network);
    const its = logitsOf(dev);
    const onDev = calibrate(its, truthOf(dev));
    const carry = carriedFrom(onDev, artefact.manifest.calibration.text);
    const before: Shown = {
      clean: answered(its, carry(onDev)),
      attacked: answered(logitsOf(attacked(dev)), carry(onDev)),
    };

    const options: TrainingOptions = { ...deps.training, seed: plan.seed };
    const taught = taughtOf(rows, logitsOf(posts));
    const craftNow = onTheFly({ tf, network, head, columns: COLUMNS, victim }, posts, 0);
    const parts = { train: tableOf(posts, taught), dev: tableOf(dev) };
    const result = await train(tf, network, head, parts, options, {
      checkpoints: openCheckpoints(join(deps.dir, 'checkpoints'), {
        parent: plan.parent,
        round: plan.round,
        train: sha256Of(JSON.stringify(rows)),
        crafted: sha256Of(JSON.stringify(crafted)),
        options,
        engine: describeEngine(tf),
      }),
      pause: deps.pause,
      report: (epoch) => {
        deps.report(epoch);
        failPoint('sidecar.train');
      },
      craft: lesson(tf, { vectors, attacked: plan.train.length, crafted, craftNow }),
      craftDev: () => tableOf(attacked(dev)),
    });

    const after = weightsOf(network);
    const scale = createScale(dev.labels, before);
    const wanted = before.clean.filter((yes) => yes).length;
    /** With the calibration of the two under which posts as they are surely lose less. */
    const weigh = (share: number): { readonly calibration: Calibration; readonly weighed: Weighed } => {
      mixWeights(tf, network, start, after, share);
      const logits = logitsOf(dev);
      const carried = carry(calibrate(logits, truthOf(dev)));
      const [a, b] = [carried, asOften(carried, logits, wanted)].map((calibration) => ({
        calibration,
        weighed: scale.clean(share, answered(logits, calibration)),
      })) as [ReturnType<typeof weigh>, ReturnType<typeof weigh>];
      return a.weighed.surely > b.weighed.surely ? a : b;
    };
    const steps: Weighed[] = [];
    for (const share of SHARES) {
      await deps.pause();
      const { weighed, calibration } = weigh(share);
      const isWorthIt = fits(weighed);
      steps.push(
        isWorthIt ? scale.attacked(weighed, answered(logitsOf(attacked(dev)), calibration)) : weighed,
      );
    }
    const weighing = decide(steps, plan.reason === 'drift');
    const { calibration } = weigh(weighing.share);
    const measured = (some: Posts): Metrics =>
      measure({
        probability: logitsOf(some).map((z) => sigmoid(calibration.scale * z + calibration.bias)),
        label: truthOf(some),
      });
    const robustness = (of: Shown): Robustness => ({
      clean: balancedAccuracy(of.clean, dev),
      attacked: balancedAccuracy(of.attacked, dev),
    });
    const now: Shown = {
      clean: answered(logitsOf(dev), calibration),
      attacked: answered(logitsOf(attacked(dev)), calibration),
    };
    return {
      opened,
      crafted: crafted.length,
      options,
      weighing,
      result,
      calibration,
      metrics: { dev: measured(dev), test: measured(test) },
      robustness: { champion: robustness(before), candidate: robustness(now) },
    };
  } catch (thrown) {
    network.dispose();
    throw thrown;
  }
}

/** As it is served. */
const answered = (logits: readonly number[], { scale, bias }: Calibration): Yes =>
  logits.map((z) => scale * z + bias >= 0);

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
function balancedAccuracy(yes: Yes, { labels }: Posts): number {
  const right = [0, 0];
  const all = [0, 0];
  yes.forEach((is, i) => {
    const label = labels[i] as 0 | 1;
    all[label] = (all[label] as number) + 1;
    if (is === (label === 1)) right[label] = (right[label] as number) + 1;
  });
  const share = (label: 0 | 1): number => (right[label] as number) / Math.max(1, all[label] as number);
  return (share(0) + share(1)) / 2;
}

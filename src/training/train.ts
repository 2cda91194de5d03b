/** The one training loop: flat, seeded, early stopping on dev, a checkpoint after every epoch. */
import type { AdamOptimizer, NamedTensorMap, Tensor2D, Variable } from '@tensorflow/tfjs';
import { seededRandom, shuffled } from '../base/random.ts';
import type { Tf } from '../models/engine/tf.ts';
import { type Batch, type Head, type Network, type Step, trainingPass } from '../models/zoo/contract.ts';
import type { CheckpointStore, EpochReport, Snapshot } from './checkpoint.ts';
import { balancedWeights, crossEntropy, judge } from './objective.ts';
import { type Caught, caughtBy, type Guard, guardScore } from './overfitting-guard.ts';
import type { FeatureTable, Labelled } from './table.ts';

/** Each value with its reason; unknown options are a type error. */
export interface TrainingOptions {
  /** Order of the rows, dropped units, everything random in a step. */
  readonly seed: number;
  /** MMAT §IV-B. */
  readonly batch: number;
  /** Adam's usual rate; MMAT names none, EANN and MAFN have the same. */
  readonly learningRate: number;
  /**
   * `eann`: rate / (1 + 10 e / 100)^0.75 in epoch e = 0, 1, … (EANN's code; MAFN §4.2). `linear`: down to a last epoch at rate /
   * maxEpochs.
   */
  readonly schedule: 'constant' | 'eann' | 'linear';
  readonly maxEpochs: number;
  /** Epochs without a better dev figure before training ends; the best epoch's weights are kept. */
  readonly patience: number;
  /** The dev figure that decides which epoch is best. */
  readonly stopOn: 'loss' | 'macroF1' | 'balancedAccuracy';
  /** Weighs the classes equally, so that the larger one does not win by size. */
  readonly classWeights: boolean;
}

export const TRAINING_DEFAULTS: Omit<TrainingOptions, 'seed'> = {
  batch: 32,
  learningRate: 1e-3,
  schedule: 'constant',
  maxEpochs: 60,
  patience: 5,
  stopOn: 'loss',
  classWeights: true,
};

/** A batch with its labels [b, outputs]. */
export interface LabelledBatch {
  readonly batch: Batch;
  readonly labels: Tensor2D;
}

export interface TrainingHooks {
  readonly checkpoints: CheckpointStore | null;
  /** Called after each epoch. */
  readonly report: (epoch: EpochReport) => void;
  /**
   * What a step trains on in place of its batch, with as many rows as it likes: adversarial modes add crafted rows. Runs
   * inside tf.tidy and outside the gradient; all chance must come from `step.seed`, else a resumed run differs.
   * @param rows which rows of the training table the batch is made of
   */
  readonly craft?: (clean: LabelledBatch, step: Step, rows: readonly number[]) => LabelledBatch;
  /** Awaited before every step: lets others work. */
  readonly pause?: () => Promise<void>;
  /** Dev rows as an attacker leaves them, crafted anew after every epoch; their figures count half. */
  readonly craftDev?: () => Labelled;
  /**
   * Asked after each epoch. Its figures then decide which epoch is best; where they show catastrophic overfitting,
   * training ends and that epoch is rolled back.
   */
  readonly guard?: Guard;
}

/** For a training on the way to another: nothing is kept or told, a killed run does it again, to the same weights. */
export const SILENT: Pick<TrainingHooks, 'checkpoints' | 'report'> = { checkpoints: null, report: () => {} };

export interface TrainingResult {
  readonly epochs: number;
  readonly bestEpoch: number;
  readonly history: readonly EpochReport[];
  /** Why the guard ended it; null where it did not. */
  readonly caught: Caught | null;
}

/**
 * Fits a network in place and leaves it with the weights of its best epoch. Continues from the checkpoint where there is
 * one, with the result that an undisturbed run has.
 */
export async function train(
  tf: Tf,
  network: Network,
  head: Head,
  data: { readonly train: Labelled; readonly dev: Labelled },
  options: TrainingOptions,
  hooks: TrainingHooks,
): Promise<TrainingResult> {
  const { table, labels } = data.train;
  const all = network.layers.weights.map((weight) => weight.read() as Variable);
  const trained = network.trainable?.() ?? trainableOf(network);
  const classWeights = options.classWeights ? balancedWeights(head, labels) : null;
  const stepsPerEpoch = Math.ceil(table.count / options.batch);

  const weightsNow = (): Float32Array[] => all.map((variable) => variable.dataSync().slice() as Float32Array);
  let state: Snapshot = {
    epoch: 0,
    bestEpoch: 0,
    history: [],
    weights: [],
    optimiser: [],
    best: [],
  };
  const restored = await hooks.checkpoints?.load();
  if (restored) {
    state = restored;
    assignAll(tf, all, state.weights);
  }

  const caught = (): Caught | null => caughtBy(state.history.flatMap(({ guard }) => guard ?? []));
  const goesOn = (): boolean =>
    state.epoch < options.maxEpochs && state.epoch - state.bestEpoch < options.patience && caught() === null;
  while (goesOn()) {
    const epoch = state.epoch + 1;
    // Made anew from the snapshot each time, so that an epoch is the same whether or not the run was interrupted before.
    const optimiser = await optimiserFrom(tf, rateOf(options, epoch), state.optimiser);
    const random = seededRandom(options.seed * 1_000 + epoch);
    const order = shuffled(
      Array.from({ length: table.count }, (_, i) => i),
      random,
    );
    let lossSum = 0;
    for (let at = 0; at < stepsPerEpoch; at += 1) {
      await hooks.pause?.();
      const rows = order.slice(at * options.batch, (at + 1) * options.batch);
      const step: Step = {
        seed: Math.floor(random() * 2 ** 31),
        done: (epoch - 1) * stepsPerEpoch + at,
        total: options.maxEpochs * stepsPerEpoch,
      };
      tf.tidy(() => {
        const clean = { batch: table.batch(tf, rows), labels: labelsOf(tf, head, labels, rows) };
        const seen = hooks.craft?.(clean, step, rows) ?? clean;
        const { value, grads } = tf.variableGrads(() => {
          const { logits, auxiliary } = trainingPass(network, seen.batch, seen.labels, step);
          const loss = crossEntropy(tf, head, logits, seen.labels, classWeights);
          return auxiliary ? tf.add(loss, auxiliary) : loss;
        }, trained);
        optimiser.applyGradients(inOrder(trained, grads));
        lossSum += (value.dataSync()[0] as number) * rows.length;
      });
    }

    const devs = [data.dev, ...(hooks.craftDev ? [hooks.craftDev()] : [])].map((rows) =>
      judge(head, predict(tf, network, head, rows.table), rows.labels, classWeights),
    );
    const mean = (of: 'loss' | 'macroF1' | 'balancedAccuracy'): number =>
      devs.reduce((sum, judged) => sum + judged[of], 0) / devs.length;
    const guard = hooks.guard?.();
    const figures = {
      devLoss: mean('loss'),
      devMacroF1: mean('macroF1'),
      devBalancedAccuracy: mean('balancedAccuracy'),
      ...(guard ? { guard } : {}),
    };
    const figure = (of: Omit<EpochReport, 'best' | 'epoch' | 'trainLoss'>): number => {
      if (of.guard) return guardScore(of.guard);
      if (options.stopOn === 'loss') return -of.devLoss;
      return options.stopOn === 'macroF1' ? of.devMacroF1 : of.devBalancedAccuracy;
    };
    const ruined = guard && caughtBy([...state.history, figures].flatMap((of) => of.guard ?? [])) !== null;
    const report: EpochReport = {
      epoch,
      trainLoss: lossSum / table.count,
      ...figures,
      best: !ruined && figure(figures) > Math.max(Number.NEGATIVE_INFINITY, ...state.history.map(figure)),
    };
    const weights = weightsNow();
    state = {
      epoch,
      bestEpoch: report.best ? epoch : state.bestEpoch,
      history: [...state.history, report],
      weights,
      optimiser: await optimiserState(optimiser),
      best: report.best ? weights : state.best,
    };
    optimiser.dispose();
    await hooks.checkpoints?.save(state);
    hooks.report(report);
  }

  assignAll(tf, all, state.best);
  return { epochs: state.epoch, bestEpoch: state.bestEpoch, history: state.history, caught: caught() };
}

/** Logits of all rows. [count, outputs] */
export function predict(tf: Tf, network: Network, head: Head, table: FeatureTable): Float32Array {
  const logits = new Float32Array(table.count * head.outputs);
  const size = table.columns.includes('pixels') ? 32 : 256;
  for (let from = 0; from < table.count; from += size) {
    const rows = Array.from({ length: Math.min(size, table.count - from) }, (_, i) => from + i);
    tf.tidy(() => {
      logits.set(network.forward(table.batch(tf, rows)).dataSync() as Float32Array, from * head.outputs);
    });
  }
  return logits;
}

/** @param epoch from 1 */
export function rateOf(
  { learningRate, schedule, maxEpochs }: Pick<TrainingOptions, 'learningRate' | 'schedule' | 'maxEpochs'>,
  epoch: number,
): number {
  if (schedule === 'eann') return learningRate / (1 + (10 * (epoch - 1)) / 100) ** 0.75;
  return schedule === 'linear' ? learningRate * (1 - (epoch - 1) / maxEpochs) : learningRate;
}

const trainableOf = (network: Network): Variable[] =>
  network.layers.trainableWeights.map((weight) => weight.read() as Variable);

/** [rows, outputs] */
function labelsOf(tf: Tf, head: Head, labels: Float32Array, rows: readonly number[]): Tensor2D {
  const { outputs } = head;
  const values = new Float32Array(rows.length * outputs);
  rows.forEach((row, i) => {
    values.set(labels.subarray(row * outputs, (row + 1) * outputs), i * outputs);
  });
  return tf.tensor2d(values, [rows.length, outputs]);
}

/**
 * The gradients under the names of all trained variables, always the same ones in the same order: Adam keeps its moments
 * by place. A variable that the loss did not touch (the branch of an absent modality) stays as it is.
 */
const inOrder = (variables: readonly Variable[], gradients: NamedTensorMap): Record<string, Variable> =>
  Object.fromEntries(variables.map(({ name }) => [name, gradients[name] as Variable]));

function assignAll(tf: Tf, variables: readonly Variable[], values: readonly Float32Array[]): void {
  tf.tidy(() => {
    variables.forEach((variable, i) => {
      const stored = values[i];
      if (stored) variable.assign(tf.tensor(stored, variable.shape));
    });
  });
}

async function optimiserState(optimiser: AdamOptimizer): Promise<Snapshot['optimiser']> {
  const named = await optimiser.getWeights();
  const state = named.map(({ name, tensor }) => ({
    name,
    shape: tensor.shape,
    values: Float32Array.from(tensor.dataSync()),
  }));
  named[0]?.tensor.dispose(); // the step count is made for this call; the moments belong to the optimiser
  return state;
}

async function optimiserFrom(
  tf: Tf,
  learningRate: number,
  state: Snapshot['optimiser'],
): Promise<AdamOptimizer> {
  const optimiser = tf.train.adam(learningRate);
  if (state.length === 0) return optimiser;
  const named = state.map(({ name, shape, values }) => ({
    name,
    tensor: name === 'iter' ? tf.scalar(values[0] as number, 'int32') : tf.tensor(values, [...shape]),
  }));
  await optimiser.setWeights(named);
  tf.dispose(named.map(({ tensor }) => tensor)); // the optimiser has variables of its own over the same memory
  return optimiser;
}

/** Trains an MMN: one flat loop, seeded, early stopping on the dev loss, a checkpoint after every epoch. */
import type { AdamOptimizer, Scalar, Tensor2D, Tensor3D, Tensor4D, Variable } from '@tensorflow/tfjs';
import { seededRandom, shuffled } from '../base/random.ts';
import type { Tf } from '../models/engine/tf.ts';
import { type Mmn, type MmnModality, trainableWeights } from '../models/mmn.ts';
import { gatherVectors, MAX_WORDS, WORD_DIMENSIONS } from '../models/words.ts';
import type { CheckpointStore, EpochReport, Snapshot } from './checkpoint.ts';
import { measure, sigmoid } from './measure.ts';

/** Each value with its reason; unknown options are a type error. */
export interface TrainingOptions {
  /** Order of the posts, dropped units, dropped modalities. */
  readonly seed: number;
  /** MMAT §IV-B. */
  readonly batch: number;
  /** Adam's usual rate; the paper names none. */
  readonly learningRate: number;
  readonly maxEpochs: number;
  /** Epochs without a lower dev loss before training ends; the best epoch's weights are kept. */
  readonly patience: number;
  /** Weighs the classes equally, so that the larger one does not win by size. */
  readonly classWeights: boolean;
  /** Share of pairs that lose their text, and share that lose their picture, while training. */
  readonly modalityDropout: number;
}

export const TRAINING_DEFAULTS: Omit<TrainingOptions, 'seed'> = {
  batch: 32,
  learningRate: 1e-3,
  maxEpochs: 60,
  patience: 5,
  classWeights: true,
  modalityDropout: 0.25,
};

/** A labelled post as the network sees it. */
export interface TrainingRow {
  /** Rows of the word table. [15] */
  readonly words: Int32Array;
  /** RGB bytes. [64, 64, 3] */
  readonly pixels: Uint8Array | null;
  readonly label: 0 | 1;
}

export interface TrainingResult {
  readonly epochs: number;
  readonly bestEpoch: number;
  readonly modalities: readonly MmnModality[];
  readonly history: readonly EpochReport[];
}

/**
 * Fits `mmn` in place. Continues from the checkpoint where there is one, with the result that an undisturbed run has.
 * The picture branch trains only on pairs; without any it keeps its first weights.
 * @param table word vectors [rows, 100]
 * @param report called after each epoch
 */
export async function trainMmn(
  tf: Tf,
  mmn: Mmn,
  table: Float32Array,
  data: { readonly train: readonly TrainingRow[]; readonly dev: readonly TrainingRow[] },
  options: TrainingOptions,
  hooks: { readonly checkpoints: CheckpointStore | null; readonly report: (epoch: EpochReport) => void },
): Promise<TrainingResult> {
  const pairs = data.train.some(({ pixels }) => pixels !== null);
  const modalities: readonly MmnModality[] = pairs ? ['text', 'image'] : ['text'];
  const variables = trainableWeights(mmn, modalities);
  const positives = data.train.filter(({ label }) => label === 1).length;
  const weightOf = (label: 0 | 1): number =>
    options.classWeights ? data.train.length / (2 * (label ? positives : data.train.length - positives)) : 1;

  let state: Snapshot = { epoch: 0, bestEpoch: 0, history: [], weights: [], optimiser: [], best: [] };
  const restored = await hooks.checkpoints?.load();
  if (restored) {
    state = restored;
    assignAll(tf, variables, state.weights);
  }

  while (state.epoch < options.maxEpochs && state.epoch - state.bestEpoch < options.patience) {
    const epoch = state.epoch + 1;
    // Made anew from the snapshot each time, so that an epoch is the same whether or not the run was interrupted before.
    const optimiser = await optimiserFrom(tf, options.learningRate, state.optimiser);
    const random = seededRandom(options.seed * 1_000 + epoch);
    const order = shuffled(data.train, random);
    let lossSum = 0;
    for (let from = 0; from < order.length; from += options.batch) {
      const rows = order.slice(from, from + options.batch);
      const dropoutSeed = Math.floor(random() * 2 ** 31);
      const loss = optimiser.minimize(
        () => {
          const inputs = toTensors(tf, table, rows, modalities, (row) =>
            dropModality(row, random(), options.modalityDropout),
          );
          return meanLoss(tf, mmn.forward(inputs, dropoutSeed), rows, weightOf);
        },
        true,
        variables,
      ) as Scalar;
      lossSum += (loss.dataSync()[0] as number) * rows.length;
      loss.dispose();
    }
    const dev = evaluateRows(tf, mmn, table, data.dev, modalities, weightOf);
    const lowest = Math.min(Number.POSITIVE_INFINITY, ...state.history.map(({ devLoss }) => devLoss));
    const report: EpochReport = {
      epoch,
      trainLoss: lossSum / order.length,
      devLoss: dev.loss,
      devMacroF1: dev.macroF1,
      best: dev.loss < lowest,
    };
    const weights = variables.map((variable) => variable.dataSync().slice() as Float32Array);
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

  assignAll(tf, variables, state.best);
  return { epochs: state.epoch, bestEpoch: state.bestEpoch, modalities, history: state.history };
}

/** Logits of posts, the picture counted where there is one and `modalities` says so. */
export function predictRows(
  tf: Tf,
  mmn: Mmn,
  table: Float32Array,
  rows: readonly TrainingRow[],
  modalities: readonly MmnModality[],
): Float32Array {
  const logits = new Float32Array(rows.length);
  const size = modalities.includes('image') ? 32 : 256;
  for (let from = 0; from < rows.length; from += size) {
    const batch = rows.slice(from, from + size);
    tf.tidy(() => {
      logits.set(mmn.forward(toTensors(tf, table, batch, modalities)).dataSync() as Float32Array, from);
    });
  }
  return logits;
}

function evaluateRows(
  tf: Tf,
  mmn: Mmn,
  table: Float32Array,
  rows: readonly TrainingRow[],
  modalities: readonly MmnModality[],
  weightOf: (label: 0 | 1) => number,
): { loss: number; macroF1: number } {
  const logits = predictRows(tf, mmn, table, rows, modalities);
  const loss = rows.reduce((sum, { label }, i) => {
    const z = logits[i] as number;
    return sum + weightOf(label) * (Math.max(z, 0) - z * label + Math.log1p(Math.exp(-Math.abs(z))));
  }, 0);
  const { macroF1 } = measure({
    probability: Array.from(logits, sigmoid),
    label: rows.map(({ label }) => label),
  });
  return { loss: loss / Math.max(1, rows.length), macroF1: macroF1.value };
}

/** Weighted binary cross-entropy. */
function meanLoss(
  tf: Tf,
  logits: Tensor2D,
  rows: readonly TrainingRow[],
  weightOf: (label: 0 | 1) => number,
): Scalar {
  const labels = tf.tensor2d(
    rows.map(({ label }) => label),
    [rows.length, 1],
  );
  const weights = tf.tensor2d(
    rows.map(({ label }) => weightOf(label)),
    [rows.length, 1],
  );
  return tf.losses.sigmoidCrossEntropy(labels, logits, weights, 0, tf.Reduction.MEAN) as Scalar;
}

interface Kept {
  readonly text: boolean;
  readonly image: boolean;
}

/** Which modalities a row shows to the network this time; a row always keeps one. */
function dropModality({ pixels }: TrainingRow, chance: number, share: number): Kept {
  if (!pixels) return { text: true, image: false };
  return { text: chance >= share, image: chance < 1 - share };
}

/** words [b, 15, 100], pictures [b, 64, 64, 3] in [0, 1] (null in a text-only model), present [b, 2] */
function toTensors(
  tf: Tf,
  table: Float32Array,
  rows: readonly TrainingRow[],
  modalities: readonly MmnModality[],
  keep: (row: TrainingRow) => Kept = ({ pixels }) => ({ text: true, image: pixels !== null }),
): { words: Tensor3D; pictures: Tensor4D | null; present?: Tensor2D } {
  const ids = new Int32Array(rows.length * MAX_WORDS);
  rows.forEach((row, i) => {
    ids.set(row.words, i * MAX_WORDS);
  });
  const vectors = gatherVectors(table, ids, new Float32Array(ids.length * WORD_DIMENSIONS));
  const words = tf.tensor3d(vectors, [rows.length, MAX_WORDS, WORD_DIMENSIONS]);
  if (!modalities.includes('image')) return { words, pictures: null };
  const bytes = new Float32Array(rows.length * 64 * 64 * 3);
  const present = new Float32Array(rows.length * 2);
  rows.forEach((row, i) => {
    const { text, image } = keep(row);
    present.set([Number(text), Number(image)], i * 2);
    row.pixels?.forEach((value, k) => {
      bytes[i * 64 * 64 * 3 + k] = value / 255;
    });
  });
  return {
    words,
    pictures: tf.tensor4d(bytes, [rows.length, 64, 64, 3]),
    present: tf.tensor2d(present, [rows.length, 2]),
  };
}

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

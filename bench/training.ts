/**
 * What training and attacks cost on each tfjs backend that is present: a training step (forward, backward, Adam), the
 * gradient of the loss with respect to the inputs (what FGSM needs), and a forward pass, for MMN and MAFN in batches of 32,
 * beside a plain matrix product in the same run. `wasm-plain` is wasm with the kernels that it lacks but without the three
 * that replace slow ones. Each backend has processes of its own, in turns; medians over turns and steps.
 * Prints one JSON object. Run: node --import tsx bench/training.ts
 */
import { spawnSync } from 'node:child_process';
import type { AdamOptimizer, Scalar, Tensor, Tensor2D, Variable } from '@tensorflow/tfjs';
import { seededRandom } from '../src/base/random.ts';
import { cacheDir } from '../src/config/cache.ts';
import { type BackendName, probeBackends } from '../src/models/engine/backends.ts';
import { describeEngine, openEngine } from '../src/models/engine/engine.ts';
import type { Tf } from '../src/models/engine/tf.ts';
import type { Batch, Column, Dims } from '../src/models/zoo/contract.ts';
import { architecture } from '../src/models/zoo/zoo.ts';
import { machine, median, round } from './lib/machine.ts';

const BATCH = 32;
const TURNS = 3;
/** A measurement ends after this many steps or milliseconds, whichever is first, but not before 3 steps. */
const MOST_STEPS = 40;
const MOST_MS = 5_000;
/** Multiply-adds of one sample through the MMN, times two. */
const MMN_FLOP = 12.2e6;
/** MiniLM and EfficientNet-lite0, texts of 32 tokens. */
const DIMS: Dims = { tokens: 32, text: 384, imageLogits: 1_000, imageFeatures: 1_280, events: 4 };
const SHAPES: Readonly<Partial<Record<Column, readonly number[]>>> = {
  words: [15, 100],
  pixels: [64, 64, 3],
  tokens: [DIMS.tokens, DIMS.text],
  imageLogits: [DIMS.imageLogits],
};
const SLOW_ORIGINALS = ['Conv2DBackpropInput', 'MaxPoolGrad', 'BatchMatMul'];

/** A network under test: its logits as a function of the inputs that an attack changes. */
interface Contender {
  readonly inputs: Tensor[];
  readonly variables: Variable[] | undefined;
  readonly logits: (inputs: readonly Tensor[]) => Tensor2D;
}

/** An architecture of the zoo on a made batch. @param attacked its columns that the gradient is taken of */
function contender(
  tf: Tf,
  name: string,
  attacked: readonly Column[],
  floats: (shape: number[]) => Tensor,
): Contender {
  const row = architecture(name);
  const network = row.build(tf, row.defaults, DIMS, { kind: 'sigmoid', outputs: 1 }, 1);
  const fixed: Batch = {
    tokenMask: tf.ones([BATCH, DIMS.tokens]),
    entities: tf.ones([BATCH, 16]),
    present: tf.ones([BATCH, 2]),
    sentence: floats([BATCH, DIMS.text]),
    imageFeatures: floats([BATCH, DIMS.imageFeatures]),
  };
  const step = { seed: 1, done: 1, total: 100 };
  return {
    inputs: attacked.map((column) => floats([BATCH, ...(SHAPES[column] ?? [])])),
    variables: network.trainable?.(),
    logits: (inputs) => {
      const given = Object.fromEntries(attacked.map((column, i) => [column, inputs[i] as Tensor]));
      return network.forward({ ...fixed, ...given }, step);
    },
  };
}

/** Median time of a step in ms, the first three left out. */
function time(step: () => void): number {
  for (let i = 0; i < 3; i += 1) step();
  const times: number[] = [];
  const start = performance.now();
  while (times.length < 3 || (times.length < MOST_STEPS && performance.now() - start < MOST_MS)) {
    const from = performance.now();
    step();
    times.push(performance.now() - from);
  }
  return median(times);
}

function measureContender(tf: Tf, { inputs, variables, logits }: Contender): Record<string, number> {
  const labels = tf.tensor2d(Array.from({ length: BATCH }, (_, i) => [i % 2]));
  const loss = (...given: Tensor[]): Scalar => tf.losses.sigmoidCrossEntropy(labels, logits(given)) as Scalar;
  const optimiser: AdamOptimizer = tf.train.adam(1e-3);
  const forwardMs = time(() => tf.tidy(() => void logits(inputs).dataSync()));
  const trainingStepMs = time(() => {
    const value = optimiser.minimize(() => loss(...inputs), true, variables);
    value?.dataSync();
    value?.dispose();
  });
  const inputGradientMs = time(() =>
    tf.tidy(() => {
      for (const gradient of tf.grads(loss)(inputs)) gradient.dataSync();
    }),
  );
  return { forwardMs, trainingStepMs, inputGradientMs };
}

/** One backend, in this process. */
async function measureEngine(name: string): Promise<object> {
  const originals: Parameters<Tf['registerKernel']>[0][] = [];
  if (name === 'wasm-plain') {
    const { getKernel } = await import('@tensorflow/tfjs');
    await import('@tensorflow/tfjs-backend-wasm');
    originals.push(...SLOW_ORIGINALS.map((kernel) => getKernel(kernel, 'wasm')));
  }
  const tf = await openEngine({ backend: (name === 'wasm-plain' ? 'wasm' : name) as BackendName });
  for (const original of originals) {
    tf.unregisterKernel(original.kernelName, 'wasm');
    tf.registerKernel(original);
  }
  const random = seededRandom(1);
  const floats = (shape: number[]): Tensor => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() - 0.5);
    return tf.tensor(values, shape);
  };
  const [a, b] = [floats([1_024, 1_024]), floats([1_024, 1_024])];
  const productMs = time(() => tf.tidy(() => void tf.matMul(a, b).dataSync()));
  return {
    engine: describeEngine(tf),
    productMs,
    mmn: measureContender(tf, contender(tf, 'mmn', ['words', 'pixels'], floats)),
    mafn: measureContender(tf, contender(tf, 'mafn', ['tokens', 'imageLogits'], floats)),
  };
}

interface Turn {
  readonly engine: string;
  readonly productMs: number;
  readonly mmn: Record<string, number>;
  readonly mafn: Record<string, number>;
}

function turnOf(name: string): Turn {
  const args = ['--import', 'tsx', process.argv[1] as string, '--engine', name];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (run.status !== 0) throw new Error(`${name} ended with ${run.status ?? run.signal}`);
  return JSON.parse(run.stdout) as Turn;
}

const at = process.argv.indexOf('--engine');
if (at > 0) {
  process.stdout.write(JSON.stringify(await measureEngine(process.argv[at + 1] as string)));
  process.exit(0);
}

const present = probeBackends(cacheDir()).filter((state) => state.present);
const names = ['wasm-plain', ...present.map(({ name }) => name)];
const turns = Array.from({ length: TURNS }, () => names.map(turnOf));
const backends = Object.fromEntries(
  names.map((name, i) => {
    const mine = turns.map((turn) => turn[i] as Turn);
    const middle = (pick: (turn: Turn) => number): number => median(mine.map(pick));
    const figures = (model: 'mmn' | 'mafn'): Record<string, number> => ({
      forwardPerSecond: Math.round((BATCH / middle((turn) => turn[model]['forwardMs'] as number)) * 1_000),
      trainingStepMs: round(middle((turn) => turn[model]['trainingStepMs'] as number)),
      inputGradientMs: round(middle((turn) => turn[model]['inputGradientMs'] as number)),
    });
    const productGflops = (2 * 1_024 ** 3) / middle(({ productMs }) => productMs) / 1e6;
    const mmnFigures = figures('mmn');
    return [
      name,
      {
        engine: mine[0]?.engine,
        productGflops: Math.round(productGflops),
        mmn: {
          ...mmnFigures,
          shareOfProduct: round(
            ((mmnFigures['forwardPerSecond'] as number) * MMN_FLOP) / 1e9 / productGflops,
            2,
          ),
        },
        mafn: figures('mafn'),
      },
    ];
  }),
);
process.stdout.write(`${JSON.stringify({ machine: machine(), batch: BATCH, backends })}\n`);

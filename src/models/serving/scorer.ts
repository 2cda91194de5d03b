/** Opens an artefact for serving: verified bytes, threads, golden batch, calibrated probabilities. */
import { type Clock, systemClock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { ARTEFACT_FILES, type Artefact, loadArtefact } from '../artefact.ts';
import { closeTo, type Golden, parseGolden } from '../golden.ts';
import type { Calibration, Manifest } from '../manifest.ts';
import type { ScoreInput, ScoreOutput, Scorer } from '../port.ts';
import { loadVocabulary, loadWordVectors, MAX_WORDS } from '../words.ts';
import { openScorePool, type ScorePool } from './pool.ts';
import { LOGITS, PIXELS } from './protocol.ts';

const BACKEND = 'onnxruntime-node';
/** Most posts in one message to a thread; a batch is spread over the threads in pieces of at least MIN_JOB. */
const MAX_JOB = 256;
const MIN_JOB = 32;

export interface ScorerOptions {
  /** Artefact folder. */
  readonly dir: string;
  /** Threads, one ONNX Runtime thread each. */
  readonly threads: number;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock?: Clock;
}

/**
 * Loads a model, checks its golden batch on every thread and serves it. Throws MODEL_INVALID when a file is not what
 * the manifest says, the word table is another one, or a golden logit differs.
 */
export async function openScorer(options: ScorerOptions): Promise<Scorer> {
  const { dir, threads, metrics, log, clock = systemClock } = options;
  const artefact = await loadArtefact(dir);
  const { manifest } = artefact;
  const vocabulary = loadVocabulary();
  if (manifest.words?.id !== vocabulary.id)
    throw new TocsinError(
      'MODEL_INVALID',
      `Loading the model in ${dir}: it was trained on another word table.`,
    );
  const pictures = manifest.modalities.image === 'trained';
  const pool = await openScorePool({
    threads,
    log,
    data: {
      text: artefact.bytes(ARTEFACT_FILES.text),
      joint: pictures ? artefact.bytes(ARTEFACT_FILES.joint) : null,
      table: loadWordVectors().buffer as SharedArrayBuffer,
    },
  });
  try {
    const golden = parseGolden(artefact.bytes(ARTEFACT_FILES.golden));
    for (const { text, words } of golden.texts)
      if (vocabulary.encode(text).some((id, i) => id !== words[i]))
        throw new TocsinError(
          'MODEL_INVALID',
          `Warming up the model in ${dir}: texts are split into other words.`,
        );
    for (let thread = 0; thread < threads; thread += 1) await checkGolden(pool, thread, golden, artefact);
  } catch (thrown) {
    await pool.close();
    throw thrown;
  }
  metrics.set('tocsin_model_info', 1, { model: manifest.name, version: manifest.version, backend: BACKEND });
  const served = manifest.files[pictures ? ARTEFACT_FILES.joint : ARTEFACT_FILES.text];

  return {
    model: { name: manifest.name, version: manifest.version, sha256: served?.sha256 ?? '' },
    thresholds: manifest.thresholds,
    async score(batch) {
      const started = clock.monotonic();
      const outputs: ScoreOutput[] = new Array(batch.length);
      const text: number[] = [];
      const joint: number[] = [];
      batch.forEach((input, i) => {
        if (pictures && input.pixels) joint.push(i);
        else if (hasWords(input)) text.push(i);
        else outputs[i] = NOTHING;
      });
      await Promise.all([
        ...pieces(text, threads).map(async (piece) => {
          const logits = await pool.run(gather(batch, piece, false));
          piece.forEach((index, i) => {
            outputs[index] = textOutput(manifest, logits[i] as number);
          });
        }),
        ...pieces(joint, threads).map(async (piece) => {
          const logits = await pool.run(gather(batch, piece, true));
          piece.forEach((index, i) => {
            const row = logits.subarray(i * LOGITS.length, (i + 1) * LOGITS.length);
            outputs[index] = jointOutput(manifest, row, hasWords(batch[index] as ScoreInput));
          });
        }),
      ]);
      metrics.observe('tocsin_inference_duration_seconds', (clock.monotonic() - started) / 1_000, {
        model: manifest.name,
        backend: BACKEND,
      });
      return outputs;
    },
    close: () => pool.close(),
  };
}

/** A post without one known word gives the network nothing but its biases: no score is the honest one. */
const NOTHING: ScoreOutput = { probability: null, byModality: { text: null, image: null }, modalities: [] };

const hasWords = (input: ScoreInput): boolean => input.words.some((id) => id !== 0);

function textOutput({ calibration }: Manifest, logit: number): ScoreOutput {
  const probability = calibrated(logit, calibration.text);
  return { probability, byModality: { text: probability, image: null }, modalities: ['text'] };
}

function jointOutput(
  { calibration, modalities }: Manifest,
  logits: Float32Array,
  words: boolean,
): ScoreOutput {
  const [both, text, image] = logits as unknown as [number, number, number];
  const fromImage = calibrated(image, calibration.image);
  if (!words || modalities.text !== 'trained')
    return { probability: fromImage, byModality: { text: null, image: fromImage }, modalities: ['image'] };
  return {
    probability: calibrated(both, calibration.both),
    byModality: { text: calibrated(text, calibration.text), image: fromImage },
    modalities: ['text', 'image'],
  };
}

/** A logit → the share of such posts that are positive. Null where the model has no calibration for it. */
export function calibrated(logit: number, calibration: Calibration | null): number | null {
  return calibration ? 1 / (1 + Math.exp(-(calibration.scale * logit + calibration.bias))) : null;
}

/** Cuts indexes into jobs, so that all threads have work and no job is very large. */
function pieces(indexes: readonly number[], threads: number): number[][] {
  const size = Math.min(MAX_JOB, Math.max(MIN_JOB, Math.ceil(indexes.length / threads)));
  const out: number[][] = [];
  for (let from = 0; from < indexes.length; from += size) out.push(indexes.slice(from, from + size));
  return out;
}

function gather(
  batch: readonly ScoreInput[],
  indexes: readonly number[],
  withPixels: boolean,
): { count: number; words: Int32Array; pixels: Uint8Array | null } {
  const words = new Int32Array(indexes.length * MAX_WORDS);
  const pixels = withPixels ? new Uint8Array(indexes.length * PIXELS) : null;
  indexes.forEach((index, i) => {
    const input = batch[index] as ScoreInput;
    words.set(input.words, i * MAX_WORDS);
    if (pixels && input.pixels) pixels.set(input.pixels, i * PIXELS);
  });
  return { count: indexes.length, words, pixels };
}

/** Golden logits must be those of training, and those of a post alone must be those of the batch, bit for bit. */
async function checkGolden(
  pool: ScorePool,
  thread: number,
  golden: Golden,
  artefact: Artefact,
): Promise<void> {
  const refuse = (what: string): TocsinError =>
    new TocsinError('MODEL_INVALID', `Warming up the model in ${artefact.dir}: ${what}`);
  const run = async (inputs: readonly ScoreInput[], withPixels: boolean): Promise<Float32Array> => {
    const indexes = inputs.map((_, i) => i);
    const together = await pool.run(gather(inputs, indexes, withPixels), thread);
    const width = together.length / inputs.length;
    for (const i of indexes) {
      const alone = await pool.run(gather(inputs, [i], withPixels), thread);
      if (alone.some((logit, column) => logit !== together[i * width + column]))
        throw refuse('a score depends on its neighbours in the batch.');
    }
    return together;
  };
  const words = golden.texts.map((row) => Int32Array.from(row.words));
  const text = await run(
    words.map((w) => ({ words: w, pixels: null })),
    false,
  );
  golden.texts.forEach(({ textLogit }, i) => {
    if (!closeTo(text[i] as number, textLogit))
      throw refuse(`golden text ${i} scores ${text[i]}, not ${textLogit}.`);
  });
  if (artefact.manifest.modalities.image !== 'trained') return;
  const joint = await run(
    golden.pictures.map((row) => ({
      words: words[row.text] ?? new Int32Array(MAX_WORDS),
      pixels: Buffer.from(row.pixels, 'base64'),
    })),
    true,
  );
  golden.pictures.forEach((row, i) => {
    const wanted = [row.logit, golden.texts[row.text]?.textLogit ?? Number.NaN, row.imageLogit];
    wanted.forEach((logit, column) => {
      const actual = joint[i * LOGITS.length + column] as number;
      if (!closeTo(actual, logit)) throw refuse(`golden picture ${i} scores ${actual}, not ${logit}.`);
    });
  });
}

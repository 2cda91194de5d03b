/** Opens an artefact's graphs for serving: verified bytes, threads, golden batch; from posts to logits. */
import { type Clock, systemClock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { ModelRef } from '../../event/records.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { ARTEFACT_FILES, type Artefact, loadArtefact } from '../artefact.ts';
import { closeTo, type Golden, parseGolden } from '../golden.ts';
import type { Manifest } from '../manifest.ts';
import type { Reading, ScoreInput } from '../port.ts';
import { loadAllWords, MAX_WORDS, type Words } from '../words.ts';
import { openScorePool, type ScorePool } from './pool.ts';
import { LOGITS, PIXELS } from './protocol.ts';

const BACKEND = 'onnxruntime-node';
/** Most posts in one message to a thread; a batch is spread over the threads in pieces of at least MIN_JOB. */
const MAX_JOB = 256;
const MIN_JOB = 32;

export interface ScorerOptions {
  /** Artefact folder. */
  readonly dir: string;
  /** What lies there, where the caller has verified it already; else it is loaded. */
  readonly artefact?: Artefact;
  /** The words of some readings, where the caller has them already; else all are loaded. */
  readonly words?: readonly Words[];
  /** Threads, one ONNX Runtime thread each. */
  readonly threads: number;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock?: Clock;
}

/** Logits of one post by what they rest on, each [outputs]; null where the model could not or must not look. */
export interface PostLogits {
  readonly text: Float32Array | null;
  readonly image: Float32Array | null;
  readonly both: Float32Array | null;
}

export interface Graphs {
  readonly manifest: Manifest;
  readonly model: ModelRef;
  readonly reading: Reading;
  /** One row per post, in order; it does not depend on the neighbours in the batch. */
  logits(batch: readonly ScoreInput[]): Promise<readonly PostLogits[]>;
  close(): Promise<void>;
}

/** A post without one known word gives the network nothing but its biases: no score is the honest one. */
const NOTHING: PostLogits = { text: null, image: null, both: null };

/**
 * Loads a model and checks its golden batch on every thread. Throws MODEL_INVALID when a file is not what the manifest
 * says, the word table is another one, or a golden logit differs.
 */
export async function openGraphs(options: ScorerOptions): Promise<Graphs> {
  const { dir, threads, metrics, log, clock = systemClock } = options;
  const artefact = options.artefact ?? (await loadArtefact(dir));
  const { manifest } = artefact;
  const words = options.words ?? Object.values(loadAllWords());
  const own = words.find(({ vocabulary }) => vocabulary.id === manifest.words?.id);
  if (!own)
    throw new TocsinError(
      'MODEL_INVALID',
      `Loading the model in ${dir}: it was trained on another word table.`,
    );
  const { reading, vocabulary, halves } = own;
  const pictures = manifest.modalities.image === 'trained';
  const readsText = manifest.modalities.text === 'trained';
  const { outputs } = manifest.architecture.head;
  const pool = await openScorePool({
    threads,
    log,
    data: {
      text: artefact.bytes(ARTEFACT_FILES.text),
      joint: pictures ? artefact.bytes(ARTEFACT_FILES.joint) : null,
      outputs,
      table: halves.buffer as SharedArrayBuffer,
    },
  });
  try {
    const golden = parseGolden(artefact.bytes(ARTEFACT_FILES.golden));
    for (const { text, words: rows } of golden.texts)
      if (vocabulary.encode(text).some((id, i) => id !== rows[i]))
        throw new TocsinError(
          'MODEL_INVALID',
          `Warming up the model in ${dir}: texts are split into other words.`,
        );
    for (let thread = 0; thread < threads; thread += 1) await checkGolden(pool, thread, golden, artefact);
  } catch (thrown) {
    await pool.close();
    throw unfit(thrown, dir);
  }
  const info = { model: manifest.name, version: manifest.version, backend: BACKEND };
  metrics.set('tocsin_model_info', 1, info);
  const served = manifest.files[pictures ? ARTEFACT_FILES.joint : ARTEFACT_FILES.text];

  return {
    manifest,
    model: { name: manifest.name, version: manifest.version, sha256: served?.sha256 ?? '' },
    reading,
    async logits(batch) {
      const started = clock.monotonic();
      const rows: PostLogits[] = new Array(batch.length);
      const text: number[] = [];
      const joint: number[] = [];
      batch.forEach((input, i) => {
        if (pictures && input.pixels) joint.push(i);
        else if (readsText && hasWords(input)) text.push(i);
        else rows[i] = NOTHING;
      });
      await Promise.all([
        ...pieces(text, threads).map(async (piece) => {
          const answer = await pool.run(gather(batch, piece, false));
          piece.forEach((index, i) => {
            rows[index] = { ...NOTHING, text: answer.subarray(i * outputs, (i + 1) * outputs) };
          });
        }),
        ...pieces(joint, threads).map(async (piece) => {
          const answer = await pool.run(gather(batch, piece, true));
          piece.forEach((index, i) => {
            const [both, ofText, image] = LOGITS.map((_, block) => {
              const from = (i * LOGITS.length + block) * outputs;
              return answer.subarray(from, from + outputs);
            }) as [Float32Array, Float32Array, Float32Array];
            const reads = readsText && hasWords(batch[index] as ScoreInput);
            rows[index] = reads ? { both, text: ofText, image } : { ...NOTHING, image };
          });
        }),
      ]);
      metrics.observe('tocsin_inference_duration_seconds', (clock.monotonic() - started) / 1_000, {
        model: manifest.name,
        backend: BACKEND,
      });
      return rows;
    },
    async close() {
      metrics.set('tocsin_model_info', 0, info);
      await pool.close();
    },
  };
}

/** A model that cannot even score its own golden batch is not what it should be, whatever its graph said. */
export const unfit = (thrown: unknown, dir: string): unknown =>
  thrown instanceof TocsinError && thrown.code === 'INTERNAL'
    ? new TocsinError('MODEL_INVALID', `Warming up the model in ${dir}: it cannot score.`, { cause: thrown })
    : thrown;

/** What the scores of a post rest on. */
export const modalitiesOf = ({ text, image }: PostLogits): readonly ('text' | 'image')[] =>
  text ? (image ? ['text', 'image'] : ['text']) : image ? ['image'] : [];

const hasWords = (input: ScoreInput): boolean => input.words.some((id) => id !== 0);

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
  // Shared, so that a thread gets them without a copy.
  const pixels = withPixels ? new Uint8Array(new SharedArrayBuffer(indexes.length * PIXELS)) : null;
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
  const compare = (what: string, actual: Float32Array, wanted: readonly number[]): void => {
    const isEqual =
      actual.length === wanted.length && wanted.every((logit, k) => closeTo(actual[k] as number, logit));
    if (!isEqual) throw refuse(`${what} scores ${[...actual].join(', ')}, not ${wanted.join(', ')}.`);
  };
  const { outputs } = artefact.manifest.architecture.head;
  const words = golden.texts.map((row) => Int32Array.from(row.words));
  const text = await run(
    words.map((w) => ({ words: w, pixels: null })),
    false,
  );
  golden.texts.forEach(({ textLogit }, i) => {
    compare(`golden text ${i}`, text.subarray(i * outputs, (i + 1) * outputs), textLogit);
  });
  if (artefact.manifest.modalities.image !== 'trained') return;
  const joint = await run(
    golden.pictures.map((row) => ({
      words: words[row.text] ?? new Int32Array(MAX_WORDS),
      pixels: Buffer.from(row.pixels, 'base64'),
    })),
    true,
  );
  const width = LOGITS.length * outputs;
  golden.pictures.forEach((row, i) => {
    const wanted = [...row.logit, ...(golden.texts[row.text]?.textLogit ?? []), ...row.imageLogit];
    compare(`golden picture ${i}`, joint.subarray(i * width, (i + 1) * width), wanted);
  });
}

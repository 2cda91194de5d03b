/** Opens a rumour artefact for serving: MAFN with its frozen encoders, golden batch, calibrated probabilities. */
import { type Clock, systemClock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { startThread } from '../../base/thread.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { ARTEFACT_FILES, type Artefact, loadArtefact } from '../artefact.ts';
import { type CachedEncoder, memoryStore, withCache } from '../encoders/cache.ts';
import type { OpenEncoder } from '../encoders/catalogued.ts';
import type { Encoder, Modality } from '../encoders/contract.ts';
import { MARGIN_TOLERANCE, type Margins, parseRumourGolden } from '../golden-rumour.ts';
import type { Manifest } from '../manifest.ts';
import type { RumourInput, RumourScorer, ScoreOutput } from '../port.ts';
import { openThreadPool, type ThreadPool } from '../thread-pool.ts';
import { unfit } from './graphs.ts';
import { HEADS, type RumourJob, type RumourThreadData } from './rumour-protocol.ts';
import { calibrated } from './scorer.ts';

const BACKEND = 'onnxruntime-node';
/** Memory for vectors: some 3,000 texts and 3,000 pictures, the least recently used go first. */
const CACHE_BYTES = { text: 64_000_000, image: 16_000_000 } as const;

export interface RumourScorerOptions {
  /** Artefact folder. */
  readonly dir: string;
  /** What lies there, where the caller has verified it already; else it is loaded. */
  readonly artefact?: Artefact;
  readonly openEncoder: OpenEncoder;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock?: Clock;
}

/**
 * Loads a model with its encoders, checks the golden batch through all of them and serves it. Throws MODEL_INVALID when a
 * file is not what the manifest says, an encoder is not the one of training, or a golden margin differs;
 * DEPENDENCY_MISSING when an encoder is not installed.
 */
export async function openRumourScorer(options: RumourScorerOptions): Promise<RumourScorer> {
  const { dir, metrics, clock = systemClock } = options;
  const artefact = options.artefact ?? (await loadArtefact(dir));
  const { manifest } = artefact;
  const served = manifest.files[ARTEFACT_FILES.rumour];
  if (manifest.task !== 'rumour' || !served)
    throw new TocsinError('MODEL_INVALID', `Loading the model in ${dir}: it is no rumour model that serves.`);
  const parts = await openParts(artefact, options);
  try {
    await checkGolden(parts, artefact);
  } catch (thrown) {
    await closeAll(parts);
    throw unfit(thrown, dir);
  }
  const { name, version } = manifest;
  const info = { model: name, version, backend: BACKEND };
  metrics.set('tocsin_model_info', 1, info);
  return {
    model: { name, version, sha256: served.sha256 },
    thresholds: manifest.thresholds,
    async score(batch) {
      const started = clock.monotonic();
      const before = countsOf(parts);
      const margins = await marginsOf(
        parts,
        // A network that never saw a picture is shown none.
        manifest.modalities.image === 'trained' ? batch : batch.map(({ text }) => ({ text, picture: null })),
      );
      countEncoded(metrics, before, countsOf(parts));
      metrics.observe('tocsin_inference_duration_seconds', (clock.monotonic() - started) / 1_000, {
        model: name,
        backend: BACKEND,
      });
      return margins.map((row) => outputOf(manifest, row));
    },
    async close() {
      metrics.set('tocsin_model_info', 0, info);
      await closeAll(parts);
    },
  };
}

interface Parts {
  readonly text: CachedEncoder<'text'>;
  readonly image: CachedEncoder<'image'>;
  /** Answers with margins under each head, [contents, 3]. */
  readonly pool: ThreadPool<Omit<RumourJob, 'id'>, Float32Array>;
}

async function openParts(artefact: Artefact, { openEncoder, log }: RumourScorerOptions): Promise<Parts> {
  const opened: { close(): Promise<void> }[] = [];
  const open = async <M extends Modality>(modality: M): Promise<CachedEncoder<M>> => {
    const encoder = await openTrained(artefact, modality, openEncoder);
    const cached = withCache(encoder, memoryStore(CACHE_BYTES[modality]));
    opened.push(cached);
    return cached;
  };
  try {
    const text = await open('text');
    const image = await open('image');
    const data: RumourThreadData = {
      model: artefact.bytes(ARTEFACT_FILES.rumour),
      dims: artefact.manifest.architecture.dims,
      text: { id: text.id, outputs: text.outputs },
      image: { id: image.id, outputs: image.outputs },
    };
    const pool: Parts['pool'] = await openThreadPool({
      threads: 1, // the encoders are what takes time
      log,
      doing: 'Scoring contents for rumour',
      start: () =>
        startThread(import.meta.url, './rumour-thread', { workerData: data, name: 'tocsin-rumour' }),
    });
    return { text, image, pool };
  } catch (thrown) {
    await Promise.all(opened.map((one) => one.close()));
    throw thrown;
  }
}

/** The encoder that the manifest names, refused unless it is the very one of training. */
async function openTrained<M extends Modality>(
  { dir, manifest }: Artefact,
  modality: M,
  open: OpenEncoder,
): Promise<Encoder<M>> {
  const refuse = (what: string): TocsinError =>
    new TocsinError('MODEL_INVALID', `Loading the model in ${dir}: ${what}`);
  const wanted = manifest.encoders.find((encoder) => encoder.modality === modality);
  if (!wanted) throw refuse(`its manifest names no ${modality} encoder.`);
  const encoder = await open(wanted.id, modality);
  const { id, version, preprocess, weights } = encoder;
  if (version === wanted.version && preprocess === wanted.preprocess && weights.sha256 === wanted.sha256)
    return encoder;
  await encoder.close();
  throw refuse(`it was trained on another ${id} (weights ${wanted.sha256.slice(0, 12)}…).`);
}

async function closeAll({ text, image, pool }: Parts): Promise<void> {
  await Promise.all([text.close(), image.close(), pool.close()]);
}

/** Each content through its encoders and the network, as far as it has text and picture. */
async function marginsOf({ text, image, pool }: Parts, batch: readonly RumourInput[]): Promise<Margins[]> {
  const inputs = batch.map((input) => ({ ...input })); // told apart by identity below
  const spoken = inputs.filter((input) => input.text !== '');
  const pictured = inputs.filter(({ picture }) => picture !== null);
  const [tokens, vectors] = await Promise.all([
    text.encode(spoken.map((input) => input.text)),
    image.encode(pictured.map(({ picture }) => picture as Uint8Array)),
  ]);
  const asked = inputs.filter((input) => input.text !== '' || input.picture !== null);
  const contents = asked.map((input) => ({
    text: input.text,
    tokens: tokens[spoken.indexOf(input)] ?? null,
    picture: vectors[pictured.indexOf(input)] ?? null,
  }));
  const margins = contents.length === 0 ? new Float32Array() : await pool.run({ contents });
  return inputs.map((input) => {
    const at = asked.indexOf(input) * HEADS.length;
    const [hasText, hasPicture] = [input.text !== '', input.picture !== null];
    return {
      both: hasText && hasPicture ? (margins[at] as number) : null,
      text: hasText ? (margins[at + 1] as number) : null,
      image: hasPicture ? (margins[at + 2] as number) : null,
    };
  });
}

function outputOf({ calibration }: Manifest, margins: Margins): ScoreOutput {
  const share = (which: keyof Margins): number | null => {
    const margin = margins[which];
    return margin === null ? null : calibrated(margin, calibration[which]);
  };
  const [text, image] = [share('text'), share('image')];
  return {
    probability: share('both') ?? text ?? image,
    byModality: { text, image },
    modalities: [...(text === null ? [] : ['text' as const]), ...(image === null ? [] : ['image' as const])],
  };
}

/** Golden margins must be those of training, and those of a content alone must be those of the batch, bit for bit. */
async function checkGolden(parts: Parts, { dir, bytes }: Artefact): Promise<void> {
  const refuse = (what: string): TocsinError =>
    new TocsinError('MODEL_INVALID', `Warming up the model in ${dir}: ${what}`);
  const golden = parseRumourGolden(bytes(ARTEFACT_FILES.golden));
  const together = await marginsOf(
    parts,
    golden.map(({ input }) => input),
  );
  for (const [i, { input, margins }] of golden.entries()) {
    const [alone] = await marginsOf(parts, [input]);
    for (const which of ['both', 'text', 'image'] as const) {
      const [wanted, actual] = [margins[which], together[i]?.[which] ?? null];
      if (alone?.[which] !== actual) throw refuse('a score depends on its neighbours in the batch.');
      const isSame =
        wanted === null ? actual === null : actual !== null && Math.abs(actual - wanted) <= MARGIN_TOLERANCE;
      if (!isSame) throw refuse(`golden post ${i} has the margin ${actual} by ${which}, not ${wanted}.`);
    }
  }
}

type Counts = Readonly<Record<Modality, { readonly hits: number; readonly misses: number }>>;

const countsOf = ({ text, image }: Parts): Counts => ({
  text: { ...text.counts },
  image: { ...image.counts },
});

function countEncoded(metrics: Metrics, before: Counts, after: Counts): void {
  for (const modality of ['text', 'image'] as const)
    for (const [result, key] of [
      ['cached', 'hits'],
      ['encoded', 'misses'],
    ] as const)
      metrics.count(
        'tocsin_encoder_samples_total',
        { modality, result },
        after[modality][key] - before[modality][key],
      );
}

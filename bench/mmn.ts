/**
 * MMN samples per second: through the scorer (threads, gather, calibration) against a bare ONNX Runtime loop over a
 * ready tensor, for text alone and for text with picture. One scoring thread, one ONNX Runtime thread, batches of 256
 * posts. Prints one JSON object. Run: node --import tsx bench/mmn.ts [seconds per figure]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { silentLog } from '../src/base/log.ts';
import { seededRandom } from '../src/base/random.ts';
import { createMetrics } from '../src/metrics/metrics.ts';
import { ARTEFACT_FILES, loadArtefact } from '../src/models/artefact.ts';
import { openEngine } from '../src/models/engine/engine.ts';
import { buildMmn, MMN_DEFAULTS } from '../src/models/zoo/mmn.ts';
import type { ScoreInput, Scorer } from '../src/models/port.ts';
import { openScorer } from '../src/models/serving/scorer.ts';
import { CHAMPION_DIR } from '../src/registry/champions.ts';
import { drawnPictures } from '../test/support/drawn-pictures.ts';
import { writeTestArtefact } from '../test/support/test-artefact.ts';
import { machine, median, percentile, round, rssMiB } from './lib/machine.ts';

const SECONDS = Number(process.argv[2] ?? 3);
const BATCH = 256;
const TURNS = 7;

interface Contender {
  /** Samples that one step works on. */
  readonly samples: number;
  readonly step: () => Promise<unknown>;
}

/** Samples per second of each, taking turns so that both see the same load of the machine; medians over turns. */
async function ratesOf(contenders: readonly Contender[]): Promise<number[]> {
  const rates = contenders.map((): number[] => []);
  for (const { step } of contenders) for (let i = 0; i < 3; i += 1) await step();
  for (let turn = 0; turn < TURNS; turn += 1)
    for (const [i, { samples, step }] of contenders.entries()) {
      const start = performance.now();
      let done = 0;
      while (performance.now() - start < (SECONDS * 1_000) / TURNS) {
        await step();
        done += samples;
      }
      rates[i]?.push((done / (performance.now() - start)) * 1_000);
    }
  return rates.map(median);
}

const random = seededRandom(1);
const floats = (length: number): Float32Array => Float32Array.from({ length }, () => random() - 0.5);
/** A row as a text would have it: the table is ordered by frequency, and words follow Zipf's law. */
const zipf = (): number => Math.floor(Math.exp(random() * Math.log(50_000)));
const pixels = drawnPictures(8);
const posts = (withPicture: boolean): ScoreInput[] =>
  Array.from({ length: BATCH }, (_, i) => ({
    words: Int32Array.from({ length: 15 }, zipf),
    pixels: withPicture ? pixels.subarray((i % 8) * 12_288, ((i % 8) + 1) * 12_288) : null,
  }));
const open = (dir: string): Promise<Scorer> =>
  openScorer({ dir, threads: 1, metrics: createMetrics({ bare: true }), log: silentLog });

async function compare(dir: string, graph: string, withPicture: boolean, bareBatch: number): Promise<object> {
  const before = rssMiB(process.pid) ?? 0;
  const scorer = await open(dir);
  const batch = posts(withPicture);
  const feeds: Record<string, Tensor> = {
    words: new Tensor('float32', floats(bareBatch * 1_500), [bareBatch, 15, 100]),
    ...(withPicture
      ? { pictures: new Tensor('float32', floats(bareBatch * 12_288), [bareBatch, 64, 64, 3]) }
      : {}),
  };
  // The same graph on tensors that are ready: nothing but ONNX Runtime.
  const session = await InferenceSession.create((await loadArtefact(dir)).bytes(graph), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const rss = (rssMiB(process.pid) ?? 0) - before;
  const [scored = 0, bare = 0] = await ratesOf([
    { samples: BATCH, step: () => scorer.score(batch) },
    { samples: bareBatch, step: () => session.run(feeds) },
  ]);
  await session.release();
  const one = batch.slice(0, 1);
  const latencies: number[] = [];
  for (let i = 0; i < 500; i += 1) {
    const start = performance.now();
    await scorer.score(one);
    latencies.push(performance.now() - start);
  }
  await scorer.close();
  return {
    samplesPerSecond: Math.round(scored),
    bareSamplesPerSecond: Math.round(bare),
    ratio: round(scored / bare, 2),
    onePostMs: { p50: round(median(latencies), 2), p99: round(percentile(latencies, 0.99), 2) },
    rssMiB: rss,
  };
}

const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-mmn-'));
try {
  const text = await compare(CHAMPION_DIR, ARTEFACT_FILES.text, false, 64);
  // The shipped model has no trained picture branch; speed does not depend on the weights.
  const tf = await openEngine();
  const mmn = buildMmn(tf, MMN_DEFAULTS, { kind: 'sigmoid', outputs: 1 }, 1);
  const pictured = join(folder, 'pictured');
  await writeTestArtefact(tf, mmn, pictured, { image: 'trained' });
  const joint = await compare(pictured, ARTEFACT_FILES.joint, true, 16);
  process.stdout.write(`${JSON.stringify({ machine: machine(), threads: 1, text, joint })}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);

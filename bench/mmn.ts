/**
 * MMN samples per second: through the scorer (threads, gather, calibration) against a bare ONNX Runtime loop over a
 * ready tensor, for text alone and for text with picture. One scoring thread, one ONNX Runtime thread, slices of 256
 * posts. Prints one JSON object. Run: node --import tsx bench/mmn.ts [seconds per figure]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { machine } from '../src/base/machine.ts';
import { createMetrics } from '../src/metrics/metrics.ts';
import { openEngine } from '../src/models/engine/engine.ts';
import type { ScoreInput } from '../src/models/port.ts';
import { openScorer } from '../src/models/serving/scorer.ts';
import { spread, takeTurns } from '../src/models/speed/rates.ts';
import { servingSpeed } from '../src/models/speed/serving.ts';
import { openSgemm } from '../src/models/speed/sgemm.ts';
import { buildMmn, MMN_DEFAULTS } from '../src/models/zoo/mmn.ts';
import { CHAMPION_DIR } from '../src/registry/champions.ts';
import { megaflopOf } from '../src/training/network-speed.ts';
import { drawnPictures } from '../test/support/drawn-pictures.ts';
import { writeTestArtefact } from '../test/support/test-artefact.ts';
import { median, percentile, round, rssMiB } from './lib/machine.ts';

const SECONDS = Number(process.argv[2] ?? 3);
const TURNS = 7;

/** One post: `words` are rows of the word table; any will do. */
const post = (withPicture: boolean): ScoreInput => ({
  words: Int32Array.from({ length: 15 }, (_, i) => 1 + 97 * i),
  pixels: withPicture ? drawnPictures(1) : null,
});

async function measure(dir: string, graph: 'text' | 'joint') {
  const speed = await servingSpeed(dir, graph, TURNS, SECONDS / TURNS, systemClock);
  const before = rssMiB(process.pid) ?? 0;
  const scorer = await openScorer({
    dir,
    threads: 1,
    metrics: createMetrics({ bare: true }),
    log: silentLog,
  });
  const rss = (rssMiB(process.pid) ?? 0) - before;
  const one = [post(graph === 'joint')];
  const latencies: number[] = [];
  for (let i = 0; i < 500; i += 1) {
    const start = performance.now();
    await scorer.score(one);
    latencies.push(performance.now() - start);
  }
  // What waiting to fill a batch would gain: time per post when posts come alone or together.
  const sizes = [1, 8, 32];
  const calls = sizes.map((size) => Array.from({ length: size }, () => post(graph === 'joint')));
  const rates = await takeTurns(
    calls.map((posts) => ({ samples: posts.length, step: () => scorer.score(posts) })),
    TURNS,
    SECONDS / TURNS,
    systemClock,
  );
  const msPerPost = Object.fromEntries(
    sizes.map((size, i) => [size, round(1_000 / median(rates[i] as number[]), 3)]),
  );
  await scorer.close();
  return {
    ...speed,
    onePostMs: { p50: round(median(latencies), 2), p99: round(percentile(latencies, 0.99), 2) },
    msPerPost,
    rssMiB: rss,
  };
}

const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-mmn-'));
try {
  const text = await measure(CHAMPION_DIR, 'text');
  // The shipped model has no trained picture branch; speed does not depend on the weights.
  const tf = await openEngine();
  const mmn = buildMmn(tf, MMN_DEFAULTS, { kind: 'sigmoid', outputs: 1 }, 1);
  const pictured = join(folder, 'pictured');
  await writeTestArtefact(tf, mmn, pictured, { image: 'trained' });
  const joint = await measure(pictured, 'joint');
  const sgemm = await openSgemm(1);
  const [limits] = (await takeTurns([sgemm], TURNS, SECONDS / TURNS, systemClock)) as [number[]];
  await sgemm.close();
  const sgemmGflops = spread(limits);
  const shareOfSgemm = (rate: number): number =>
    round((rate * megaflopOf(mmn.layers)) / 1_000 / sgemmGflops.median, 2);
  const shares = {
    served: shareOfSgemm(joint.samplesPerSecond.median),
    bare: shareOfSgemm(joint.bareSamplesPerSecond.median),
  };
  process.stdout.write(
    `${JSON.stringify({ machine: machine(), threads: 1, sgemmGflops, text, joint: { ...joint, shareOfSgemm: shares } })}\n`,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);

/**
 * What swaps leave behind in a process that scores 300 posts a second and remembers none of them: memory, threads, time, CPU
 * and the event loop's longest delay. The trend of the memory is a least-squares line over the swaps after the first third,
 * with its 95 % interval. Prints one JSON object.
 *   node --import tsx bench/swap-memory.ts [swaps]
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { machine } from '../src/base/machine.ts';
import { seededRandom } from '../src/base/random.ts';
import { createMetrics } from '../src/metrics/metrics.ts';
import { loadArtefact } from '../src/models/artefact.ts';
import type { ScoreInput, Scorer } from '../src/models/port.ts';
import { createHandle } from '../src/models/serving/handle.ts';
import { openScorer } from '../src/models/serving/scorer.ts';
import { loadAllWords } from '../src/models/words.ts';
import { CHAMPION_DIR } from '../src/registry/champions.ts';
import { median, percentile, round, rssMiB, threadsOf } from './lib/machine.ts';

const TIMES = Number(process.argv[2] ?? 60);
/** Posts of a slice, and one slice in so many ms. */
const SLICE = 15;
const EVERY_MS = 50;
/** Rest between two swaps. */
const REST_MS = 500;
const options = {
  threads: 1,
  words: Object.values(loadAllWords()),
  metrics: createMetrics({ bare: true }),
  log: silentLog,
};
const open = async (): Promise<Scorer> =>
  openScorer({ ...options, dir: CHAMPION_DIR, artefact: await loadArtefact(CHAMPION_DIR) });

const random = seededRandom(1);
const posts = Array.from(
  { length: 256 },
  (): ScoreInput => ({
    words: Int32Array.from({ length: 15 }, () => 1 + Math.floor(50_000 * random())),
    pixels: null,
  }),
);
const handle = createHandle(await open());
const over = new AbortController();
let slices = 0;
const scoring = (async () => {
  for (; !over.signal.aborted; slices += 1) {
    const { value, release } = handle.lease();
    const from = (slices * SLICE) % (posts.length - SLICE);
    await value.score(posts.slice(from, from + SLICE));
    release();
    await systemClock.sleep(EVERY_MS, over.signal);
  }
})();

const openMs: number[] = [];
const cpuMs: number[] = [];
const loopMs: number[] = [];
const rss: number[] = [];
const threads = new Set<number | null>();
for (let i = 0; i < TIMES; i += 1) {
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const [since, before] = [performance.now(), process.cpuUsage()];
  const next = await open();
  openMs.push(performance.now() - since);
  const { user, system } = process.cpuUsage(before);
  cpuMs.push((user + system) / 1_000);
  loop.disable();
  loopMs.push(loop.max / 1e6);
  await handle.swap(next);
  await systemClock.sleep(REST_MS);
  threads.add(threadsOf(process.pid));
  rss.push(rssMiB(process.pid) ?? Number.NaN);
}
over.abort();
await scoring;
await handle.close();

/** Rise per swap and its 95 % interval. */
function trend(values: readonly number[]): object {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const at = (i: number): number => i - (n - 1) / 2;
  const spread = values.reduce((sum, _, i) => sum + at(i) ** 2, 0);
  const slope = values.reduce((sum, value, i) => sum + at(i) * value, 0) / spread;
  const rest = values.reduce((sum, value, i) => sum + (value - mean - slope * at(i)) ** 2, 0);
  const half = 1.96 * Math.sqrt(rest / (n - 2) / spread);
  return { perSwap: round(slope, 2), low: round(slope - half, 2), high: round(slope + half, 2) };
}
const of = (values: readonly number[]): object => ({
  median: round(median(values)),
  max: round(percentile(values, 1)),
});
process.stdout.write(
  `${JSON.stringify({
    bench: 'swap-memory',
    swaps: TIMES,
    posts: slices * SLICE,
    rssMiB: rss,
    rssTrendMiB: trend(rss.slice(Math.floor(TIMES / 3))),
    threads: [...threads],
    openMs: of(openMs),
    cpuMs: of(cpuMs),
    eventLoopMs: of(loopMs),
    machine: machine(),
  })}\n`,
);

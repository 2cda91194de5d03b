/**
 * What opening and closing a model leaves behind: memory, threads, time, CPU and the event loop's longest delay. Prints one JSON object.
 *   node --import tsx bench/swap-memory.ts [times]
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { silentLog } from '../src/base/log.ts';
import { machine } from '../src/base/machine.ts';
import { createMetrics } from '../src/metrics/metrics.ts';
import { loadArtefact } from '../src/models/artefact.ts';
import { openScorer } from '../src/models/serving/scorer.ts';
import { loadWords } from '../src/models/words.ts';
import { CHAMPION_DIR } from '../src/registry/champions.ts';
import { median, percentile, round, rssMiB, threadsOf } from './lib/machine.ts';

const TIMES = Number(process.argv[2] ?? 60);
const EVERY = 6;
const options = { threads: 1, words: loadWords(), metrics: createMetrics({ bare: true }), log: silentLog };
const open = async () =>
  openScorer({ ...options, dir: CHAMPION_DIR, artefact: await loadArtefact(CHAMPION_DIR) });

let serving = await open();
const [openMs, cpuMs, loopMs]: number[][] = [[], [], []];
const rss: (number | null)[] = [];
const threads = new Set<number | null>();
for (let i = 0; i < TIMES; i += 1) {
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const [since, before] = [performance.now(), process.cpuUsage()];
  const next = await open();
  openMs?.push(performance.now() - since);
  const { user, system } = process.cpuUsage(before);
  cpuMs?.push((user + system) / 1_000);
  loop.disable();
  loopMs?.push(loop.max / 1e6);
  await serving.close();
  serving = next;
  threads.add(threadsOf(process.pid));
  if (i % EVERY === EVERY - 1) rss.push(rssMiB(process.pid));
}
await serving.close();
const of = (values: readonly number[] = []): object => ({
  median: round(median(values)),
  max: round(percentile(values, 1)),
});
process.stdout.write(
  `${JSON.stringify({
    bench: 'swap-memory',
    times: TIMES,
    rssMiB: rss,
    threads: [...threads],
    openMs: of(openMs),
    cpuMs: of(cpuMs),
    eventLoopMs: of(loopMs),
    machine: machine(),
  })}\n`,
);

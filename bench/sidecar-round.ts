/**
 * One round of the sidecar on 5,000 posts beside a label worker under steady load: how long it takes, and what it does to the
 * worker's latency. Prints one JSON object.
 *   node --import tsx bench/sidecar-round.ts [--rate 300] [--alone 60] [--posts 5000]
 * Needs a build (npm run build).
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { machine } from '../src/base/machine.ts';
import { seededRandom } from '../src/base/random.ts';
import { createCodec } from '../src/bus/codec.ts';
import { TOPICS } from '../src/bus/topics.ts';
import type { Label } from '../src/event/records.ts';
import { loadWordList } from '../src/models/words.ts';
import { busFlags, openTarget, startService, type Target } from '../test/support/pipeline.ts';
import { eventually, startTocsin, temporaryFolder } from '../test/support/tocsin.ts';
import { cpuSeconds, percentile, round } from './lib/machine.ts';
import { syntheticPosts } from './lib/posts.ts';

const { values: flags } = parseArgs({
  options: {
    rate: { type: 'string', default: '300' },
    alone: { type: 'string', default: '60' },
    posts: { type: 'string', default: '5000' },
  },
});
const rate = Number(flags.rate);
const aloneMs = Number(flags.alone) * 1_000;
const posts = Number(flags.posts);
/** Left out of every phase: a worker that just started, a sidecar that just loads. */
const WARM_UP_MS = 10_000;

/** Labelled posts whose words say which label they have: enough for the round, dev and test. */
function writeSeeds(path: string): void {
  const random = seededRandom(9);
  const words = loadWordList().slice(100, 8_100);
  const lines = Array.from({ length: Math.ceil(posts * 1.4) }, (_, i) => {
    const label = i % 2;
    const text = Array.from({ length: 12 }, () => {
      const at = Math.floor(random() * (words.length / 2)) * 2;
      return words[at + (random() < 0.75 ? label : 1 - label)];
    }).join(' ');
    const createdAt = new Date(1_700_000_000_000 + i * 1_000).toISOString();
    return JSON.stringify({ id: `seed-${i}`, text, createdAt, labels: { informative: label === 1 } });
  });
  writeFileSync(path, `${lines.join('\n')}\n`);
}

const folder = temporaryFolder('tocsin-bench-');
const target: Target = { bus: 'embedded', dataDir: folder.path, environment: `bench${process.pid}` };
const codec = createCodec();
const seeds = join(folder.path, 'seeds.jsonl');
writeSeeds(seeds);
const bus = await openTarget(target);
const label = await startService(target, 'label');
const [enough, stop] = [new AbortController(), new AbortController()];
const latencies: { at: number; ms: number }[] = [];
let sent = 0;

const reading = (async () => {
  for await (const records of bus.read(TOPICS.labels, { from: 'earliest', signal: stop.signal }))
    for (const { value } of records) {
      const at = systemClock.now();
      if (value) latencies.push({ at, ms: at - (codec.decode(value) as Label).receivedAt });
    }
})();
const sending = (async () => {
  const since = performance.now();
  while (!enough.signal.aborted) {
    const due = Math.floor(((performance.now() - since) / 1_000) * rate) - sent;
    if (due > 0) {
      const load = { count: due, seed: sent + 1, prefix: `s${sent}`, now: systemClock.now() };
      await bus.produce([...syntheticPosts(codec, load)]);
      sent += due;
    }
    await systemClock.sleep(10);
  }
})();

/** What came between two moments. */
const between = (from: number, to: number): object => {
  const ms = latencies.filter(({ at }) => at >= from && at < to).map((latency) => latency.ms);
  return {
    labels: ms.length,
    p50: percentile(ms, 0.5),
    p95: percentile(ms, 0.95),
    p99: percentile(ms, 0.99),
  };
};

try {
  await systemClock.sleep(WARM_UP_MS);
  const began = systemClock.now();
  await systemClock.sleep(aloneMs);
  const started = systemClock.now();
  const sidecar = startTocsin(['sidecar', '--once', ...busFlags(target)], {
    TOCSIN_SIDECAR_DATA: seeds,
    TOCSIN_SIDECAR_POSTS: String(posts),
  });
  let sidecarCpu = 0;
  const watching = setInterval(() => {
    sidecarCpu = cpuSeconds(sidecar.child.pid) ?? sidecarCpu;
  }, 500);
  const code = await sidecar.exited;
  clearInterval(watching);
  if (code !== 0) throw new Error(`the sidecar ended with ${code}:\n${sidecar.stderr().slice(-2_000)}`);
  const ended = systemClock.now();
  await systemClock.sleep(aloneMs / 2);
  const finished = systemClock.now();
  enough.abort();
  await sending;
  await eventually('all labels read', () => latencies.length >= sent);
  stop.abort();
  await reading;
  const result = JSON.parse(sidecar.stdout()) as { readonly train: number; readonly crafted: number };
  const alone = between(began, started) as { readonly p95: number };
  const beside = between(started, ended) as { readonly p95: number };
  process.stdout.write(
    `${JSON.stringify({
      bench: 'sidecar-round',
      posts: result.train,
      crafted: result.crafted,
      roundSeconds: round((ended - started) / 1_000),
      sidecarCpuSeconds: round(sidecarCpu),
      rate,
      latencyMs: { alone, beside, after: between(ended, finished) },
      p95Growth: round(beside.p95 / alone.p95),
      machine: machine(),
    })}\n`,
  );
} finally {
  enough.abort();
  stop.abort();
  await label.kill('SIGTERM');
  await bus.close();
  folder.remove();
}

/**
 * One round of the sidecar on 5,000 posts beside a label worker under steady load: how long it takes, and what it does to the
 * worker's latency. The round is stopped (SIGSTOP) every other turn, so that the worker beside it and the worker alone are measured in the same
 * minutes, whatever else the machine does. Prints one JSON object.
 *   node --import tsx bench/sidecar-round.ts [--rate 300] [--alone 30] [--turn 5] [--posts 5000] [--work PER_CENT]
 * With --turn 0 the round is not stopped, and what is alone is what came before it.
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
import { eventually, type Running, startTocsin, temporaryFolder } from '../test/support/tocsin.ts';
import { cpuSeconds, percentile, round } from './lib/machine.ts';
import { syntheticPosts } from './lib/posts.ts';

const { values: flags } = parseArgs({
  options: {
    rate: { type: 'string', default: '300' },
    alone: { type: 'string', default: '30' },
    turn: { type: 'string', default: '5' },
    posts: { type: 'string', default: '5000' },
    work: { type: 'string' },
  },
});
const rate = Number(flags.rate);
const aloneMs = Number(flags.alone) * 1_000;
const turnMs = Number(flags.turn) * 1_000;
const posts = Number(flags.posts);
/** Left out of every phase: a worker that just started, a sidecar that just loads. */
const WARM_UP_MS = 10_000;
/** Left out at the beginning of each turn: posts that arrived in the one before. */
const SETTLE_MS = 500;
/** Longer than any round. */
const FOR_GOOD_MS = 3_600_000;

/** Of the seeds seven in ten train; for each post of a round four more are replayed. */
const SEEDS = Math.ceil((posts * 5) / 0.68);

/** Labelled posts whose words say which label they have: enough for the round, what it replays, dev and test. */
function writeSeeds(path: string): void {
  const random = seededRandom(9);
  const words = loadWordList().slice(100, 8_100);
  const lines = Array.from({ length: SEEDS }, (_, i) => {
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

interface Span {
  readonly from: number;
  readonly to: number;
}

/** What came in these spans. */
const within = (spans: readonly Span[]): { readonly labels: number; readonly p95: number } => {
  const ms = latencies
    .filter(({ at }) => spans.some(({ from, to }) => at >= from && at < to))
    .map((latency) => latency.ms);
  return {
    labels: ms.length,
    ...{ p50: percentile(ms, 0.5), p95: percentile(ms, 0.95), p99: percentile(ms, 0.99) },
  };
};

/** Lets the process run and stops it in turns, until it ends. */
async function inTurns({ child }: Running, over: AbortSignal): Promise<Record<'beside' | 'alone', Span[]>> {
  const spans: Record<'beside' | 'alone', Span[]> = { beside: [], alone: [] };
  for (let turn = 0; !over.aborted; turn += 1) {
    const runs = turn % 2 === 0;
    if (turn > 0) child.kill(runs ? 'SIGCONT' : 'SIGSTOP');
    const from = systemClock.now() + SETTLE_MS;
    await systemClock.sleep(turnMs || FOR_GOOD_MS, over);
    spans[runs ? 'beside' : 'alone'].push({ from, to: systemClock.now() });
  }
  return spans;
}

try {
  await systemClock.sleep(WARM_UP_MS);
  const began = systemClock.now();
  await systemClock.sleep(aloneMs);
  const started = systemClock.now();
  const sidecar = startTocsin(['sidecar', '--once', ...busFlags(target)], {
    TOCSIN_SIDECAR_DATA: seeds,
    TOCSIN_SIDECAR_POSTS: String(posts),
    ...(flags.work ? { TOCSIN_SIDECAR_WORK_PERCENT: flags.work } : {}),
  });
  let sidecarCpu = 0;
  const watching = setInterval(() => {
    sidecarCpu = cpuSeconds(sidecar.child.pid) ?? sidecarCpu;
  }, 500);
  const over = new AbortController();
  const turns = inTurns(sidecar, over.signal);
  const code = await sidecar.exited;
  over.abort();
  clearInterval(watching);
  if (code !== 0) throw new Error(`the sidecar ended with ${code}:\n${sidecar.stderr().slice(-2_000)}`);
  const ended = systemClock.now();
  await systemClock.sleep(aloneMs);
  const finished = systemClock.now();
  enough.abort();
  await sending;
  await eventually('all labels read', () => latencies.length >= sent);
  stop.abort();
  await reading;
  const result = JSON.parse(sidecar.stdout()) as {
    readonly train: number;
    readonly replayed: number;
    readonly crafted: number;
  };
  const spans = await turns;
  const stoppedMs = spans.alone.reduce((sum, { from, to }) => sum + to - from + SETTLE_MS, 0);
  const before = within([{ from: began, to: started }]);
  const [alone, beside] = [turnMs > 0 ? within(spans.alone) : before, within(spans.beside)];
  process.stdout.write(
    `${JSON.stringify({
      bench: 'sidecar-round',
      posts: result.train,
      replayed: result.replayed,
      crafted: result.crafted,
      roundSeconds: round((ended - started - stoppedMs) / 1_000),
      sidecarCpuSeconds: round(sidecarCpu),
      rate,
      latencyMs: {
        before,
        beside,
        alone,
        after: within([{ from: ended, to: finished }]),
      },
      p95Growth: round(beside.p95 / alone.p95, 2),
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

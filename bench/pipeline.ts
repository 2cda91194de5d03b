/**
 * The pipeline as processes on a real bus. Prints one JSON object.
 *   node --import tsx bench/pipeline.ts --bus embedded|kafka --case label|chain|pictures|repeats|latency|soak [--posts N] [--seconds N]
 * Needs a build (npm run build) and, for kafka, KAFKA_BROKERS.
 */
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { machine } from '../src/base/machine.ts';
import { seededRandom } from '../src/base/random.ts';
import { createCodec } from '../src/bus/codec.ts';
import { openBus } from '../src/bus/open.ts';
import type { Bus } from '../src/bus/port.ts';
import { TOPICS } from '../src/bus/topics.ts';
import type { Label, Media } from '../src/event/records.ts';
import { openMediaStore } from '../src/media/store.ts';
import { type LedgerRow, ledgerOf, watchLedger } from '../src/pipeline/ledger.ts';
import { prepare, startService, type Target } from '../test/support/pipeline.ts';
import { eventually, type Running, temporaryFolder } from '../test/support/tocsin.ts';
import { coreSeconds, cpuSeconds, descendants, percentile, round, rssMiB } from './lib/machine.ts';
import { chunks, syntheticPosts } from './lib/posts.ts';

const { values: flags } = parseArgs({
  options: {
    bus: { type: 'string', default: 'embedded' },
    case: { type: 'string', default: 'label' },
    posts: { type: 'string' },
    seconds: { type: 'string' },
    rate: { type: 'string', default: '300' },
    'slice-ms': { type: 'string' },
  },
});

const folder = temporaryFolder('tocsin-bench-');
const target: Target = {
  bus: flags.bus === 'kafka' ? 'kafka' : 'embedded',
  dataDir: folder.path,
  environment: `bench${process.pid}`,
  ...(process.env['KAFKA_BROKERS'] ? { brokers: process.env['KAFKA_BROKERS'] } : {}),
};
const codec = createCodec();
const services = new Map<string, Running>();

const start = async (...names: string[]): Promise<void> => {
  for (const name of names)
    services.set(
      name,
      await startService(target, name, {
        ...(name === 'serve' ? { TOCSIN_PORT: '0' } : {}),
        ...(flags['slice-ms'] ? { TOCSIN_SLICE_MS: flags['slice-ms'] } : {}),
      }),
    );
};

/** Where the machine's core seconds have gone so far; a broker counts as elsewhere. */
function spending(): { services: number; bench: number; elsewhere: number; idle: number } {
  const pids = [...services.values()].flatMap(({ child }) => [child.pid, ...descendants(child.pid)]);
  const spent = pids.reduce<number>((sum, pid) => sum + (cpuSeconds(pid) ?? 0), 0);
  const { user, system } = process.cpuUsage();
  const bench = (user + system) / 1e6;
  const { busy, idle } = coreSeconds();
  return { services: spent, bench, elsewhere: busy - spent - bench, idle };
}

/** Follows the ledger; resolves with how long it took from the first change to `done`, and which core seconds. */
async function timed(
  bus: Bus,
  done: (row: LedgerRow) => boolean,
  measure: (row: LedgerRow) => number,
): Promise<{ seconds: number; amount: number; spent: object }> {
  const view = await watchLedger(bus);
  let first: { at: number; amount: number; spending: ReturnType<typeof spending> } | null = null;
  try {
    return await eventually(
      'the load to be worked off',
      async () => {
        await view.refresh();
        const row = ledgerOf(view).total;
        const amount = measure(row);
        if (!first && amount > 0) first = { at: performance.now(), amount, spending: spending() };
        if (!first || !done(row)) return false;
        const { at, spending: before } = first;
        const after = spending();
        return {
          seconds: (performance.now() - at) / 1000,
          amount: amount - first.amount,
          spent: {
            services: round(after.services - before.services, 2),
            bench: round(after.bench - before.bench, 2),
            elsewhere: round(after.elsewhere - before.elsewhere, 2),
            idle: round(after.idle - before.idle, 2),
          },
        };
      },
      { timeoutMs: 600_000, everyMs: 20 },
    );
  } finally {
    await view.close();
  }
}

async function produceAll(bus: Bus, count: number, media?: (i: number) => readonly Media[]): Promise<void> {
  const load = syntheticPosts(codec, {
    count,
    seed: 1,
    prefix: 'bench',
    now: Date.now(),
    ...(media ? { media } : {}),
  });
  for (const chunk of chunks(load, 1_000)) await bus.produce(chunk);
}

const cost = (): object =>
  Object.fromEntries(
    [...services].map(([name, s]) => [
      name,
      {
        rssMiB: rssMiB(s.child.pid),
        cpuSeconds: cpuSeconds(s.child.pid),
        childrenCpuSeconds: round(
          descendants(s.child.pid).reduce((sum, pid) => sum + (cpuSeconds(pid) ?? 0), 0),
          2,
        ),
      },
    ]),
  );

/** The label worker alone: the load lies there before it starts. */
async function label(bus: Bus): Promise<object> {
  const posts = Number(flags.posts ?? 60_000);
  await produceAll(bus, posts);
  const wait = timed(
    bus,
    (row) => row.labelled === posts,
    (row) => row.labelled,
  );
  await start('label');
  const { seconds, amount } = await wait;
  return {
    posts,
    seconds: round(seconds, 2),
    postsPerSecond: Math.round(amount / seconds),
    services: cost(),
  };
}

/** Everything at once: label, media, claims and the dashboard, until the claim worker has read all evidence. */
async function chain(bus: Bus): Promise<object> {
  const posts = Number(flags.posts ?? 30_000);
  await start('label', 'media', 'claims', 'serve');
  const since = performance.now();
  await produceAll(bus, posts);
  const producedSeconds = (performance.now() - since) / 1000;
  await timed(
    bus,
    (row) => row.labelled === posts,
    (row) => row.labelled,
  );
  const labelledSeconds = (performance.now() - since) / 1000;
  await eventually(
    'claims to be done',
    async () => {
      const ends = await bus.admin.ranges(TOPICS.evidence);
      const committed = await bus.admin.committed('claims', TOPICS.evidence);
      // Transaction markers take offsets too: two a partition may stand behind the last record.
      return ends.every((end) => end.high === 0n || end.high - (committed[end.partition] ?? 0n) <= 2n);
    },
    { timeoutMs: 600_000, everyMs: 50 },
  );
  const seconds = (performance.now() - since) / 1000;
  return {
    posts,
    seconds: round(seconds, 2),
    postsPerSecond: Math.round(posts / seconds),
    producedPerSecond: Math.round(posts / producedSeconds),
    labelledPerSecond: Math.round(posts / labelledSeconds),
    services: cost(),
  };
}

/** Rendered scenes: noise over shapes, so that a JPEG of 1024×768 weighs what a photograph weighs. */
async function picture(seed: number, width: number, height: number): Promise<Uint8Array> {
  const random = seededRandom(seed);
  const pixels = Buffer.alloc(width * height * 3);
  const base = [random() * 255, random() * 255, random() * 255];
  for (let y = 0, p = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1, p += 3)
      for (let c = 0; c < 3; c += 1)
        pixels[p + c] =
          (base[c] as number) * 0.5 + (((x * (c + 1 + (seed % 5)) + y * (3 - c)) >> 3) % 100) + random() * 28;
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 82 })
    .toBuffer();
}

/** Posts with pictures through label and media workers: until every picture is settled. */
async function pictures(
  bus: Bus,
  distinct: number,
  posts: number,
  width: number,
  height: number,
): Promise<object> {
  const store = openMediaStore(target.dataDir);
  const keys: string[] = [];
  let bytes = 0;
  for (let i = 0; i < distinct; i += 1) {
    const jpeg = await picture(i + 1, width, height);
    bytes += jpeg.length;
    keys.push(await store.quarantine.put(jpeg));
  }
  // Natural repeats: a few pictures carry most posts (Zipf), as in MediaEval.
  const random = seededRandom(7);
  const pick = (i: number): number =>
    distinct === posts ? i : Math.min(distinct - 1, Math.floor(distinct ** random()) - 1);
  await produceAll(bus, posts, (i) => [{ id: '0', ref: `store:${keys[Math.max(0, pick(i))]}` }]);
  const settled = (row: LedgerRow): number => row.picturesReady + row.picturesRefused;
  const wait = timed(bus, (row) => settled(row) === posts, settled);
  await start('label', 'media');
  const { seconds, amount, spent } = await wait;
  return {
    posts,
    distinctPictures: distinct,
    width,
    height,
    meanKB: Math.round(bytes / distinct / 1024),
    seconds: round(seconds, 2),
    picturesPerSecond: Math.round(amount / seconds),
    coreSeconds: spent,
    services: cost(),
  };
}

/** A steady stream; latency is from `receivedAt` to a reader of committed labels. */
async function steady(bus: Bus, seconds: number, rate: number): Promise<object> {
  await start('label', 'media', 'claims');
  const stop = new AbortController();
  const latencies: number[] = [];
  const reading = (async () => {
    for await (const records of bus.read(TOPICS.labels, { from: 'earliest', signal: stop.signal }))
      for (const record of records) {
        if (!record.value) continue;
        latencies.push(Date.now() - (codec.decode(record.value) as Label).receivedAt);
      }
  })();
  const rss: { at: number; [service: string]: number | null }[] = [];
  const since = performance.now();
  let sent = 0;
  let sampled = 0;
  while (performance.now() - since < seconds * 1000) {
    const due = Math.floor(((performance.now() - since) / 1000) * rate) - sent;
    if (due > 0) {
      const now = Date.now();
      await bus.produce([...syntheticPosts(codec, { count: due, seed: sent + 1, prefix: `s${sent}`, now })]);
      sent += due;
    }
    if ((performance.now() - since) / 1000 > sampled * 10) {
      sampled += 1;
      rss.push({
        at: Math.round((performance.now() - since) / 1000),
        ...Object.fromEntries([...services].map(([n, s]) => [n, rssMiB(s.child.pid)])),
      });
    }
    await systemClock.sleep(10);
  }
  await eventually('all labels read', () => latencies.length >= sent);
  stop.abort();
  await reading;
  const warm = latencies.slice(Math.floor(latencies.length * 0.1));
  return {
    rate,
    seconds,
    posts: sent,
    latencyMs: {
      p50: percentile(warm, 0.5),
      p95: percentile(warm, 0.95),
      p99: percentile(warm, 0.99),
      max: percentile(warm, 1),
    },
    rssMiB: rss,
    services: cost(),
  };
}

await prepare(target);
const bus = await openBus(
  {
    bus: target.bus,
    brokers: (target.brokers ?? '').split(','),
    dataDir: target.dataDir,
    environment: target.environment,
    embeddedMaxBytes: 8e9,
  },
  { clock: systemClock, log: silentLog },
);
const cases: Readonly<Record<string, () => Promise<object>>> = {
  label: () => label(bus),
  chain: () => chain(bus),
  pictures: () => pictures(bus, Number(flags.posts ?? 2_000), Number(flags.posts ?? 2_000), 1024, 768),
  repeats: () => pictures(bus, 410, Number(flags.posts ?? 12_000), 256, 192),
  latency: () => steady(bus, Number(flags.seconds ?? 60), Number(flags.rate)),
  soak: () => steady(bus, Number(flags.seconds ?? 600), Number(flags.rate)),
};
try {
  const result = await (cases[flags.case] ?? (() => Promise.reject(new Error(`no case ${flags.case}`))))();
  process.stdout.write(
    `${JSON.stringify({ bench: `pipeline/${flags.case}`, bus: target.bus, ...result, machine: machine() })}\n`,
  );
} finally {
  for (const service of services.values()) await service.kill('SIGTERM');
  await bus.close();
  folder.remove();
}

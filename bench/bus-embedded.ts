/**
 * The embedded bus alone: durable small records per second in, slices with outputs and state, latency, idle CPU.
 * Prints one JSON object. Run: node --import tsx bench/bus-embedded.ts [records]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { createCodec } from '../src/bus/codec.ts';
import { openEmbeddedBus } from '../src/bus/embedded/bus.ts';
import { message, NO_LINEAGE } from '../src/bus/messages.ts';
import type { Bus, OutgoingRecord } from '../src/bus/port.ts';
import type { PostEvent } from '../src/event/records.ts';

const COUNT = Number(process.argv[2] ?? 200_000);
const CALL = 1_000;

const now = (): number => systemClock.monotonic();
const percentile = (sorted: readonly number[], p: number): number =>
  Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0) * 100) / 100;
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await systemClock.sleep(5);
}

async function produceRate(bus: Bus, topic: string, make: (i: number) => OutgoingRecord): Promise<object> {
  const batches = Array.from({ length: Math.ceil(COUNT / CALL) }, (_, b) =>
    Array.from({ length: CALL }, (_, i) => ({ ...make(b * CALL + i), topic })),
  );
  const bytes = batches[0]?.[0]?.value.length;
  const began = now();
  const cpu = cpuMs();
  for (const batch of batches) await bus.produce(batch);
  const ms = now() - began;
  return {
    recordsPerS: Math.round((COUNT / ms) * 1_000),
    valueBytes: bytes,
    perCall: CALL,
    cpuMs: Math.round(cpuMs() - cpu),
  };
}

async function consumeRate(bus: Bus, topic: string, output: string): Promise<object> {
  const began = now();
  const cpu = cpuMs();
  let slices = 0;
  let seen = 0;
  const consumer = await bus.consume({
    group: 'bench',
    topic,
    mode: 'exactly-once',
    sliceRecords: 256,
    sliceMs: 20,
    concurrency: 6,
    open: async () => ({
      async process(records, transaction) {
        slices += 1;
        seen += records.length;
        for (const record of records)
          transaction.send({
            topic: output,
            key: record.key as string,
            value: record.value as Uint8Array,
            headers: record.headers,
          });
        transaction.putState('ledger', Buffer.from(JSON.stringify({ received: seen })));
      },
    }),
  });
  await until(async () => {
    const [ranges, committed] = await Promise.all([
      bus.admin.ranges(topic),
      bus.admin.committed('bench', topic),
    ]);
    return ranges.every((range) => committed[range.partition] === range.high);
  });
  const ms = now() - began;
  await consumer.close();
  return { recordsPerS: Math.round((seen / ms) * 1_000), slices, cpuMs: Math.round(cpuMs() - cpu) };
}

/** From the produce call to the first line of `process`, at 300 records/s; the two ends share a bus or have one each. */
async function latency(producer: Bus, reader: Bus, topic: string): Promise<object> {
  const took: number[] = [];
  const consumer = await reader.consume({
    group: `latency-${topic}`,
    topic,
    mode: 'at-least-once',
    sliceRecords: 256,
    sliceMs: 20,
    concurrency: 6,
    open: async () => ({
      async process(records) {
        for (const record of records) took.push(now() - Number(record.headers['sent']));
      },
    }),
  });
  await until(() => consumer.assigned().length === 6);
  const began = now();
  const cpu = cpuMs();
  for (let i = 0; i < 900; i += 1) {
    const due = began + i * (1_000 / 300);
    if (due > now()) await systemClock.sleep(due - now());
    void producer.produce([
      { topic, key: `k${i}`, value: new Uint8Array(200), headers: { sent: String(now()) } },
    ]);
  }
  await until(() => took.length === 900);
  const spent = cpuMs() - cpu;
  const ms = now() - began;
  await consumer.close();
  took.sort((a, b) => a - b);
  return {
    p50Ms: percentile(took, 0.5),
    p95Ms: percentile(took, 0.95),
    p99Ms: percentile(took, 0.99),
    cpuShare: Math.round((spent / ms) * 1_000) / 1_000,
  };
}

async function idle(bus: Bus, topic: string): Promise<object> {
  const consumer = await bus.consume({
    group: 'idle',
    topic,
    mode: 'at-least-once',
    sliceRecords: 256,
    sliceMs: 20,
    concurrency: 6,
    open: async () => ({ process: async () => {} }),
  });
  await until(async () => (await bus.admin.committed('idle', topic)).every((offset) => offset !== null));
  await systemClock.sleep(500);
  const cpu = cpuMs();
  await systemClock.sleep(5_000);
  const share = (cpuMs() - cpu) / 5_000;
  await consumer.close();
  return { cpuShare: Math.round(share * 10_000) / 10_000 };
}

const dir = await mkdtemp(join(tmpdir(), 'tocsin-bench-bus-'));
const open = (): Promise<Bus> =>
  openEmbeddedBus({ dir, environment: 'lab', maxBytes: 8_000_000_000, clock: systemClock, log: silentLog });
const bus = await open();
const other = await open();
const topics = ['small', 'posts', 'output', 'latency', 'across'];
await bus.admin.createTopics(
  topics.map((name) => ({ name, partitions: 6, retentionMs: null, cleanup: 'delete' as const })),
);

const codec = createCodec();
const small = new Uint8Array(100).fill(7);
const post = (i: number): PostEvent => ({
  kind: 'PostEvent',
  id: `post-${i}`,
  collection: 'bench',
  source: 'bench',
  text: 'Water is rising fast near the bridge on Main Street, two families still on the roof and nobody answers.',
  createdAt: 1_700_000_000_000 + i,
  receivedAt: 1_700_000_000_000 + i,
  language: 'en',
  authorHash: '0123456789abcdef0123456789abcdef',
  place: null,
  media: [],
  picturesApart: false,
  synthetic: true,
});
const result = {
  bench: 'bus-embedded',
  node: process.version,
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  records: COUNT,
  produceSmall: await produceRate(bus, 'small', (i) => ({
    topic: 'small',
    key: `key-${i}`,
    value: small,
    headers: {},
  })),
  producePosts: await produceRate(bus, 'posts', (i) =>
    message(codec, 'posts', post(i), {
      key: `post-${i}`,
      id: `post-${i}`,
      source: 'bench',
      time: 1_700_000_000_000 + i,
      lineage: NO_LINEAGE,
    }),
  ),
  consumeTransform: await consumeRate(bus, 'posts', 'output'),
  latencySameProcess: await latency(bus, bus, 'latency'),
  latencyByPoll: await latency(bus, other, 'across'),
  idle: await idle(bus, 'latency'),
};
await other.close();
await bus.close();
await rm(dir, { recursive: true, force: true });
process.stdout.write(`${JSON.stringify(result)}\n`);

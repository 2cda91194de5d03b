/**
 * The label worker without a bus: CPU µs per post of each step (all threads), and posts per second of the whole task on one thread
 * (scoring runs in its own). Prints one JSON object. Run: node --import tsx bench/label-stages.ts [posts]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { machine } from '../src/base/machine.ts';
import { partitionOf } from '../src/base/murmur2.ts';
import { simhash64 } from '../src/base/simhash.ts';
import { createCodec } from '../src/bus/codec.ts';
import type { OutgoingRecord, PartitionTask, ReceivedRecord } from '../src/bus/port.ts';
import { TOPICS } from '../src/bus/topics.ts';
import { labelConsumption } from '../src/cli/label-worker.ts';
import { createEmbedStage } from '../src/embed/stage.ts';
import { evidenceMessage, labelMessage } from '../src/emit/messages.ts';
import { styleOf } from '../src/emit/style.ts';
import { createDecodeStage } from '../src/ingest/decode.ts';
import { createMetrics } from '../src/metrics/metrics.ts';
import { openClassScorer } from '../src/models/serving/class-scorer.ts';
import { openScorer } from '../src/models/serving/scorer.ts';
import { loadAllWords } from '../src/models/words.ts';
import { createLanguageId } from '../src/normalise/language.ts';
import { openLanguages } from '../src/normalise/languages.ts';
import { NORMALISER_VERSION, normaliseText } from '../src/normalise/text.ts';
import { Dedup } from '../src/pipeline/dedup.ts';
import type { Decoded, Draft, Embedded, Scored } from '../src/pipeline/post.ts';
import type { Outcome, Stage } from '../src/pipeline/stage.ts';
import { Watermarks } from '../src/pipeline/watermarks.ts';
import { CHAMPION_DIR, HUMANITARIAN_CHAMPION_DIR } from '../src/registry/champions.ts';
import { createScoreStage } from '../src/score/stage.ts';
import { steadyModels } from '../test/support/label-harness.ts';
import { round } from './lib/machine.ts';
import { syntheticPosts } from './lib/posts.ts';

const COUNT = Number(process.argv[2] ?? 40_000);
const SLICE = 256;
const PARTITIONS = 6;
const signal = new AbortController().signal;
const codec = createCodec();
const metrics = createMetrics({ bare: true });
const key = Buffer.alloc(32, 1);
const words = loadAllWords();
const options = { threads: 1, words: Object.values(words), metrics, log: silentLog };
const scorers = {
  informative: await openScorer({ ...options, dir: CHAMPION_DIR }),
  humanitarian: await openClassScorer({ ...options, dir: HUMANITARIAN_CHAMPION_DIR }),
};
const languages = createLanguageId();
const languageThread = openLanguages();

const posts: ReceivedRecord[] = [];
const offsets = new Array<bigint>(PARTITIONS).fill(0n);
for (const record of syntheticPosts(codec, { count: COUNT, seed: 1, prefix: 'p', now: 1_700_000_000_000 })) {
  const partition = partitionOf(record.key, PARTITIONS);
  const offset = offsets[partition] as bigint;
  offsets[partition] = offset + 1n;
  posts.push({ ...record, partition, offset, timestamp: 1_700_000_000_000 });
}

const microseconds: Record<string, number> = {};
async function timed<T>(name: string, items: readonly unknown[], work: () => Promise<T> | T): Promise<T> {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  microseconds[name] = round((user + system) / items.length);
  return result;
}

/** A stage over everything, slice by slice; the values that it passed. */
async function through<I, O>(stage: Stage<I, O>, items: readonly I[]): Promise<O[]> {
  const values: O[] = [];
  for (let at = 0; at < items.length; at += SLICE)
    for (const outcome of (await stage.process(items.slice(at, at + SLICE), signal)) as readonly Outcome<O>[])
      if (outcome.kind === 'passed') values.push(outcome.value);
  return values;
}

async function steps(): Promise<void> {
  const decoded: Decoded[] = await timed('decode', posts, () =>
    through(createDecodeStage(codec, PARTITIONS), posts),
  );
  const events = decoded.flatMap(({ event }) => (event.kind === 'PostEvent' ? [event] : []));
  const texts = await timed('normalise', posts, () => events.map((event) => normaliseText(event.text).text));
  await timed('language', posts, () => texts.map((text) => languages.of(text, null)));
  await timed('dedup', posts, () => {
    const dedup = new Dedup({ key, windowMs: 7_200_000, maxIds: 1_000_000 }, new Watermarks());
    for (const event of events) dedup.seen('post', event.id, event.collection, event.createdAt);
  });
  const drafts = events.map(
    (event, i): Draft => ({
      context: {
        labelId: event.id,
        revision: 1,
        text: texts[i] as string,
        language: 'en',
        collection: event.collection,
        source: event.source,
        createdAt: event.createdAt,
        authorHash: event.authorHash,
        flags: [],
        synthetic: true,
      },
      receivedAt: event.receivedAt,
      pictures: [],
      ready: [],
      lineage: (decoded[i] as Decoded).lineage,
    }),
  );
  const embedded: Embedded[] = await timed('embed', posts, () => through(createEmbedStage(words), drafts));
  const scored: Scored[] = await timed('score', posts, () => through(createScoreStage(scorers), embedded));
  await timed('simhash', posts, () => texts.map((text) => simhash64(text)));
  await timed('style', posts, () => texts.map((text) => styleOf(text, [])));
  await timed('label', posts, () => scored.map((one) => labelMessage(codec, NORMALISER_VERSION, one)));
  await timed('evidence (with simhash, style)', posts, () =>
    scored.map((one) => evidenceMessage(codec, one)),
  );
}

/** Partitions side by side, as a bus would run them, two at work at once. */
async function wholeTask(): Promise<object> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
  const settings = {
    dataDir,
    environment: 'lab',
    sliceRecords: SLICE,
    sliceMs: 20,
    dedupWindowMs: 7_200_000,
    joinWindowMs: 3_600_000,
    shadowShare: 0,
  };
  const consumption = labelConsumption(
    {
      codec,
      settings,
      clock: systemClock,
      log: silentLog,
      metrics,
      models: steadyModels(scorers),
      words,
      languages: languageThread,
      key,
      bus: null as never,
    },
    PARTITIONS,
  );
  const sent: OutgoingRecord[] = [];
  let stateBytes = 0;
  const queues = offsets.map((_, p) => posts.filter((record) => record.partition === p));
  const work = async (partition: number): Promise<void> => {
    const restored = { upto: 0n, entries: new Map() };
    const task: PartitionTask = await consumption.open({ topic: TOPICS.events, partition }, restored);
    const queue = queues[partition] as ReceivedRecord[];
    for (let at = 0; at < queue.length; at += SLICE) {
      await task.process(
        queue.slice(at, at + SLICE),
        {
          send: (record) => sent.push(record),
          putState: (_entry, value) => {
            stateBytes += value?.length ?? 0;
          },
        },
        signal,
      );
      task.committed?.();
    }
    await task.close?.();
  };
  const cpu = process.cpuUsage();
  const begun = systemClock.monotonic();
  const waiting = [0, 1, 2, 3, 4, 5];
  await Promise.all(
    Array.from({ length: consumption.concurrency }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await work(next);
    }),
  );
  const seconds = (systemClock.monotonic() - begun) / 1_000;
  const used = process.cpuUsage(cpu);
  await rm(dataDir, { recursive: true, force: true });
  return {
    postsPerSecond: Math.round(COUNT / seconds),
    cpuSecondsAllThreads: round((used.user + used.system) / 1e6, 2),
    seconds: round(seconds, 2),
    outputs: sent.length,
    outputBytesPerPost: Math.round(sent.reduce((sum, record) => sum + record.value.length, 0) / COUNT),
    stateBytesPerPost: Math.round(stateBytes / COUNT),
  };
}

await steps();
const cold = await wholeTask();
const warm = await wholeTask();
await steps();
process.stdout.write(
  `${JSON.stringify({ bench: 'label-stages', machine: machine(), posts: COUNT, slice: SLICE, cpuMicrosecondsPerPost: microseconds, task: { cold, warm } })}\n`,
);
await Promise.all([scorers.informative.close(), scorers.humanitarian.close()]);
await languageThread.close();

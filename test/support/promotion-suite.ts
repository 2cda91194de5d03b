/**
 * Promotions under load: label workers as processes, posts at a steady rate, signed states on crisis.models.v1. Checks that
 * nothing is lost or doubled and that every label is of one state; measures what a swap costs. Models change on every promotion.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { percentile, rssMiB, threadsOf } from '../../bench/lib/machine.ts';
import { chunks, syntheticPosts } from '../../bench/lib/posts.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { createCodec } from '../../src/bus/codec.ts';
import type { Bus } from '../../src/bus/port.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import type { DesiredTask, Label, ModelVersion, TaskScore } from '../../src/event/records.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { type Artefact, loadArtefact } from '../../src/models/artefact.ts';
import { openEngine } from '../../src/models/engine/engine.ts';
import { openScorer } from '../../src/models/serving/scorer.ts';
import { loadVocabulary } from '../../src/models/words.ts';
import { buildMmn, MMN_DEFAULTS } from '../../src/models/zoo/mmn.ts';
import { writeArtefact } from '../../src/registry/artefact.ts';
import { CHAMPION_DIR, HUMANITARIAN_CHAMPION_DIR } from '../../src/registry/champions.ts';
import { registryPaths, SIGNATURE_FILE, versionDir } from '../../src/registry/layout.ts';
import { openSigner } from '../../src/registry/signing.ts';
import { readWithJava } from './broker.ts';
import { accounted, openTarget, prepare, startService, type Target } from './pipeline.ts';
import { startSteadyLoad } from './steady-load.ts';
import { writeTestArtefact } from './test-artefact.ts';
import { eventually, type Running, temporaryFolder } from './tocsin.ts';

export interface PromotionPlan {
  readonly bus: Target['bus'];
  readonly brokers?: string;
  readonly promotions: number;
  /** Posts a second. */
  readonly rate: number;
  /** From one promotion to the next. */
  readonly everyMs: number;
  /** So many times `everyMs` pass under load before the first promotion, to tell what swaps cost from what posts cost. */
  readonly calm: number;
  /** A second worker misses promotions: stopped (SIGSTOP, on Kafka) while one is made, and started again after another. */
  readonly missing: boolean;
}

export interface Swap {
  readonly sequence: number;
  /** From the message to the first and to the last partition's first label of the new state. */
  readonly firstMs: number;
  readonly allMs: number;
  /** Longest time from a post's arrival to its label, of those that arrived during the swap. */
  readonly worstMs: number;
  /** `worstMs` less the median of the same in stretches as long without a swap. */
  readonly pauseMs: number;
  /** Of the worker, once the old models were closed. */
  readonly threads: number | null;
  readonly rssMiB: number | null;
}

export interface PromotionFigures {
  readonly posts: number;
  readonly labels: number;
  readonly lost: number;
  readonly doubled: number;
  /** What must not be; empty when all is well. */
  readonly faults: readonly string[];
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Threads before the first promotion, and memory every `everyMs` until then. */
  readonly before: { readonly threads: number | null; readonly rssMiB: readonly (number | null)[] };
  readonly swaps: readonly Swap[];
}

const codec = createCodec();
const SESSION = { TOCSIN_SESSION_TIMEOUT_MS: '4000' };
/** Labels whose scores are computed again. */
const RECOMPUTED = 200;

interface Seen {
  readonly label: Label;
  readonly partition: number;
  /** When a reader had it. */
  readonly at: number;
}

/** Two signed versions of each task, in turn: the shipped network and one of fresh weights; the shipped classes and a copy. */
async function writeVersions(dataDir: string): Promise<{
  readonly states: readonly (readonly DesiredTask[])[];
  readonly dirs: ReadonlyMap<string, string>;
}> {
  const { models } = registryPaths({ registryDir: '', dataDir });
  const signer = openSigner(codec, dataDir);
  const dirs = new Map<string, string>();
  const sign = ({ dir, digest, manifest }: Artefact): ModelVersion => {
    writeFileSync(join(dir, SIGNATURE_FILE), signer.model(digest));
    dirs.set(`${manifest.name} ${manifest.version}`, dir);
    return { name: manifest.name, version: manifest.version, digest };
  };
  const copy = async (from: string, task: string, version: string): Promise<ModelVersion> => {
    const { manifest, bytes } = await loadArtefact(from);
    const { files, ...rest } = manifest;
    const contents = Object.fromEntries(Object.keys(files).map((name) => [name, bytes(name)]));
    return sign(await writeArtefact(versionDir(models, task, version), contents, { ...rest, version }));
  };
  const tf = await openEngine();
  const fresh = buildMmn(tf, MMN_DEFAULTS, { kind: 'sigmoid', outputs: 1 }, 11);
  const other = sign(
    await writeTestArtefact(tf, fresh, versionDir(models, 'informative', 'test-1'), { image: 'untrained' }),
  );
  fresh.dispose();
  const informative = [other, await copy(CHAMPION_DIR, 'informative', 'copy-1')];
  const humanitarian = [
    await copy(HUMANITARIAN_CHAMPION_DIR, 'humanitarian', 'copy-1'),
    await copy(HUMANITARIAN_CHAMPION_DIR, 'humanitarian', 'copy-2'),
  ];
  const task = (name: string, champion: ModelVersion): DesiredTask => ({
    task: name,
    champion,
    challenger: null,
    canary: [],
    pinned: false,
  });
  return {
    states: [0, 1].map((i) => [
      task('informative', informative[i] as ModelVersion),
      task('humanitarian', humanitarian[i] as ModelVersion),
    ]),
    dirs,
  };
}

/** How often the worker has drained old models. */
export async function drainsOf(worker: Running): Promise<number> {
  const port = /"metricsPort":(\d+)/.exec(worker.stderr())?.[1];
  const body = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/^tocsin_model_swap_duration_seconds_count\{.*step="drain"\} (\d+)/m.exec(body)?.[1] ?? 0);
}

export async function promoteUnderLoad(plan: PromotionPlan): Promise<PromotionFigures> {
  const folder = temporaryFolder('tocsin-promote-');
  const target: Target = {
    bus: plan.bus,
    dataDir: folder.path,
    environment: plan.bus === 'kafka' ? `promote${process.pid}-${Math.floor(performance.now())}` : 'lab',
    ...(plan.brokers ? { brokers: plan.brokers } : {}),
  };
  const workers: Running[] = [];
  const stop = new AbortController();
  let bus: Bus | null = null;
  try {
    const { states, dirs } = await writeVersions(folder.path);
    const signer = openSigner(codec, folder.path);
    await prepare(target);
    const start = async (): Promise<Running> => {
      const worker = await startService(target, 'label', SESSION);
      workers.push(worker);
      return worker;
    };
    const worker = await start();
    let second = plan.missing ? await start() : null;
    bus = await openTarget(target);
    const partitions = (await bus.admin.ranges(TOPICS.events)).length;

    const seen: Seen[] = [];
    const reading = follow(bus, stop.signal, seen);
    const to = bus;
    const load = startSteadyLoad(plan.rate, (from, count) => sendPosts(to, from, count));
    await eventually('the first labels', () => seen.length > plan.rate, { everyMs: 20 });
    const calm: (number | null)[] = [];
    for (let i = 0; i < plan.calm; i += 1) {
      await systemClock.sleep(plan.everyMs);
      calm.push(rssMiB(worker.child.pid));
    }
    const before = { threads: threadsOf(worker.child.pid), rssMiB: calm };

    const sent: { readonly sequence: number; readonly at: number }[] = [];
    const costs: { threads: number | null; rssMiB: number | null }[] = [];
    for (let sequence = 1; sequence <= plan.promotions; sequence += 1) {
      const misses = second !== null && sequence === 2;
      if (misses && plan.bus === 'kafka') second?.child.kill('SIGSTOP');
      else if (misses) await second?.kill('SIGTERM');
      const at = Date.now();
      await bus.produce([
        {
          topic: TOPICS.models,
          key: 'state',
          headers: {},
          value: signer.state({
            sequence,
            environment: target.environment,
            issuedAt: at,
            notAfter: at + 60_000,
            tasks: states[sequence % 2] as DesiredTask[],
            why: `promotion ${sequence} under load`,
          }),
        },
      ]);
      sent.push({ sequence, at });
      const expected = [...Array(partitions).keys()];
      await eventually(
        `labels of state ${sequence} on every partition`,
        () => {
          const there = new Set<number>();
          for (let i = seen.length - 1; i >= 0 && (seen[i] as Seen).at >= at; i -= 1)
            if ((seen[i] as Seen).label.modelSequence === sequence) there.add((seen[i] as Seen).partition);
          return expected.every((partition) => there.has(partition));
        },
        { everyMs: 20, timeoutMs: 90_000 },
      );
      await eventually('old models closed', async () => (await drainsOf(worker)) >= sequence, {
        everyMs: 50,
      });
      costs.push({ threads: threadsOf(worker.child.pid), rssMiB: rssMiB(worker.child.pid) });
      if (misses && plan.bus === 'kafka') second?.child.kill('SIGCONT');
      else if (misses) second = await start();
      await systemClock.sleep(Math.max(0, at + plan.everyMs - Date.now()));
    }
    const posts = await load.stop();
    await eventually('all labels read', () => seen.length >= posts, { timeoutMs: 60_000 });
    const { received, labelled, dead, duplicate } = await accounted(target, posts);
    stop.abort();
    await reading;

    const labels = seen.map(({ label }) => label);
    const { lost, doubled } = await countLabels(target, labels, posts);
    const faults = [
      ...(received === posts && labelled === posts && dead + duplicate === 0 ? [] : ['the ledger disagrees']),
      ...(lost === 0 && doubled === 0 ? [] : [`${lost} labels lost, ${doubled} doubled`]),
      ...mixedStates(seen, states),
      ...(await foreignScores(labels, dirs)),
    ];
    return {
      posts,
      labels: labels.length,
      lost,
      doubled,
      faults: faults.slice(0, 10),
      ...latencies(seen, sent, costs),
      before,
    };
  } finally {
    stop.abort();
    for (const { child } of workers) {
      child.kill('SIGCONT');
      child.kill('SIGKILL');
    }
    await bus?.close();
    folder.remove();
  }
}

async function follow(bus: Bus, signal: AbortSignal, into: Seen[]): Promise<void> {
  for await (const batch of bus.read(TOPICS.labels, { from: 'earliest', signal })) {
    const at = Date.now();
    for (const { value, partition } of batch)
      if (value) into.push({ label: codec.decode(value) as Label, partition, at });
  }
}

/** @param from number of the first of them */
async function sendPosts(bus: Bus, from: number, count: number): Promise<void> {
  const load = syntheticPosts(codec, { count, seed: from + 1, prefix: `p${from}`, now: Date.now() });
  for (const chunk of chunks(load, 1_000)) await bus.produce(chunk);
}

/** On Kafka, Kafka's own Java consumer is the witness. */
async function countLabels(
  target: Target,
  labels: readonly Label[],
  posts: number,
): Promise<{ readonly lost: number; readonly doubled: number }> {
  const nameOf = ({ postId, revision }: Label): string => `${postId}/${revision}`;
  const names = target.brokers
    ? (
        await readWithJava({
          brokers: target.brokers,
          topic: `${target.environment}.${TOPICS.labels}`,
          isolation: 'read_committed',
        })
      ).map(({ value }) => nameOf(codec.decode(value as Uint8Array) as Label))
    : labels.map(nameOf);
  const distinct = new Set(names).size;
  return { lost: posts - distinct, doubled: names.length - distinct };
}

/** Each task of a label names one model, the one of the label's state; and no partition ever goes back to an older state. */
function mixedStates(seen: readonly Seen[], states: readonly (readonly DesiredTask[])[]): string[] {
  const newest = new Map<number, number>();
  const wrong: string[] = [];
  for (const { label, partition } of seen) {
    const { modelSequence: sequence, postId, tasks } = label;
    if (sequence < (newest.get(partition) ?? 0)) wrong.push(`${postId} is of the older state ${sequence}`);
    newest.set(partition, sequence);
    for (const task of ['informative', 'humanitarian'] as const) {
      const named = new Set(
        tasks.flatMap((score) => (score.task === task && score.model ? [score.model.version] : [])),
      );
      const champion = states[sequence % 2]?.find((entry) => entry.task === task)?.champion.version;
      const isRight = sequence === 0 ? named.size <= 1 : [...named].every((version) => version === champion);
      if (!isRight) wrong.push(`${postId} (${sequence}) names ${[...named]} for ${task}`);
    }
  }
  return wrong;
}

/** The scores are those of the model that the label names: computed again, bit for bit. */
async function foreignScores(labels: readonly Label[], dirs: ReadonlyMap<string, string>): Promise<string[]> {
  const answerOf = ({ tasks }: Label): TaskScore | undefined =>
    tasks.find(({ task }) => task === 'informative');
  const named = new Map<string, Label[]>();
  for (const label of labels) {
    const model = answerOf(label)?.model;
    const name = `${model?.name} ${model?.version}`;
    if (dirs.has(name)) named.set(name, [...(named.get(name) ?? []), label]);
  }
  const wrong = named.size === 2 ? [] : [`labels of ${named.size} promoted models, not of 2`];
  for (const [name, all] of named) {
    const some = all.filter((_, i) => i % Math.ceil(all.length / RECOMPUTED) === 0);
    const scorer = await openScorer({
      dir: dirs.get(name) as string,
      threads: 1,
      metrics: createMetrics({ bare: true }),
      log: silentLog,
    });
    const vocabulary = loadVocabulary(scorer.reading);
    const outputs = await scorer.score(
      some.map(({ text }) => ({ words: vocabulary.encode(text), pixels: null })),
    );
    await scorer.close();
    some.forEach((label, i) => {
      if (answerOf(label)?.probability !== outputs[i]?.probability)
        wrong.push(`${label.postId} has another score than ${name} gives`);
    });
  }
  return wrong;
}

function latencies(
  seen: readonly Seen[],
  sent: readonly { readonly sequence: number; readonly at: number }[],
  costs: readonly { readonly threads: number | null; readonly rssMiB: number | null }[],
): Pick<PromotionFigures, 'latencyMs' | 'swaps'> {
  const arrivals = seen.map(({ label, at }) => ({ arrived: label.receivedAt, took: at - label.receivedAt }));
  const worstBetween = (from: number, to: number): number =>
    Math.max(0, ...arrivals.filter(({ arrived }) => arrived >= from && arrived < to).map(({ took }) => took));
  const windows = sent.map(({ sequence, at }) => {
    const first = new Map<number, number>();
    for (const { label, partition, at: read } of seen)
      if (label.modelSequence === sequence && !first.has(partition)) first.set(partition, read);
    return { sequence, at, first: Math.min(...first.values()), all: Math.max(...first.values()) };
  });
  /** Stretches without a swap: as long as the swap before, in the middle of the time to the next. */
  const calm = windows.flatMap(({ at, all }, i) => {
    const next = windows[i + 1]?.at;
    const middle = next === undefined ? Number.NaN : (all + next) / 2;
    const half = (all - at) / 2;
    return next !== undefined && middle + half < next && middle - half > all
      ? [worstBetween(middle - half, middle + half)]
      : [];
  });
  const usual = calm.length > 0 ? percentile(calm, 0.5) : 0;
  const took = arrivals.map((arrival) => arrival.took);
  return {
    latencyMs: { p50: percentile(took, 0.5), p99: percentile(took, 0.99), max: percentile(took, 1) },
    swaps: windows.map(({ sequence, at, first, all }, i) => {
      const worstMs = worstBetween(at, all);
      return {
        sequence,
        firstMs: first - at,
        allMs: all - at,
        worstMs,
        pauseMs: Math.max(0, worstMs - usual),
        ...(costs[i] as (typeof costs)[number]),
      };
    }),
  };
}

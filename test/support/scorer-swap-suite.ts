/**
 * Promotions of the rumour model under load: the scorer as a process, requests at a steady rate, signed states on
 * crisis.models.v1. Every version has a calibration of its own, so a score's probability says which model gave it. Then the
 * scorer is stopped, misses a promotion, and comes back.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { rssMiB, threadsOf } from '../../bench/lib/machine.ts';
import { partitionOf } from '../../src/base/murmur2.ts';
import { createCodec } from '../../src/bus/codec.ts';
import { message, NO_LINEAGE } from '../../src/bus/messages.ts';
import type { Bus } from '../../src/bus/port.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import type { ModelVersion, Score, ScoreRequest } from '../../src/event/records.ts';
import { loadArtefact } from '../../src/models/artefact.ts';
import { writeArtefact } from '../../src/registry/artefact.ts';
import { RUMOUR_CHAMPION_DIR } from '../../src/registry/champions.ts';
import { registryPaths, SIGNATURE_FILE, versionDir } from '../../src/registry/layout.ts';
import type { Signer } from '../../src/registry/signer.ts';
import { openSigner } from '../../src/registry/signing.ts';
import { openTarget, prepare, startService, type Target } from './pipeline.ts';
import { drainsOf } from './promotion-suite.ts';
import { startSteadyLoad } from './steady-load.ts';
import { eventually, temporaryFolder } from './tocsin.ts';

export interface ScorerSwapPlan {
  readonly bus: Target['bus'];
  readonly brokers?: string;
  readonly promotions: number;
  /** Requests a second. */
  readonly rate: number;
}

export interface ScorerSwapFigures {
  readonly requests: number;
  /** What must not be; empty when all is well. */
  readonly faults: readonly string[];
  /** Of the scorer: before the first promotion, and after each once the old model was closed. */
  readonly threads: readonly (number | null)[];
  readonly rssMiB: readonly (number | null)[];
}

const codec = createCodec();
const TASK = 'rumour';
const COLLECTION = 'swap';
/** Texts take turns, so that the encoder's cache has nearly all of them: the swap is what is tested. */
const TEXTS = Array.from(
  { length: 24 },
  (_, i) => `The dam above town ${i} has burst, they say, ${i * 7} are missing`,
);
/** Probabilities are doubles: margins that were computed back differ by no more than this. */
const TOLERANCE = 1e-6;

const versionName = (n: number): string => `swap-${n}`;
const scaleOf = (n: number): number => 0.1 + 0.01 * n;

/** The shipped rumour model, calibrated otherwise. */
async function writeVersion(dataDir: string, signer: Signer, n: number): Promise<ModelVersion> {
  const { manifest, bytes } = await loadArtefact(RUMOUR_CHAMPION_DIR);
  const { files, ...rest } = manifest;
  const contents = Object.fromEntries(Object.keys(files).map((name) => [name, bytes(name)]));
  const dir = versionDir(registryPaths({ registryDir: '', dataDir }).models, TASK, versionName(n));
  const calibration = { ...rest.calibration, text: { scale: scaleOf(n), bias: 0 } };
  const { digest } = await writeArtefact(dir, contents, { ...rest, calibration, version: versionName(n) });
  writeFileSync(`${dir}/${SIGNATURE_FILE}`, signer.model(digest));
  return { name: rest.name, version: versionName(n), digest };
}

/** The n-th request. */
function requestOf(n: number): ScoreRequest {
  const requestId = createHash('md5').update(String(n)).digest('hex');
  return {
    kind: 'ScoreRequest',
    requestId,
    collection: COLLECTION,
    text: TEXTS[n % TEXTS.length] as string,
    perceptualHashes: [],
    storeKeys: [],
    askedAt: 1_700_000_000_000,
  };
}

export async function swapScorer(plan: ScorerSwapPlan): Promise<ScorerSwapFigures> {
  const folder = temporaryFolder('tocsin-scorer-swap-');
  const target: Target = {
    bus: plan.bus,
    dataDir: folder.path,
    environment: `scorer-swap-${process.pid}`,
    ...(plan.brokers ? { brokers: plan.brokers } : {}),
  };
  const stop = new AbortController();
  const signer = openSigner(codec, folder.path);
  await prepare(target);
  let scorer = await startService(target, 'scorer');
  const bus = await openTarget(target);
  try {
    const scores: Score[] = [];
    const reading = follow(bus, stop.signal, scores);
    const load = startSteadyLoad(plan.rate, (from, count) => sendRequests(bus, from, count));
    /** Waits until every request that was there at the call is answered. */
    const answered = async (): Promise<void> => {
      const until = load.sent();
      await eventually(
        `${until} answers`,
        () => new Set(scores.map(({ requestId }) => requestId)).size >= until,
      );
    };
    const promote = async (n: number): Promise<void> => {
      const champion = await writeVersion(folder.path, signer, n);
      const value = signer.state({
        sequence: n,
        environment: target.environment,
        issuedAt: Date.now(),
        notAfter: Date.now() + 60_000,
        tasks: [{ task: TASK, champion, challenger: null, canary: [], pinned: false }],
        why: `promotion ${n} under load`,
      });
      await bus.produce([{ topic: TOPICS.models, key: 'state', headers: {}, value }]);
    };
    const costs = (): [number | null, number | null] => [
      threadsOf(scorer.child.pid),
      rssMiB(scorer.child.pid),
    ];

    await eventually('the first answers', () => scores.length >= plan.rate);
    const figures = [costs()];
    for (let n = 1; n <= plan.promotions; n += 1) {
      await promote(n);
      await eventually(`an answer of version ${n}`, () => scores.at(-1)?.model?.version === versionName(n), {
        everyMs: 20,
      });
      await eventually('the old model closed', async () => (await drainsOf(scorer)) >= n, { everyMs: 20 });
      figures.push(costs());
    }

    await scorer.kill('SIGTERM');
    const missed = scores.length;
    await promote(plan.promotions + 1);
    scorer = await startService(target, 'scorer');
    await answered();
    const requests = await load.stop();
    await answered();
    stop.abort();
    await reading;
    const last = versionName(plan.promotions + 1);
    return {
      requests,
      faults: [
        ...(new Set(scores.map(({ requestId }) => requestId)).size === requests ? [] : ['answers are lost']),
        ...(scores.length === requests ? [] : [`${scores.length - requests} answers are doubled`]),
        ...foreign(scores),
        ...backwards(scores, (await bus.admin.ranges(TOPICS.scoring)).length),
        ...(scores.slice(missed).every(({ model }) => model?.version === last)
          ? []
          : ['an older version answered after the promotion that was missed']),
      ].slice(0, 10),
      threads: figures.map(([threads]) => threads),
      rssMiB: figures.map(([, rss]) => rss),
    };
  } finally {
    stop.abort();
    scorer.child.kill('SIGKILL');
    await bus.close();
    folder.remove();
  }
}

async function follow(bus: Bus, signal: AbortSignal, into: Score[]): Promise<void> {
  for await (const batch of bus.read(TOPICS.evidence, { from: 'earliest', signal }))
    for (const { value } of batch) if (value) into.push(codec.decode(value) as Score);
}

/** @param from number of the first of them */
async function sendRequests(bus: Bus, from: number, count: number): Promise<void> {
  const requests = Array.from({ length: count }, (_, i) => requestOf(from + i));
  await bus.produce(
    requests.map((request) =>
      message(codec, TOPICS.scoring, request, {
        key: request.requestId,
        id: request.requestId,
        source: 'test',
        time: request.askedAt,
        lineage: NO_LINEAGE,
      }),
    ),
  );
}

/** A text's margin, computed back from a score by the calibration of the version that it names, is the same from all. */
function foreign(scores: readonly Score[]): string[] {
  const textOf = new Map(scores.map((_, n) => [requestOf(n).requestId, TEXTS[n % TEXTS.length] as string]));
  const margins = new Map<string, number>();
  const wrong: string[] = [];
  for (const { requestId, probability, model } of scores) {
    const n = Number(/^swap-(\d+)$/.exec(model?.version ?? '')?.[1] ?? 0);
    if (n === 0) continue; // the shipped one, before the first promotion
    const margin = Math.log((probability as number) / (1 - (probability as number))) / scaleOf(n);
    const text = textOf.get(requestId) as string;
    const known = margins.get(text) ?? margin;
    margins.set(text, known);
    if (!(Math.abs(margin - known) <= TOLERANCE))
      wrong.push(`${requestId} is not of the version that it names, ${n}`);
  }
  return margins.size > 0 ? wrong : ['no promoted version answered'];
}

/** On no partition does an older version answer after a newer one. */
function backwards(scores: readonly Score[], partitions: number): string[] {
  const newest = new Map<number, number>();
  return scores.flatMap(({ requestId, model }) => {
    const partition = partitionOf(requestId, partitions);
    const n = Number(/^swap-(\d+)$/.exec(model?.version ?? '')?.[1] ?? 0);
    const before = newest.get(partition) ?? 0;
    newest.set(partition, Math.max(n, before));
    return n < before ? [`${requestId} is of version ${n} after ${before}`] : [];
  });
}

/**
 * The scorer: for every request one Score. At-least-once: an answer given twice is taken once, a scorer that dies delays
 * scores and nothing else.
 */
import type { Clock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { partitionOf } from '../base/murmur2.ts';
import type { Codec } from '../bus/codec.ts';
import { lineageOf, message } from '../bus/messages.ts';
import type { Bus, Consumer, OutgoingRecord, ReceivedRecord } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import type { ChallengerScore, Score, ScoreRequest } from '../event/records.ts';
import { shareEvidence } from '../event/shares.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Chosen, RumourInput, RumourScorer, ScoreOutput } from '../models/port.ts';
import type { Lease } from '../models/serving/handle.ts';
import type { LineUp } from '../models/serving/line-up.ts';
import type { RumourTasks } from '../models/serving/rumour-openers.ts';
import { type DeadLetterReason, deadLetterMessage } from '../pipeline/dead-letter.ts';
import { type Expected, readRequest } from '../pipeline/requests.ts';

export const SCORER_SERVICE = 'scorer';
const TASK = 'rumour';

/** Pictures of one content that are looked at; the answer rests on the one that makes it most likely a rumour. */
export const MAX_PICTURES: number = 4;

/** The models in force; a lease is held for a slice. */
export interface ScorerModels {
  lease(): Lease<LineUp<RumourTasks>>;
  /** Resolves when every state that was there at the call is in force or refused. */
  catchUp(): Promise<void>;
}

export interface ScorerWorkerDeps {
  readonly bus: Bus;
  readonly codec: Codec;
  readonly models: ScorerModels;
  /** Share of the contents that a challenger in the shadow scores beside the champion. */
  readonly shadowShare: number;
  /** RGB of a preview, [224, 224, 3]; null when it is not there or cannot be read. */
  readonly picture: (storeKey: string) => Promise<Uint8Array | null>;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: Clock;
}

const EXPECTED: Expected<ScoreRequest> = {
  kind: 'ScoreRequest',
  keyOf: ({ requestId }) => requestId,
  badField: ({ collection }) => (collection === '' ? 'collection' : null),
};

interface SliceCount {
  readonly began: number;
  readonly records: number;
  readonly dead: readonly DeadLetterReason[];
  readonly answers: number;
}

/** Starts consuming. Closing the consumer finishes the slice in hand; the models are the caller's to close after it. */
export async function startScorerWorker(deps: ScorerWorkerDeps): Promise<Consumer> {
  const { bus, clock } = deps;
  const topic = (await bus.admin.topics()).find(({ name }) => name === TOPICS.scoring);
  if (!topic) throw new TocsinError('UNKNOWN_TOPIC', `${TOPICS.scoring} does not exist: tocsin topics apply`);
  return bus.consume({
    group: SCORER_SERVICE,
    topic: TOPICS.scoring,
    mode: 'at-least-once',
    // Encoders take some 10 ms a content: a slice of 32 is answered within a second, so urgent ones need not wait long.
    sliceRecords: 32,
    sliceMs: 20,
    // The work is one machine's; partitions take turns.
    concurrency: 1,
    open: async ({ partition }) => {
      // At-least-once keeps no state, so the topic itself is the fence: nobody before had more than lies there now.
      await deps.models.catchUp();
      let done: SliceCount | null = null;
      return {
        process: async (records, transaction) => {
          const began = clock.monotonic();
          const lease = deps.models.lease();
          try {
            const chosen = lease.value.on(TASK, partition);
            const { outgoing, dead, answers } = await answerAll(deps, chosen, records, topic.partitions);
            for (const record of outgoing) transaction.send(record);
            done = { began, records: records.length, dead, answers };
          } finally {
            lease.release();
          }
        },
        committed: () => {
          if (done) countSlice(deps, done);
          done = null;
        },
      };
    },
  });
}

function countSlice(
  { metrics, clock }: ScorerWorkerDeps,
  { began, records, dead, answers }: SliceCount,
): void {
  metrics.count('tocsin_events_consumed_total', { topic: TOPICS.scoring }, records);
  metrics.count('tocsin_events_emitted_total', { topic: TOPICS.evidence }, answers);
  for (const reason of dead) metrics.count('tocsin_dlq_events_total', { service: SCORER_SERVICE, reason });
  metrics.observe('tocsin_slice_records', records, { service: SCORER_SERVICE });
  metrics.observe('tocsin_slice_duration_seconds', (clock.monotonic() - began) / 1_000, {
    service: SCORER_SERVICE,
  });
}

interface Answers {
  readonly outgoing: readonly OutgoingRecord[];
  readonly dead: readonly DeadLetterReason[];
  readonly answers: number;
}

async function answerAll(
  deps: ScorerWorkerDeps,
  chosen: Chosen<RumourScorer>,
  records: readonly ReceivedRecord[],
  partitions: number,
): Promise<Answers> {
  const reads = records.map((record) => ({
    record,
    ...readRequest(deps.codec, EXPECTED, record, partitions),
  }));
  const good = reads.flatMap(({ request, dead }) => (request && !dead ? [request] : []));
  const scores = await scoreAll(deps, chosen, good);
  const outgoing: OutgoingRecord[] = [];
  const dead: DeadLetterReason[] = [];
  let answers = 0;
  for (const read of reads) {
    const { record, request } = read;
    if (read.dead) {
      const { reason, detail } = read.dead;
      deps.log.warn(
        { reason, partition: record.partition, offset: String(record.offset) },
        'A score request cannot be worked on.',
      );
      dead.push(reason);
      outgoing.push(deadLetterMessage(deps.codec, SCORER_SERVICE, record, reason, detail));
    }
    // The claim waits for an answer, so a request that can be read at all gets one.
    if (!request || request.collection === '') continue;
    const score = scores.get(request) ?? failed(request, chosen.answers, 'bad_request');
    outgoing.push(scoreMessage(deps.codec, record, score));
    answers += 1;
  }
  return { outgoing, dead, answers };
}

/** All contents in one batch, each with its pictures one by one. */
async function scoreAll(
  { picture, shadowShare, metrics }: ScorerWorkerDeps,
  { answers: scorer, shadow }: Chosen<RumourScorer>,
  requests: readonly ScoreRequest[],
): Promise<Map<ScoreRequest, Score>> {
  const inputs: RumourInput[] = [];
  const ends: number[] = [];
  const lost: number[] = [];
  for (const { text, storeKeys } of requests) {
    const pictures = await Promise.all(storeKeys.slice(0, MAX_PICTURES).map(picture));
    const there = pictures.filter((pixels) => pixels !== null);
    for (const pixels of there.length > 0 ? there : [null]) inputs.push({ text, picture: pixels });
    ends.push(inputs.length);
    lost.push(pictures.length - there.length);
  }
  const outputs = inputs.length === 0 ? [] : await scorer.score(inputs);
  const ownOf = <T>(all: readonly T[], i: number): T[] => all.slice(ends[i - 1] ?? 0, ends[i]);
  const sampled = [...requests.keys()].filter(
    (i) => partitionOf((requests[i] as ScoreRequest).requestId, 1_000) < shadowShare * 1_000,
  );
  const asked = sampled.map((i) => ownOf(inputs, i));
  const beside = shadow && asked.length > 0 ? await scoreBeside(shadow, asked, metrics) : null;
  return new Map(
    requests.map((request, i) => {
      const score = scored(request, scorer, ownOf(outputs, i), lost[i] ?? 0);
      const challenger = beside?.[sampled.indexOf(i)] ?? null;
      if (challenger?.probability != null && score.probability !== null)
        metrics.observe('tocsin_shadow_difference', Math.abs(challenger.probability - score.probability), {
          task: TASK,
        });
      return [request, { ...score, challenger }];
    }),
  );
}

/** Asks the challenger the same. What it says counts for nothing but the gate's comparison, and so does its failure (null). */
async function scoreBeside(
  shadow: RumourScorer,
  asked: readonly (readonly RumourInput[])[],
  metrics: Metrics,
): Promise<ChallengerScore[] | null> {
  try {
    const outputs = await shadow.score(asked.flat());
    let at = 0;
    return asked.map(({ length }) => {
      at += length;
      const { probability } = mostSuspicious(outputs.slice(at - length, at)) ?? { probability: null };
      return { probability, model: shadow.model };
    });
  } catch {
    metrics.count('tocsin_shadow_failures_total', { task: TASK });
    return null;
  }
}

/** The picture that makes a content most likely a rumour; null without any. */
function mostSuspicious(outputs: readonly ScoreOutput[]): ScoreOutput | null {
  let best: ScoreOutput | null = null;
  for (const output of outputs)
    if (!best || (output.probability ?? -1) > (best.probability ?? -1)) best = output;
  return best;
}

function scored(
  request: ScoreRequest,
  scorer: RumourScorer,
  outputs: readonly ScoreOutput[],
  lost: number,
): Score {
  const best = mostSuspicious(outputs);
  const evidence: string[] = [];
  if (lost > 0) evidence.push(`preview_missing:${lost}`);
  if (!best || best.probability === null) evidence.push('no_content');
  else
    evidence.push(
      ...best.modalities.map((modality) => `from:${modality}`),
      ...shareEvidence(best, scorer.thresholds),
    );
  return {
    ...answerTo(request, scorer),
    outcome: 'scored',
    probability: best?.probability ?? null,
    byModality: best?.byModality ?? { text: null, image: null },
    evidence,
    model: scorer.model,
  };
}

function failed(request: ScoreRequest, scorer: RumourScorer, reason: string): Score {
  return {
    ...answerTo(request, scorer),
    outcome: 'failed',
    probability: null,
    byModality: { text: null, image: null },
    evidence: [reason],
    model: null,
  };
}

function answerTo(
  { requestId, collection }: ScoreRequest,
  { thresholds: { yes, no } }: RumourScorer,
): Pick<Score, 'kind' | 'requestId' | 'collection' | 'yes' | 'no' | 'challenger'> {
  return { kind: 'Score', requestId, collection, yes, no, challenger: null };
}

function scoreMessage(codec: Codec, record: ReceivedRecord, score: Score): OutgoingRecord {
  return message(codec, TOPICS.evidence, score, {
    key: score.collection,
    id: score.requestId,
    source: SCORER_SERVICE,
    time: record.timestamp,
    lineage: lineageOf(record.headers),
  });
}

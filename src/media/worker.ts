/** The media worker: for every request one MediaEvent that says what became of each picture. */
import type { Clock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { partitionOf } from '../base/murmur2.ts';
import { type Codec, claimedFingerprint } from '../bus/codec.ts';
import { lineageOf, message } from '../bus/messages.ts';
import type { Bus, Consumer, OutgoingRecord, ReceivedRecord } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import type { MediaEvent, MediaItem, MediaRequest } from '../event/records.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type DeadLetterReason, deadLetter, startDeadLetterCounts } from '../pipeline/dead-letter.ts';
import { type Pictures, refusedPicture } from './pictures.ts';

const SERVICE = 'media';

/** Pictures of one post that are looked at; keeps a MediaEvent well under 1 MB. */
export const MAX_PICTURES: number = 32;

export interface MediaWorkerDeps {
  readonly bus: Bus;
  readonly codec: Codec;
  readonly pictures: Pictures;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: Clock;
}

/** A request as read: good, or dead with what could be made out of it. */
type Read =
  | { readonly request: MediaRequest; readonly dead: null }
  | {
      readonly request: MediaRequest | null;
      readonly dead: { readonly reason: DeadLetterReason; readonly detail: string };
    };

/** Starts consuming. Closing the consumer finishes the slice in hand; the pictures are the caller's to close after it. */
export async function startMediaWorker(deps: MediaWorkerDeps): Promise<Consumer> {
  const { bus, metrics, clock } = deps;
  const topic = (await bus.admin.topics()).find(({ name }) => name === TOPICS.media);
  if (!topic) throw new TocsinError('UNKNOWN_TOPIC', `${TOPICS.media} does not exist: tocsin topics apply`);
  startDeadLetterCounts(metrics, SERVICE);
  return bus.consume({
    group: SERVICE,
    topic: TOPICS.media,
    mode: 'at-least-once',
    // A slice is as slow as its slowest picture, so it is short; partitions do not wait for each other.
    sliceRecords: 32,
    sliceMs: 20,
    concurrency: topic.partitions,
    failed: (reason) => metrics.count('tocsin_slice_failures_total', { service: SERVICE, reason }),
    open: async () => {
      let done: SliceCount | null = null;
      return {
        process: async (records, transaction) => {
          const began = clock.monotonic();
          const answers = await Promise.all(records.map((record) => answer(deps, record, topic.partitions)));
          for (const { outgoing } of answers) for (const record of outgoing) transaction.send(record);
          done = { began, answers };
        },
        committed: () => {
          if (done) countSlice(metrics, clock, done);
          done = null;
        },
      };
    },
  });
}

/** What came of one input. */
interface Answer {
  readonly outgoing: readonly OutgoingRecord[];
  readonly dead: DeadLetterReason | null;
}

interface SliceCount {
  readonly began: number;
  readonly answers: readonly Answer[];
}

function countSlice(metrics: Metrics, clock: Clock, { began, answers }: SliceCount): void {
  metrics.count('tocsin_events_consumed_total', { topic: TOPICS.media }, answers.length);
  for (const { outgoing, dead } of answers) {
    if (dead) metrics.count('tocsin_dlq_events_total', { service: SERVICE, reason: dead });
    for (const { topic } of outgoing) metrics.count('tocsin_events_emitted_total', { topic });
  }
  metrics.observe('tocsin_slice_records', answers.length, { service: SERVICE });
  metrics.observe('tocsin_slice_duration_seconds', (clock.monotonic() - began) / 1_000, { service: SERVICE });
}

/** What one request leads to: its MediaEvent, or a dead letter and, where the request can be read, a refusing MediaEvent. */
async function answer(deps: MediaWorkerDeps, record: ReceivedRecord, partitions: number): Promise<Answer> {
  const { request, dead } = readRequest(deps.codec, record, partitions);
  if (!dead) {
    const items = await settleAll(deps.pictures, request);
    return { outgoing: [mediaEvent(deps.codec, record, request, items)], dead: null };
  }
  deps.log.warn(
    { reason: dead.reason, partition: record.partition, offset: String(record.offset) },
    'A media request cannot be worked on.',
  );
  const id = `${record.topic}/${record.partition}/${record.offset}`;
  const letter = message(
    deps.codec,
    TOPICS.dlq,
    deadLetter(
      SERVICE,
      record,
      dead.reason,
      dead.detail,
      claimedFingerprint(record.value ?? new Uint8Array()),
    ),
    {
      key: record.key || id,
      id,
      source: SERVICE,
      time: record.timestamp,
      lineage: lineageOf(record.headers),
    },
  );
  if (!request || request.postId === '') return { outgoing: [letter], dead: dead.reason };
  // The post waits for an answer, so that its pictures are not pending for ever.
  const refused = request.media.map(({ id: picture }) => ({ id: picture, ...refusedPicture('bad_request') }));
  return { outgoing: [letter, mediaEvent(deps.codec, record, request, refused)], dead: dead.reason };
}

function readRequest(codec: Codec, record: ReceivedRecord, partitions: number): Read {
  if (record.value === null) return { request: null, dead: { reason: 'null_value', detail: '' } };
  let request: MediaRequest;
  try {
    const decoded = codec.decode(record.value);
    if (decoded.kind !== 'MediaRequest')
      return { request: null, dead: { reason: 'unexpected_record', detail: decoded.kind } };
    request = decoded;
  } catch (error) {
    if (!(error instanceof TocsinError)) throw error;
    const reason = error.code === 'UNKNOWN_SCHEMA' ? 'unknown_schema' : 'bad_avro';
    return { request: null, dead: { reason, detail: error.message } };
  }
  const fault = faultOf(request, record, partitions);
  return fault ? { request, dead: fault } : { request, dead: null };
}

function faultOf(
  request: MediaRequest,
  record: ReceivedRecord,
  partitions: number,
): { readonly reason: DeadLetterReason; readonly detail: string } | null {
  if (record.key === null || record.key === '') return { reason: 'null_key', detail: request.postId };
  if (record.key !== request.postId) return { reason: 'key_mismatch', detail: request.postId };
  if (partitionOf(record.key, partitions) !== record.partition)
    return { reason: 'wrong_partition', detail: String(partitionOf(record.key, partitions)) };
  if (Number.isNaN(new Date(request.context.createdAt).getTime()))
    return { reason: 'bad_field', detail: 'context.createdAt' };
  return null;
}

/** All pictures of the post at once, in the order of the request. */
function settleAll(pictures: Pictures, request: MediaRequest): Promise<MediaItem[]> {
  return Promise.all(
    request.media.map(async ({ id, ref }, index) => ({
      id,
      ...(index < MAX_PICTURES ? await pictures.settle(ref) : refusedPicture('too_many_pictures')),
    })),
  );
}

function mediaEvent(
  codec: Codec,
  record: ReceivedRecord,
  request: MediaRequest,
  items: readonly MediaItem[],
): OutgoingRecord {
  const { postId, mediaSetHash, media, context, mac } = request;
  const event: MediaEvent = { kind: 'MediaEvent', postId, mediaSetHash, items, context, mac, media };
  const { createdAt } = context;
  return message(codec, TOPICS.events, event, {
    key: postId,
    id: `${postId}/${mediaSetHash}`,
    source: SERVICE,
    time: Number.isNaN(new Date(createdAt).getTime()) ? record.timestamp : createdAt,
    lineage: lineageOf(record.headers),
  });
}

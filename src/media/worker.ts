/** The media worker: for every request one MediaEvent that says what became of each picture. */
import type { Clock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Codec } from '../bus/codec.ts';
import { lineageOf, message } from '../bus/messages.ts';
import type { Bus, Consumer, OutgoingRecord, ReceivedRecord } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import type { MediaEvent, MediaItem, MediaRequest } from '../event/records.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type DeadLetterReason, deadLetterMessage, startDeadLetterCounts } from '../pipeline/dead-letter.ts';
import { type Expected, readRequest } from '../pipeline/requests.ts';
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

const EXPECTED: Expected<MediaRequest> = {
  kind: 'MediaRequest',
  keyOf: ({ postId }) => postId,
  badField: ({ context }) =>
    Number.isNaN(new Date(context.createdAt).getTime()) ? 'context.createdAt' : null,
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
  const { request, dead } = readRequest(deps.codec, EXPECTED, record, partitions);
  if (!dead) {
    const items = await settleAll(deps.pictures, request);
    return { outgoing: [mediaEvent(deps.codec, record, request, items)], dead: null };
  }
  deps.log.warn(
    { reason: dead.reason, partition: record.partition, offset: String(record.offset) },
    'A media request cannot be worked on.',
  );
  const letter = deadLetterMessage(deps.codec, SERVICE, record, dead.reason, dead.detail);
  if (!request || request.postId === '') return { outgoing: [letter], dead: dead.reason };
  // The post waits for an answer, so that its pictures are not pending for ever.
  const refused = request.media.map(({ id: picture }) => ({ id: picture, ...refusedPicture('bad_request') }));
  return { outgoing: [letter, mediaEvent(deps.codec, record, request, refused)], dead: dead.reason };
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

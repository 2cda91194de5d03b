/** Replays archives onto crisis.events.v1: each post when its event time comes, or as fast as the bus takes them. */
import type { Clock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import type { Codec } from '../bus/codec.ts';
import type { Bus, OutgoingRecord } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import { createOutgoing } from './outgoing.ts';
import { createTimeline, createTokenBucket, type Speed } from './pacing.ts';
import type { Archive, ArchivePost } from './readers/contract.ts';
import { mergedItems } from './readers/open-archive.ts';
import { type Shift, shiftedTime } from './shift.ts';

/** Posts in one call of the bus, at most … */
const BATCH = 1_000;
/** … and characters of their texts, so that an archive of long texts does not fill the memory. */
const BATCH_CHARS = 2_000_000;
/** Long waits are cut into pieces, so that progress is told meanwhile. */
const LONGEST_SLEEP_MS = 1_000;
/** A full bus is asked again after this long. */
const FULL_RETRY_MS = 500;

export interface ReplayOptions {
  readonly speed: Speed;
  /** Posts per second; null: no limit. */
  readonly maxRate: number | null;
  /** Longest silence in ms of real time; null: as the event was. */
  readonly idleLimitMs: number | null;
  readonly shift: Shift;
  /** Event time, inclusive; null: open. */
  readonly from: number | null;
  readonly to: number | null;
  readonly replayId: string;
  /** Posts at the beginning (inside from … to) that an earlier run has sent. */
  readonly alreadySent: number;
}

export interface ReplayProgress {
  /** The archive's event time of the newest post sent; null before the first. */
  readonly eventTime: number | null;
  /** Part of the event time that has passed, 0 to 1. */
  readonly fraction: number;
  /** Posts on the bus, those of earlier runs among them. */
  readonly sent: number;
}

export interface ReplayDeps {
  readonly bus: Bus;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly putPicture: (bytes: Uint8Array) => Promise<string>;
  /** Told after every batch and at least once a second. */
  readonly onProgress: (progress: ReplayProgress) => void;
  /** Ends the replay after the batch in hand. */
  readonly signal: AbortSignal;
}

export interface ReplaySummary {
  /** Posts on the bus, those of earlier runs among them. */
  readonly sent: number;
  /** False when the signal came first. */
  readonly complete: boolean;
  readonly elapsedMs: number;
}

/** Refuses what must not happen: LIVE_ENVIRONMENT, and UNKNOWN_TOPIC where the topic was not made. */
export async function assertReplayable(bus: Bus): Promise<void> {
  if (await bus.admin.live())
    throw new TocsinError(
      'LIVE_ENVIRONMENT',
      'this environment is marked live: old posts must not be mixed into it. Replay into another data directory or environment.',
    );
  const topics = await bus.admin.topics();
  if (!topics.some((topic) => topic.name === TOPICS.events))
    throw new TocsinError(
      'UNKNOWN_TOPIC',
      `there is no topic ${TOPICS.events}; make the topics first: tocsin topics apply --bus ${bus.kind} --yes`,
    );
}

/** Posts of the archives inside from … to, in event-time order. */
export async function* itemsBetween(
  archives: readonly Archive[],
  from: number | null,
  to: number | null,
): AsyncGenerator<ArchivePost> {
  for await (const item of mergedItems(archives)) {
    const { createdAt } = item.post;
    if (to !== null && createdAt > to) return;
    if (from === null || createdAt >= from) yield item;
  }
}

/** First and last event time that will be sent; null when nothing will. */
export function replaySpan(
  archives: readonly Archive[],
  options: Pick<ReplayOptions, 'from' | 'to'>,
): { readonly from: number; readonly to: number } | null {
  const spans = archives.flatMap((archive) => (archive.span ? [archive.span] : []));
  const from = Math.max(options.from ?? Number.NEGATIVE_INFINITY, Math.min(...spans.map((s) => s.from)));
  const to = Math.min(options.to ?? Number.POSITIVE_INFINITY, Math.max(...spans.map((s) => s.to)));
  return spans.length === 0 || from > to ? null : { from, to };
}

/**
 * Sends the posts. Every record carries `replay-id`; nothing is sent before it is due.
 * Throws what `assertReplayable` throws, and what the bus throws other than BUS_FULL, which is waited out.
 */
export async function replay(
  archives: readonly Archive[],
  options: ReplayOptions,
  deps: ReplayDeps,
): Promise<ReplaySummary> {
  const { bus, clock, signal } = deps;
  await assertReplayable(bus);
  const span = replaySpan(archives, options);
  const started = clock.monotonic();
  const context = { ...options, startedAt: clock.now(), lastEvent: span?.to ?? 0 };
  const timeline = createTimeline(options.speed, options.idleLimitMs);
  const bucket = options.maxRate === null ? null : createTokenBucket(options.maxRate);
  const batchSize = bucket ? Math.min(BATCH, bucket.burst) : BATCH;
  const outgoing = createOutgoing({ ...deps, replayId: options.replayId });

  let sent = options.alreadySent;
  let eventTime: number | null = null;
  const tell = (): void =>
    deps.onProgress({
      eventTime,
      fraction: progressOf(eventTime, span),
      sent,
    });
  const sleepUntil = async (at: number): Promise<void> => {
    for (let left = at - clock.monotonic(); left > 0 && !signal.aborted; left = at - clock.monotonic()) {
      await clock.sleep(Math.min(left, LONGEST_SLEEP_MS), signal);
      tell();
    }
  };
  const produce = async (records: readonly OutgoingRecord[]): Promise<boolean> => {
    while (!signal.aborted) {
      try {
        await bus.produce(records);
        return true;
      } catch (error) {
        if (!(error instanceof TocsinError) || error.code !== 'BUS_FULL') throw error;
        await sleepUntil(clock.monotonic() + FULL_RETRY_MS);
      }
    }
    return false;
  };

  let batch: ArchivePost[] = [];
  let chars = 0;
  let newest = 0;
  const flush = async (): Promise<boolean> => {
    if (batch.length === 0) return true;
    if (bucket) await sleepUntil(clock.monotonic() + bucket.take(batch.length, clock.monotonic()));
    if (signal.aborted || !(await produce(await outgoing(batch, clock.now())))) return false;
    sent += batch.length;
    eventTime = newest;
    batch = [];
    chars = 0;
    tell();
    return true;
  };

  let skip = options.alreadySent;
  for await (const item of itemsBetween(archives, options.from, options.to)) {
    if (skip > 0) {
      skip -= 1;
      continue;
    }
    const dueMs = timeline.dueAfter(item.post.createdAt);
    if (started + dueMs > clock.monotonic()) {
      if (!(await flush())) break;
      await sleepUntil(started + dueMs);
    }
    if (signal.aborted) break;
    newest = item.post.createdAt;
    const createdAt = shiftedTime(context, newest, dueMs);
    batch.push({ ...item, post: { ...item.post, createdAt } });
    chars += item.post.text.length;
    if ((batch.length >= batchSize || chars >= BATCH_CHARS) && !(await flush())) break;
  }
  const complete = !signal.aborted && (await flush());
  return { sent, complete, elapsedMs: clock.monotonic() - started };
}

function progressOf(
  eventTime: number | null,
  span: { readonly from: number; readonly to: number } | null,
): number {
  if (eventTime === null || span === null) return 0;
  return span.to === span.from ? 1 : (eventTime - span.from) / (span.to - span.from);
}

/** Follows labels, claims and alerts, without a group, into the memory. */
import type { Clock } from '../../base/clock.ts';
import { asTocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Codec } from '../../bus/codec.ts';
import { lineageOf } from '../../bus/messages.ts';
import type { Bus, ReadFrom, ReceivedRecord } from '../../bus/port.ts';
import { TOPICS } from '../../bus/topics.ts';
import type { AnyRecord } from '../../event/records.ts';
import type { Memory } from './memory.ts';
import { alertView, claimView, revisionView } from './views.ts';

export interface Feed {
  /** Whether what lay on the bus at the start has been read. */
  loaded(): boolean;
  /** Null while all readers run, else what is wrong with one of them. */
  problem(): string | null;
  /** Posts that were first seen in the last minute, by the time of their label. */
  perMinute(): number;
  close(): Promise<void>;
}

interface Source {
  readonly topic: string;
  readonly from: ReadFrom;
}

const RETRY_FIRST_MS = 250;
const RETRY_LAST_MS = 5_000;
/** Records may be committed this long after they were stamped; a reader that starts anew goes back so far. */
const OVERLAP_MS = 60_000;

/** @param lastRecords how many labels of each partition are read at the start. */
export function followTopics(deps: {
  readonly bus: Bus;
  readonly codec: Codec;
  readonly memory: Memory;
  readonly clock: Clock;
  readonly log: Log;
  readonly lastRecords: number;
}): Feed {
  const { bus, codec, memory, clock, log } = deps;
  const stop = new AbortController();
  const problems = new Map<string, string>();
  const loading = new Set<string>();
  /** Post arrivals by second, for the rate. */
  const arrivals = new Map<number, number>();

  const take = (record: ReceivedRecord): void => {
    if (record.value === null) return;
    let decoded: AnyRecord;
    try {
      decoded = codec.decode(record.value);
    } catch (thrown) {
      const { topic, partition, offset } = record;
      log.warn(
        { topic, partition, offset: String(offset), code: asTocsinError(thrown, 'decoding').code },
        'A record cannot be shown.',
      );
      return;
    }
    if (decoded.kind === 'Label') {
      const isNew = memory.revisions(decoded.postId) === undefined;
      const view = revisionView(decoded, record.timestamp, lineageOf(record.headers));
      if (memory.putLabel(view) && isNew) countArrival(arrivals, record.timestamp, clock.now());
    } else if (decoded.kind === 'Claim') memory.putClaim(claimView(decoded));
    else if (decoded.kind === 'Alert') memory.putAlert(alertView(decoded));
  };

  /** Reads to the end as it is now, then follows. The two overlap; the memory knows what it has. */
  const follow = async ({ topic, from }: Source): Promise<void> => {
    let start = from;
    let healthyAt = clock.now();
    let retryMs = RETRY_FIRST_MS;
    while (!stop.signal.aborted) {
      try {
        const startedAt = clock.now();
        const passes: readonly { readonly from: ReadFrom; readonly stopAtEnd: boolean }[] = [
          { from: start, stopAtEnd: true },
          { from: { timestamp: startedAt - OVERLAP_MS }, stopAtEnd: false },
        ];
        for (const pass of passes) {
          for await (const batch of bus.read(topic, { ...pass, signal: stop.signal })) {
            for (const record of batch) take(record);
            healthyAt = clock.now();
            retryMs = RETRY_FIRST_MS;
          }
          if (stop.signal.aborted) return;
          loading.delete(topic);
          problems.delete(topic);
        }
        problems.set(topic, `The reader of ${topic} ended.`);
      } catch (thrown) {
        if (stop.signal.aborted) return;
        const error = asTocsinError(thrown, `reading ${topic}`);
        problems.set(topic, `${topic} cannot be read (${error.code}).`);
        log.warn({ topic, code: error.code, detail: error.message }, 'A reader failed and starts anew.');
      }
      if (!loading.has(topic)) start = { timestamp: healthyAt - OVERLAP_MS };
      await clock.sleep(retryMs, stop.signal);
      retryMs = Math.min(retryMs * 2, RETRY_LAST_MS);
    }
  };

  const sources: readonly Source[] = [
    { topic: TOPICS.labels, from: { lastRecords: deps.lastRecords } },
    { topic: TOPICS.claims, from: 'earliest' },
    { topic: TOPICS.alerts, from: { lastRecords: 500 } },
  ];
  for (const { topic } of sources) loading.add(topic);
  const running = sources.map(follow);

  return {
    loaded: () => loading.size === 0,
    problem: () => [...problems.values()][0] ?? null,
    perMinute() {
      const now = Math.floor(clock.now() / 1_000);
      let sum = 0;
      for (const [second, count] of arrivals)
        if (second <= now - 60) arrivals.delete(second);
        else sum += count;
      return sum;
    },
    async close() {
      stop.abort();
      await Promise.all(running);
    },
  };
}

function countArrival(arrivals: Map<number, number>, at: number, now: number): void {
  if (at <= now - 60_000) return;
  const second = Math.floor(at / 1_000);
  arrivals.set(second, (arrivals.get(second) ?? 0) + 1);
}

/** The heartbeat: polls the ledger and the bus, and says how fresh and how complete the page is. */
import type { Clock } from '../../base/clock.ts';
import { asTocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Bus } from '../../bus/port.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { LedgerView, PostView, Pulse } from '../wire.ts';
import type { Feed } from './feed.ts';
import type { LedgerReader } from './ledger-reader.ts';
import type { Memory } from './memory.ts';

export interface PulseSource {
  /** The newest state of things. */
  current(): Pulse;
  close(): Promise<void>;
}

/** The bus or the ledger must answer within this time. */
const ANSWER_MS = 5_000;
/** Posts that the shares and the kind of stream are taken from. */
const SHARE_OF = 500;
const STREAM_OF = 50;

export function startPulse(
  deps: {
    readonly bus: Bus;
    readonly memory: Memory;
    readonly feed: Feed;
    readonly ledger: LedgerReader;
    readonly clock: Clock;
    readonly log: Log;
    readonly metrics: Metrics;
    /** Pause between polls. */
    readonly everyMs: number;
  },
  onBeat: (pulse: Pulse) => void,
): PulseSource {
  const { bus, memory, feed, clock, log, metrics } = deps;
  const stop = new AbortController();
  let ledger: LedgerView | null = null;
  let busProblem: string | null = null;
  /** Since when posts have been waiting for their label without a break; monotonic. */
  let waitingSince: number | null = null;

  const current = (): Pulse => {
    const newest = memory.newest(SHARE_OF);
    const first = newest[0];
    const problem = busProblem ?? feed.problem();
    return {
      at: clock.now(),
      feed: problem ? 'stalled' : feed.loaded() ? 'following' : 'loading',
      problem,
      ledger,
      newestEventAt: newest.length === 0 ? null : Math.max(...newest.map((post) => post.createdAt)),
      newestLabelAt: first?.labelledAt ?? null,
      behindMs: behind(first),
      perMinute: feed.perMinute(),
      informativeShare: shareOf(newest),
      model: modelOf(newest),
      ...streamOf(newest.slice(0, STREAM_OF)),
    };
  };

  /** Posts wait: as long as they have waited, but never longer than the newest label's post is old. */
  const behind = (newest: PostView | undefined): number => {
    if (waitingSince === null) return 0;
    const waited = clock.monotonic() - waitingSince;
    return Math.round(newest ? Math.min(waited, Math.max(0, clock.now() - newest.receivedAt)) : waited);
  };

  const poll = async (): Promise<void> => {
    try {
      await withinTime(deps.ledger.read(), clock).then((read) => {
        ledger = read;
      });
      await withinTime(bus.ping(), clock);
      busProblem = null;
    } catch (thrown) {
      const error = asTocsinError(thrown, 'reading the ledger');
      if (busProblem === null)
        log.warn({ code: error.code, detail: error.message }, 'The bus does not answer.');
      busProblem = `The bus does not answer (${error.code}).`;
    }
    const waiting = ledger !== null && ledger.inFlight > 0;
    waitingSince = waiting ? (waitingSince ?? clock.monotonic()) : null;
    if (ledger)
      metrics.set('tocsin_consumer_lag_records', ledger.inFlight, {
        topic: 'crisis.events.v1',
        partition: 'all',
      });
  };

  const running = (async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await poll();
      if (stop.signal.aborted) return;
      onBeat(current());
      await clock.sleep(deps.everyMs, stop.signal);
    }
  })();

  return {
    current,
    async close() {
      stop.abort();
      await running;
    },
  };
}

async function withinTime<T>(work: Promise<T>, clock: Clock): Promise<T> {
  const done = new AbortController();
  try {
    return await Promise.race([
      work,
      clock.sleep(ANSWER_MS, done.signal).then((): T => {
        throw new Error(`no answer within ${ANSWER_MS} ms`);
      }),
    ]);
  } finally {
    done.abort();
  }
}

const informative = (post: PostView) => post.tasks.find((task) => task.task === 'informative');

function shareOf(posts: readonly PostView[]): number | null {
  if (posts.length === 0) return null;
  return posts.filter((post) => informative(post)?.decision === 'yes').length / posts.length;
}

function modelOf(posts: readonly PostView[]): Pulse['model'] {
  for (const post of posts) {
    const model = informative(post)?.model;
    if (model) return { name: model.name, version: model.version };
  }
  return null;
}

/** A replay can never look live: one replayed or made-up post among the newest is enough. */
function streamOf(posts: readonly PostView[]): Pick<Pulse, 'stream' | 'replayId'> {
  const synthetic = posts.find((post) => post.synthetic);
  const replayed = posts.find((post) => post.replayId !== null);
  return {
    stream: synthetic ? 'sample' : replayed ? 'replay' : 'live',
    replayId: replayed?.replayId ?? null,
  };
}

/** The dashboard's server, put together: readers into the memory, HTTP and WebSocket out of it. */
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Codec } from '../../bus/codec.ts';
import type { Bus } from '../../bus/port.ts';
import type { MediaStore } from '../../media/store.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { type ApiDeps, registerApi } from './api.ts';
import { createApp } from './app.ts';
import { DOOR_LIMITS, type DoorLimits, registerDoor } from './door.ts';
import { followTopics } from './feed.ts';
import { createGuard, requireLoopback } from './guard.ts';
import { createLedgerReader } from './ledger-reader.ts';
import { LIVE_LIMITS, type Live, type LiveLimits, openLive } from './live.ts';
import { createLookup } from './lookup.ts';
import { createMemory, MEMORY_LIMITS, type MemoryLimits } from './memory.ts';
import { startPulse } from './pulse.ts';

export interface DashboardDeps {
  readonly bus: Bus;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly media: MediaStore;
  /** Key of the authors' hashes. */
  readonly authorKey: Uint8Array;
  /** Unique ids, for rulings and for this server's own name in cursors. */
  readonly newId: () => string;
  /** The words that count most in a label; null where it cannot be explained. Never fails. */
  readonly explain: ApiDeps['explain'];
}

export interface DashboardOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly uiDir?: string;
  readonly memory?: Partial<MemoryLimits>;
  readonly live?: Partial<LiveLimits>;
  readonly door?: Partial<DoorLimits>;
  /** Between two looks at the ledger. */
  readonly pulseMs?: number;
  /** Longest search for a post that the memory has let go. */
  readonly lookupMs?: number;
}

export interface Dashboard {
  /** Where it answers, without a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

/** Where the build puts the page, seen from the sources as well as from dist/. */
const builtPage = (): string => {
  const fromSources = import.meta.url.endsWith('.ts');
  return fileURLToPath(new URL(fromSources ? '../../../dist/dashboard/ui' : '../ui', import.meta.url));
};

/** Starts to serve. Throws BAD_CONFIG for an address beyond loopback and for a port that is taken. */
export async function openDashboard(deps: DashboardDeps, options: DashboardOptions): Promise<Dashboard> {
  requireLoopback(options.host);
  const { bus, codec, clock, log, metrics, media } = deps;
  const guard = createGuard(options.host);
  const limits = { ...MEMORY_LIMITS, ...options.memory };
  const memory = createMemory(limits);
  const ledger = createLedgerReader(bus);
  const feed = followTopics({ bus, codec, memory, clock, log, lastRecords: limits.posts });
  let live: Live | null = null;
  const pulse = startPulse(
    { bus, memory, feed, ledger, clock, log, metrics, everyMs: options.pulseMs ?? 1_000 },
    (beat) => live?.beat(beat),
  );
  const stopReading = async (): Promise<void> => {
    await Promise.all([pulse.close(), feed.close()]);
    await ledger.close();
  };

  try {
    const app = await createApp({ guard, log, uiDir: options.uiDir ?? builtPage() });
    const lookup = createLookup({ bus, codec, clock, timeoutMs: options.lookupMs ?? 10_000 });
    registerApi(app, {
      memory,
      feed,
      ledger,
      lookup,
      pulse: pulse.current,
      metrics,
      preview: (key) => media.previews.get(key),
      explain: deps.explain,
    });
    registerDoor(app, {
      bus,
      codec,
      memory,
      clock,
      metrics,
      pulse: pulse.current,
      posts: {
        now: () => clock.now(),
        authorKey: deps.authorKey,
        keepPicture: (bytes) => media.quarantine.put(bytes),
      },
      newId: deps.newId,
      limits: { ...DOOR_LIMITS, ...options.door },
    });
    live = openLive({
      server: app.server,
      memory,
      pulse: pulse.current,
      guard,
      instance: deps.newId(),
      clock,
      metrics,
      limits: { ...LIVE_LIMITS, ...options.live },
    });
    await app.listen({ host: options.host, port: options.port }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EADDRINUSE'
        ? new TocsinError('BAD_CONFIG', `port ${options.port} is in use; choose another with --port`)
        : error;
    });
    const { port } = app.server.address() as AddressInfo;
    const name = options.host.includes(':') ? `[${options.host.replace(/^\[|\]$/g, '')}]` : options.host;
    return {
      url: `http://${name}:${port}`,
      async close() {
        await live?.close();
        await app.close();
        await stopReading();
      },
    };
  } catch (error) {
    await stopReading();
    throw error;
  }
}

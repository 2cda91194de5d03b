/** Fetches and decodes pictures in child processes, so that a bad host or a bad picture can stop neither. */
import type { Clock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { type RunnableModule, runnableModule } from '../base/module-url.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { ChildDied, DEATH_REASONS, type DeathReason, superviseChild } from './child.ts';
import type { Fetched, PictureSource } from './child-protocol.ts';
import type { Decoded } from './decode.ts';
import type { ChildSettings } from './decoder-process.ts';
import { createGate } from './gate.ts';
import { createHosts } from './hosts.ts';
import { type RefusalCode, type Refused, refuse } from './refusal.ts';

export interface DecoderLimits {
  /** Pictures decoded at once. */
  readonly decodes: number;
  /** A decode that takes longer ends the child. */
  readonly decodeMs: number;
  /** Pictures fetched at once. */
  readonly fetches: number;
  /** For one fetch, waiting for its turn included. */
  readonly fetchMs: number;
  readonly recycleAfter: number;
  readonly maxRssBytes: number;
}

export const DECODER_LIMITS: DecoderLimits = {
  decodes: 4,
  decodeMs: 10_000,
  fetches: 32,
  fetchMs: 5_000,
  recycleAfter: 10_000,
  maxRssBytes: 500_000_000,
};

export interface DecoderOptions {
  readonly settings: ChildSettings;
  readonly limits?: Partial<DecoderLimits>;
  /** The child's program; only tests bring their own. */
  readonly module?: RunnableModule;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Decoder {
  /**
   * Hands the bytes at an http(s) address to `use`. So many at once until `use` is done with them, which bounds the
   * memory that they take. Throws only when no child can be started, or what `use` throws.
   */
  fetch<T>(url: string, use: (bytes: Uint8Array) => Promise<T>): Promise<T | Refused>;
  /** Checks and decodes. Throws only when no child can be started or the media store cannot be read. */
  decode(picture: PictureSource): Promise<Decoded | Refused>;
  /** Process ids of the children in use. */
  pids(): { readonly fetch: number | null; readonly decode: number | null };
  close(): Promise<void>;
}

/** A fetch that took this much of its time while waiting still gets so much of its own. */
const LEAST_FETCH_MS = 1_000;
/** The child watches the time of a fetch itself; this much later it counts as stuck. */
const GRACE_MS = 2_000;

/** Refusals that a host is to blame for. */
const HOST_FAULTS: ReadonlySet<RefusalCode> = new Set([
  'host_unknown',
  'host_unreachable',
  'fetch_timeout',
  'fetch_broken',
] as const);

/** Two children of one program, each started when first needed: a picture that kills one leaves the other's fetches alone. */
export function createDecoder(options: DecoderOptions): Decoder {
  const { clock, log, metrics } = options;
  const limits = { ...DECODER_LIMITS, ...options.limits };
  for (const reason of DEATH_REASONS) metrics.count('tocsin_decoder_restarts_total', { reason }, 0);
  const onDeath = (reason: DeathReason, lastWords: string): void => {
    metrics.count('tocsin_decoder_restarts_total', { reason });
    if (reason !== 'recycled')
      log.warn({ reason, lastWords }, 'A decoding process died and is started again.');
  };
  const child = (settings: ChildSettings) =>
    superviseChild({
      module: options.module ?? runnableModule(import.meta.url, './decoder-process'),
      args: [JSON.stringify(settings)],
      recycleAfter: limits.recycleAfter,
      maxRssBytes: limits.maxRssBytes,
      startMs: 60_000,
      onDeath,
    });
  // Each is told what its own work needs.
  const fetching = child({ ...options.settings, dataDir: null });
  const decoding = child({ ...options.settings, fetchHosts: [] });
  const fetches = createGate(limits.fetches);
  const decodes = createGate(limits.decodes);
  const hosts = createHosts(clock);

  async function fetchNow(url: string, timeoutMs: number): Promise<Fetched | Refused> {
    let reason: string = '';
    for (let attempt = 0; attempt < 2; attempt += 1)
      try {
        const answer = await fetching.call({ op: 'fetch', url, timeoutMs }, timeoutMs + GRACE_MS);
        return answer as Fetched | Refused;
      } catch (error) {
        if (!(error instanceof ChildDied)) throw error;
        reason = error.reason;
      }
    return refuse(reason === 'timeout' ? 'fetch_timeout' : 'decoder_crashed', url);
  }

  return {
    async fetch(url, use) {
      if (!URL.canParse(url)) return refuse('unsupported_ref', url);
      const asked = clock.monotonic();
      const leave = await hosts.enter(new URL(url).host, limits.fetchMs);
      if (typeof leave !== 'function') return leave;
      let worked: boolean | null = null;
      const release = await fetches.acquire();
      try {
        const left = limits.fetchMs - (clock.monotonic() - asked);
        if (left <= 0) return refuse('host_busy', url);
        const answer = await fetchNow(url, Math.max(left, LEAST_FETCH_MS));
        worked = !('refused' in answer && HOST_FAULTS.has(answer.refused));
        if ('refused' in answer) return answer;
        leave(worked);
        return await use(answer.bytes);
      } finally {
        release();
        leave(worked);
      }
    },

    async decode(picture) {
      let reason: DeathReason = 'crash';
      // Whoever was in hand when the child died comes again alone: only the one to blame dies twice.
      for (const weight of [1, limits.decodes]) {
        const release = await decodes.acquire(weight);
        const began = clock.monotonic();
        try {
          const answer = await decoding.call({ op: 'decode', picture }, limits.decodeMs);
          metrics.observe('tocsin_image_decode_seconds', (clock.monotonic() - began) / 1_000);
          if ('unreadable' in answer)
            throw new TocsinError('INTERNAL', `reading the media store: ${answer.unreadable}`);
          return answer as Decoded | Refused;
        } catch (error) {
          if (!(error instanceof ChildDied)) throw error;
          reason = error.reason;
        } finally {
          release();
        }
      }
      return refuse(reason === 'timeout' ? 'decoder_timeout' : 'decoder_crashed');
    },

    pids: () => ({ fetch: fetching.pid(), decode: decoding.pid() }),
    close: async () => {
      await Promise.all([fetching.close(), decoding.close()]);
    },
  };
}

/** What every command stands on: settings, log, metrics, bus, signals and exit codes. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Clock, systemClock } from '../base/clock.ts';
import { asTocsinError, type ErrorCode, type TocsinError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { type Codec, createCodec } from '../bus/codec.ts';
import { openBus } from '../bus/open.ts';
import type { Bus, Consumer } from '../bus/port.ts';
import { loadSettings, type Settings } from '../config/settings.ts';
import { serveHealth } from '../metrics/health.ts';
import { createLog } from '../metrics/log.ts';
import { createMetrics, type Metrics } from '../metrics/metrics.ts';
import { writeRunFile } from './run-file.ts';

/** The commands' exit codes (interface §6). */
export const EXIT = { ok: 0, failure: 1, usage: 2, problems: 3, unreachable: 4, interrupted: 130 } as const;

export interface Runtime {
  readonly service: string;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly codec: Codec;
  readonly bus: Bus;
  /** Aborts at SIGTERM or SIGINT: finish what is in hand and return. */
  readonly signal: AbortSignal;
}

/** Adds the flags that every command on the bus has. */
export function withBusFlags(command: Command): Command {
  return command
    .option('--bus <kind>', 'embedded or kafka (TOCSIN_BUS)')
    .option('--data <dir>', 'data directory (TOCSIN_DATA)')
    .option('--brokers <list>', 'Kafka bootstrap servers (KAFKA_BROKERS)')
    .option('--environment <name>', 'environment name (TOCSIN_ENVIRONMENT)')
    .option('--log <level>', 'debug, info, warn, error or silent (TOCSIN_LOG)');
}

/** Flags as commander parsed them → settings. */
export function settingsFrom(flags: Readonly<Record<string, unknown>>): Settings {
  const { data, log, ...rest } = flags;
  const settings = loadSettings({
    ...rest,
    ...(data === undefined ? {} : { dataDir: data }),
    ...(log === undefined ? {} : { logLevel: log }),
  } as Parameters<typeof loadSettings>[0]);
  return { ...settings, dataDir: resolve(settings.dataDir) };
}

const UNREACHABLE: ReadonlySet<ErrorCode> = new Set(['BUS_UNREACHABLE', 'DEPENDENCY_MISSING']);
const USAGE: ReadonlySet<ErrorCode> = new Set([
  'BAD_CONFIG',
  'BAD_USAGE',
  'LIVE_ENVIRONMENT',
  'DATA_DIR_LOCKED',
]);

/** The exit code that an error deserves. */
function exitCodeOf(error: TocsinError): number {
  if (UNREACHABLE.has(error.code)) return EXIT.unreachable;
  return USAGE.has(error.code) ? EXIT.usage : EXIT.failure;
}

/** Says on stderr what went wrong and sets the exit code. */
export function reportFailure(service: string, thrown: unknown): void {
  const error = asTocsinError(thrown, `tocsin ${service}`);
  process.stderr.write(
    `tocsin ${service}: ${error.message}${error.code === 'INTERNAL' ? `\n${error.stack}` : ''}\n`,
  );
  process.exitCode = exitCodeOf(error);
}

/**
 * Runs a command: opens what it needs, hands it over, closes everything, sets the exit code.
 * The first SIGTERM or SIGINT aborts `signal`; 10 s later, or at the second one, the process ends anyway.
 */
export async function run(
  service: string,
  flags: Readonly<Record<string, unknown>>,
  body: (runtime: Runtime) => Promise<number | undefined>,
): Promise<void> {
  const stop = new AbortController();
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    if (signals > 1) process.exit(EXIT.interrupted);
    stop.abort();
    setTimeout(() => process.exit(EXIT.interrupted), 10_000).unref();
  };
  // Under `tocsin up` a terminal's Ctrl-C reaches us too, but it is the supervisor that decides; and when
  // the supervisor is gone, so are we.
  const supervised = process.send !== undefined;
  const onInterrupt = supervised ? (): void => {} : onSignal;
  const onOrphaned = (): void => {
    if (signals === 0) onSignal();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onInterrupt);
  process.on('disconnect', onOrphaned);
  let bus: Bus | null = null;
  try {
    const settings = settingsFrom(flags);
    const log = createLog(service, settings.logLevel);
    bus = await openBus(settings, { clock: systemClock, log });
    const code = await body({
      service,
      settings,
      clock: systemClock,
      log,
      metrics: createMetrics(),
      codec: createCodec(),
      bus,
      signal: stop.signal,
    });
    process.exitCode = code ?? EXIT.ok;
  } catch (thrown) {
    reportFailure(service, thrown);
  } finally {
    await bus?.close().catch(() => {});
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onInterrupt);
    process.off('disconnect', onOrphaned);
    if (process.connected) process.disconnect();
  }
  // Native handles (LMDB, sockets of a dead broker) may linger; the work is done and flushed.
  setTimeout(() => process.exit(), 1_000).unref();
}

/** What a worker tells `tocsin up` once it works. */
export interface ReadyMessage {
  readonly kind: 'ready';
  readonly url: string;
}

/** Tells the supervisor, where there is one, that the service works and where it answers. */
export function announceReady(url: string): void {
  process.send?.({ kind: 'ready', url } satisfies ReadyMessage);
}

const LIVE_LIMIT_MS = 60_000;

/**
 * The life of a worker process: health server, ready line, run file, wait for the end, close.
 * @param start opens the consumer once the surroundings stand.
 */
export async function runWorker(runtime: Runtime, start: () => Promise<Consumer>): Promise<number> {
  const { service, settings, metrics, log, signal } = runtime;
  let consumer: Consumer | null = null;
  const health = await serveHealth(
    { port: settings.metricsPort },
    {
      live: () =>
        consumer && consumer.idleMs() > LIVE_LIMIT_MS ? 'The consumer shows no sign of life.' : null,
      ready: () => (consumer ? null : 'Not yet consuming.'),
    },
    metrics,
  );
  let removeRunFile: () => void = () => {};
  try {
    consumer = await start();
    const address = `127.0.0.1:${health.port}`;
    removeRunFile = writeRunFile(settings.dataDir, service, address);
    announceReady(`http://${address}`);
    log.info({ metricsPort: health.port }, 'Ready.');
    const broken = await Promise.race([
      consumer.ended,
      new Promise<null>((resolve) => {
        if (signal.aborted) resolve(null);
        signal.addEventListener('abort', () => resolve(null), { once: true });
      }),
    ]);
    if (broken) throw broken;
    return EXIT.ok;
  } finally {
    await consumer?.close();
    removeRunFile();
    await health.close();
    log.info({}, 'Stopped.');
  }
}

/** Starts, stops and kills a one-node Kafka on this machine. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { type Clock, systemClock } from '../../../base/clock.ts';
import { TocsinError } from '../../../base/errors.ts';
import { KAFKA_DEPLOY_DIR } from './install.ts';

export interface LaunchOptions {
  /** Folder of jars (installKafka). */
  readonly libs: string;
  /** The broker's log segments, settings, output and pid file lie here. */
  readonly dataDir: string;
  /** Default: the port of the last start on this folder, else a free one. */
  readonly port?: number;
  readonly heap?: string;
  /** Leave the broker running when this process ends. */
  readonly detached?: boolean;
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

/** What is written beside the data, so that the next start finds ports and left-overs. */
export interface BrokerFile {
  readonly pid: number;
  readonly port: number;
  readonly controllerPort: number;
}

export interface Broker {
  readonly bootstrap: string;
  readonly pid: number;
  readonly dataDir: string;
  /** SIGTERM, and wait for the end. */
  stop(): Promise<void>;
  /** SIGKILL, and wait for the end. */
  kill(): Promise<void>;
  /** What the broker has written since this start. */
  output(): string;
}

const READY_LINE = 'Kafka Server started';

const listens = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });

/**
 * A port that was free a moment ago, below those that systems hand to outgoing connections: while a broker is down, a
 * client that keeps trying to reach it can be given the broker's own port, connects to itself, and the broker finds its
 * port taken when it comes back.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    if (await listens(port)) return port;
  }
}

/** Kafka's Uuid: 16 bytes in URL-safe base64 that does not begin with a dash. */
function kafkaUuid(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url');
    if (!id.startsWith('-')) return id;
  }
}

const brokerFile = (dataDir: string): string => join(dataDir, 'broker.json');

function readBrokerFile(dataDir: string): BrokerFile | null {
  try {
    return JSON.parse(readFileSync(brokerFile(dataDir), 'utf8')) as BrokerFile;
  } catch {
    return null;
  }
}

/** A process's command line; empty when it is gone. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '';
  }
}

/** The broker that runs on this folder; null when none does. A recycled pid is not taken for it. */
export function runningBroker(dataDir: string): BrokerFile | null {
  const file = readBrokerFile(resolve(dataDir));
  if (!file) return null;
  return commandLine(file.pid).includes(join(resolve(dataDir), 'server.properties')) ? file : null;
}

/** Ends a broker by its folder. @returns whether one was running. */
export async function stopBroker(
  dataDir: string,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
  clock: Clock = systemClock,
): Promise<boolean> {
  const running = runningBroker(dataDir);
  if (!running) return false;
  process.kill(running.pid, signal);
  const killAt = clock.monotonic() + 15_000;
  while (runningBroker(dataDir)) {
    if (clock.monotonic() > killAt) process.kill(running.pid, 'SIGKILL');
    await clock.sleep(20);
  }
  return true;
}

/**
 * Starts a broker on a new or an old folder and waits until it serves. A left-over one on the folder is killed first.
 * C1 alone (`TieredStopAtLevel=1`) starts a second sooner and takes 50 MB less; a test broker never gets warm enough for C2.
 */
export async function startBroker(options: LaunchOptions): Promise<Broker> {
  const clock = options.clock ?? systemClock;
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true });
  await stopBroker(dataDir, 'SIGKILL', clock);
  const last = readBrokerFile(dataDir);
  const port = options.port ?? last?.port ?? (await freePort());
  const controllerPort = last?.controllerPort ?? (await freePort());
  const properties = join(dataDir, 'server.properties');
  writeFileSync(
    properties,
    readFileSync(join(KAFKA_DEPLOY_DIR, 'server.properties.tmpl'), 'utf8')
      .replaceAll('@PORT@', String(port))
      .replaceAll('@CONTROLLER_PORT@', String(controllerPort))
      .replaceAll('@DATA@', dataDir),
  );
  const jvm = [
    '-Xms64m',
    `-Xmx${options.heap ?? '512m'}`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-XX:+ExitOnOutOfMemoryError',
    `-Dlog4j2.configurationFile=${join(KAFKA_DEPLOY_DIR, 'log4j2.properties')}`,
    '-cp',
    join(options.libs, '*'),
  ];
  if (!existsSync(join(dataDir, 'log', 'meta.properties'))) {
    const format = ['kafka.tools.StorageTool', 'format', '-t', kafkaUuid(), '-c', properties];
    const done = spawnSync('java', [...jvm, ...format], { encoding: 'utf8' });
    if (done.status !== 0)
      throw new TocsinError(
        'BUS_UNREACHABLE',
        `formatting ${dataDir}/log: ${done.error?.message ?? `${done.stdout}${done.stderr}`.slice(-2_000)}`,
      );
  }
  // A file, not a pipe: a parent that is busy must not stop the broker's logger.
  const outputFile = join(dataDir, 'broker.log');
  const fd = openSync(outputFile, 'a');
  const before = fstatSync(fd).size;
  const child = spawn('java', [...jvm, 'kafka.Kafka', properties], {
    stdio: ['ignore', fd, fd],
    detached: options.detached ?? false,
  });
  closeSync(fd);
  const exited = exitOf(child);
  const output = (): string => readFileSync(outputFile).subarray(before).toString('utf8');
  if (child.pid === undefined) throw new TocsinError('DEPENDENCY_MISSING', 'java could not be started');
  writeFileSync(brokerFile(dataDir), JSON.stringify({ pid: child.pid, port, controllerPort }));
  const giveUpAt = clock.monotonic() + (options.timeoutMs ?? 60_000);
  while (!output().includes(READY_LINE)) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new TocsinError('BUS_UNREACHABLE', `the broker ended at start:\n${output().slice(-2_000)}`);
    if (clock.monotonic() > giveUpAt) {
      child.kill('SIGKILL');
      throw new TocsinError(
        'BUS_UNREACHABLE',
        `the broker was not ready in time:\n${output().slice(-2_000)}`,
      );
    }
    await clock.sleep(25);
  }
  if (options.detached) child.unref();
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  return {
    bootstrap: `127.0.0.1:${port}`,
    pid: child.pid,
    dataDir,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    output,
  };
}

function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    child.once('exit', () => done());
    child.once('error', () => done());
  });
}

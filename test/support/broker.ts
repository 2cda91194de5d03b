/** A real Kafka for tests, and Kafka's own Java console consumer to read results back with. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isAlive } from '../../src/base/alive.ts';
import { silentLog } from '../../src/base/log.ts';
import { installKafka, KAFKA_DEPLOY_DIR } from '../../src/bus/kafka/broker/install.ts';
import { type Broker, startBroker, stopBroker } from '../../src/bus/kafka/broker/launch.ts';
import { cacheDir } from '../../src/config/cache.ts';

const FOLDER_PREFIX = 'tocsin-test-broker-';

/** Jars of broker and console tools; fetched at the first use. */
export function kafkaJars(): string {
  return installKafka({ cacheDir: cacheDir(), log: silentLog });
}

/** Nothing ends a broker when its parent is killed with -9: look for those whose owner is gone. */
async function clearLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(FOLDER_PREFIX))) {
    const dir = join(tmpdir(), name);
    let owner: number;
    try {
      owner = Number(readFileSync(join(dir, 'owner'), 'utf8'));
    } catch {
      continue; // being made at this moment
    }
    if (isAlive(owner)) continue;
    await stopBroker(dir, 'SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  }
}

export interface TestBroker {
  readonly brokers: string;
  /** kill -9, then start again on the same ports and data. */
  killAndRestart(): Promise<void>;
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** SIGSTOP or SIGCONT. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  output(): string;
  /** Stops it and removes its data. */
  close(): Promise<void>;
}

/** A broker of one's own, on free ports, in a folder of its own. */
export async function startTestBroker(): Promise<TestBroker> {
  await clearLeftovers();
  const libs = kafkaJars();
  const dataDir = mkdtempSync(join(tmpdir(), FOLDER_PREFIX));
  writeFileSync(join(dataDir, 'owner'), String(process.pid));
  let broker: Broker = await startBroker({ libs, dataDir });
  const restart = async (): Promise<void> => {
    broker = await startBroker({ libs, dataDir });
  };
  return {
    brokers: broker.bootstrap,
    async killAndRestart() {
      await broker.kill();
      await restart();
    },
    kill: () => broker.kill(),
    restart,
    signal: (signal) => {
      process.kill(broker.pid, signal);
    },
    output: () => broker.output(),
    async close() {
      await broker.kill();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export interface JavaRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  /** As it was written, whatever bytes it holds; null for a tombstone. */
  readonly value: Buffer | null;
}

const NULL = '<<null>>';

/** Undoes Kafka's `Bytes.toString`: printable ASCII as it is, everything else as \xNN. */
function unescapeBytes(text: string): Buffer {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === '\\' && text[i + 1] === 'x') {
      bytes.push(Number.parseInt(text.slice(i + 2, i + 4), 16));
      i += 3;
    } else bytes.push(text.charCodeAt(i));
  }
  return Buffer.from(bytes);
}

export interface JavaReadOptions {
  readonly brokers: string;
  /** Physical name: `<environment>.<topic>` outside lab. */
  readonly topic: string;
  readonly isolation: 'read_committed' | 'read_uncommitted';
  /** The consumer ends when nothing has come for so long. */
  readonly quietMs?: number;
}

/**
 * Everything in a topic as Kafka's own Java console consumer sees it: the independent witness of exactly-once tests.
 * Throws when the consumer fails for any other reason than its quiet time.
 */
export async function readWithJava(options: JavaReadOptions): Promise<JavaRecord[]> {
  const bytes = 'org.apache.kafka.common.serialization.BytesDeserializer';
  const formatter = [
    'print.partition=true',
    'print.offset=true',
    'print.key=true',
    'print.value=true',
    'key.separator=\t',
    `null.literal=${NULL}`,
    `key.deserializer=${bytes}`,
    `value.deserializer=${bytes}`,
  ].flatMap((property) => ['--formatter-property', property]);
  const args = ['--bootstrap-server', options.brokers, '--topic', options.topic, '--from-beginning'];
  const limits = ['--isolation-level', options.isolation, '--timeout-ms', String(options.quietMs ?? 4_000)];
  const child = spawn(
    'java',
    [
      '-Xmx256m',
      '-XX:TieredStopAtLevel=1',
      `-Dlog4j2.configurationFile=${join(KAFKA_DEPLOY_DIR, 'log4j2.properties')}`,
      '-cp',
      join(kafkaJars(), '*'),
      'org.apache.kafka.tools.consumer.ConsoleConsumer',
      ...args,
      ...limits,
      ...formatter,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk).slice(-4_000);
  });
  const ended = new Promise<void>((done, failed) => {
    child.once('error', failed);
    child.once('close', () => done());
  });
  const records: JavaRecord[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const match = /^Partition:(\d+)\tOffset:(\d+)\t([^\t]*)\t([^\t]*)$/.exec(line);
    if (!match) throw new Error(`the console consumer printed: ${line.slice(0, 300)}`);
    const [, partition, offset, key, value] = match as unknown as string[];
    records.push({
      partition: Number(partition),
      offset: Number(offset),
      key: key === NULL ? null : unescapeBytes(key as string).toString('utf8'),
      value: value === NULL ? null : unescapeBytes(value as string),
    });
  }
  await ended;
  if (!/TimeoutException|Processed a total of/.test(complaints))
    throw new Error(`the console consumer failed: ${complaints}`);
  return records;
}

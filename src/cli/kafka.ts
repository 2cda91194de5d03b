/** `tocsin kafka`: a real one-node Kafka on this machine, for those who have none. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { installKafka } from '../bus/kafka/broker/install.ts';
import { runningBroker, startBroker, stopBroker } from '../bus/kafka/broker/launch.ts';
import { cacheDir } from '../config/cache.ts';
import { createLog } from '../metrics/log.ts';
import { EXIT, reportFailure, settingsFrom } from './runtime.ts';

type Flags = Readonly<Record<string, unknown>>;

const DEFAULT_PORT = 9092;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Runs a sub-command; errors become one line and an exit code. */
async function act(flags: Flags, body: (dataDir: string) => Promise<number>): Promise<void> {
  try {
    const { data, log } = flags;
    process.exitCode = await body(join(settingsFrom({ data, log }).dataDir, 'kafka'));
  } catch (thrown) {
    reportFailure('kafka', thrown);
  }
}

function install(flags: Flags): string {
  const level = settingsFrom({ log: flags['log'] }).logLevel;
  return installKafka({ cacheDir: cacheDir(), log: createLog('kafka', level) });
}

function sayAddress(bootstrap: string): void {
  say(`Kafka runs at ${bootstrap}`);
  say(`export KAFKA_BROKERS=${bootstrap}`);
}

export function register(program: Command): void {
  const kafka = program
    .command('kafka')
    .description('runs a real one-node Apache Kafka on this machine (needs Java 17; Maven fetches it once)');
  const sub = (name: string, text: string): Command =>
    kafka
      .command(name)
      .description(text)
      .option('--data <dir>', 'data directory (TOCSIN_DATA)')
      .option('--log <level>', 'debug, info, warn, error or silent (TOCSIN_LOG)');

  sub('install', 'fetches the broker into the cache folder (TOCSIN_CACHE)').action((flags: Flags) =>
    act(flags, async () => {
      say(`Kafka is installed in ${install(flags)}`);
      return EXIT.ok;
    }),
  );
  sub('start', 'starts the broker and prints its address')
    .option('--port <n>', `port to listen on (default ${DEFAULT_PORT})`)
    .action((flags: Flags) =>
      act(flags, async (dataDir) => {
        const running = runningBroker(dataDir);
        if (running) {
          sayAddress(`127.0.0.1:${running.port}`);
          return EXIT.ok;
        }
        const port = flags['port'] === undefined ? DEFAULT_PORT : Number(flags['port']);
        const broker = await startBroker({ libs: install(flags), dataDir, port, detached: true });
        sayAddress(broker.bootstrap);
        return EXIT.ok;
      }),
    );
  sub('stop', 'stops the broker; its topics stay').action((flags: Flags) =>
    act(flags, async (dataDir) => {
      say((await stopBroker(dataDir)) ? 'Kafka has stopped.' : 'Kafka was not running.');
      return EXIT.ok;
    }),
  );
  sub('status', 'says whether the broker runs, and where (exit code 3 when it does not)').action(
    (flags: Flags) =>
      act(flags, async (dataDir) => {
        const running = runningBroker(dataDir);
        if (!running) {
          say('Kafka is not running.');
          return EXIT.problems;
        }
        sayAddress(`127.0.0.1:${running.port}`);
        return EXIT.ok;
      }),
  );
}

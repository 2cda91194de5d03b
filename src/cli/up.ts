/** `tocsin up`: the whole pipeline on one machine, with a sample stream when asked. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { ARTEFACT_FILES } from '../models/artefact.ts';
import { RUMOUR_CHAMPION_DIR } from '../registry/champions.ts';
import { lockDataDir } from './data-lock.ts';
import { EXIT, reportFailure, run, settingsFrom, withBusFlags } from './runtime.ts';
import { type Service, type Supervised, supervise } from './supervisor.ts';

const SAMPLE_DIR = fileURLToPath(new URL('../../sample', import.meta.url));
/** Event time passes this much faster than the clock, so that four hours last about twelve minutes. */
const SAMPLE_SPEED = '20';
/** All services together must be gone within 10 s. */
const GRACE_MS = 8_000;

interface Flags {
  readonly sample?: boolean;
  readonly sidecar?: boolean;
  readonly port?: string;
  readonly host?: string;
  readonly data?: string;
}

/** Registers the command. */
export function register(program: Command): void {
  withBusFlags(program.command('up'))
    .description(
      'Runs label, media and claim workers, the scorer, the gate and the dashboard together. Example: tocsin up --sample --port 8787',
    )
    .option('--port <n>', 'port of the dashboard, 0 for a free one (TOCSIN_PORT)')
    .option('--host <address>', 'address of the dashboard (TOCSIN_HOST)')
    .option('--sample', 'replay the sample disaster')
    .option('--no-sample', 'start with an empty stream')
    .option('--sidecar', 'also retrain the model beside the stream (tocsin sidecar)')
    .action(async (flags: Flags) => {
      const { sample, sidecar, ...rest } = flags;
      await withLock(rest, () =>
        run('up', rest, async ({ settings, bus, clock, signal }) => {
          if ((await bus.admin.live()) === null) await bus.admin.markLive(false);
          const shared = [
            '--data',
            settings.dataDir,
            '--bus',
            settings.bus,
            '--environment',
            settings.environment,
          ];
          if (settings.bus === 'kafka') shared.push('--brokers', settings.brokers.join(','));
          const service = (name: string, ...args: string[]): Service => ({
            name,
            args: [name, ...shared, ...args],
            kind: 'service',
          });
          const deps = { logDir: join(settings.dataDir, 'logs'), clock };
          process.stderr.write(
            `Starting Tocsin (bus ${settings.bus}, data in ${settings.dataDir}, logs in ${deps.logDir}) …\n`,
          );
          const running: Supervised[] = [];
          try {
            const workers = ['label', 'media', 'claims'].map((name) => supervise(service(name), deps));
            const serve = supervise(
              service('serve', '--port', String(settings.port), '--host', settings.host),
              deps,
            );
            running.push(...workers, serve);
            const interrupted = new Promise<null>((resolve) => {
              if (signal.aborted) resolve(null);
              signal.addEventListener('abort', () => resolve(null), { once: true });
            });
            const up = await Promise.race([
              Promise.all([serve.ready, ...workers.map((worker) => worker.ready)]),
              interrupted,
            ]);
            if (up) {
              const rumourDir = settings.rumourModelDir || RUMOUR_CHAMPION_DIR;
              // Said before the address, which is the last line.
              if (existsSync(join(rumourDir, ARTEFACT_FILES.manifest)))
                running.push(startBeside(service('scorer'), deps, warnOfNoScores));
              else warnOfNoScores(`there is no model in ${rumourDir}.`);
              // On Kafka several may run `up`; the gate must be one, so there it is started by hand.
              if (settings.bus === 'embedded') running.push(startBeside(service('gate'), deps, warnOfNoGate));
              if (sidecar) {
                running.push(supervise(service('sidecar'), deps));
                if (!settings.vaultDir) warnOfNoVault();
              }
              if (sample) running.unshift(supervise(sampleJob(settings.dataDir, shared), deps));
              process.stdout.write(`${up[0]}\n`);
              await interrupted;
            }
            process.stderr.write('Stopping …\n');
            return EXIT.ok;
          } finally {
            await Promise.all(running.map((child) => child.stop(GRACE_MS)));
          }
        }),
      );
    });
}

/** Nothing waits for it, so nothing stops for want of it: what it had to do stays to be done, and the next start does it. */
function startBeside(
  service: Service,
  deps: Parameters<typeof supervise>[1],
  warn: (why: string) => void,
): Supervised {
  const beside = supervise(service, deps);
  beside.ready.catch((error: Error) => warn(error.message));
  return beside;
}

function warnOfNoGate(why: string): void {
  process.stderr.write(`Without the gate no other model comes to serve, everything else works: ${why}\n`);
}

function warnOfNoVault(): void {
  process.stderr.write(
    'Without a vault (TOCSIN_VAULT) the gate judges no candidates; it answers requests of people.\n',
  );
}

function warnOfNoScores(why: string): void {
  process.stderr.write(`Without rumour scores, everything else works: ${why}\n`);
}

/** The sample is played once per data directory; a restart goes on where it was. */
function sampleJob(dataDir: string, shared: readonly string[]): Service {
  const resume = join(dataDir, 'run', 'sample.json');
  return {
    name: 'sample',
    kind: 'job',
    args: ['replay', SAMPLE_DIR, '--speed', SAMPLE_SPEED, '--shift', 'now', '--resume', resume, ...shared],
  };
}

async function withLock(flags: Flags, body: () => Promise<void>): Promise<void> {
  let unlock: () => void;
  try {
    unlock = lockDataDir(settingsFrom({ ...flags }).dataDir);
  } catch (thrown) {
    return reportFailure('up', thrown);
  }
  try {
    await body();
  } finally {
    unlock();
  }
}

/** `tocsin bench`: how fast does this machine run and train the networks? */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { machine } from '../base/machine.ts';
import { runnableModule } from '../base/module-url.ts';
import { cacheDir } from '../config/cache.ts';
import { type BackendName, probeBackends } from '../models/engine/backends.ts';
import { CHAMPION_DIR } from '../registry/champions.ts';
import type { NetworkSpeed } from '../training/network-speed.ts';
import { PLAIN_WASM, type SpeedRound } from '../training/speed-summary.ts';
import { EXIT, reportFailure } from './runtime.ts';

type Flags = Readonly<Record<string, unknown>>;

/** One network of each paper. */
const NETWORKS = ['mmn', 'mafn'] as const;
type Engine = BackendName | typeof PLAIN_WASM;
type EngineSpeeds = SpeedRound['engines'][string];

function positive(name: string, value: unknown): number {
  const number = Number(value);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new TocsinError('BAD_USAGE', `--${name} ${String(value)}: a number above 0 is needed.`);
}

/** One engine's figures, in this process. tfjs keeps one backend per process, so each engine has its own. */
async function measureEngine(engine: Engine, seconds: number): Promise<EngineSpeeds> {
  const { openEngine } = await import('../models/engine/engine.ts');
  const { networkSpeed } = await import('../training/network-speed.ts');
  const tf = await openEngine(
    engine === PLAIN_WASM ? { backend: 'wasm', wasmKernels: 'missing' } : { backend: engine },
  );
  const speeds: [string, NetworkSpeed][] = [];
  for (const name of NETWORKS) speeds.push([name, await networkSpeed(tf, name, seconds, systemClock)]);
  return Object.fromEntries(speeds);
}

/** The same in a process of its own. */
async function askEngine(engine: Engine, seconds: number): Promise<EngineSpeeds> {
  const main = runnableModule(import.meta.url, './main');
  const args = ['bench', 'models', '--engine', engine, '--seconds', String(seconds)];
  const child = spawn(process.execPath, [...main.execArgv, fileURLToPath(main.url), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const output = await text(child.stdout);
  if ((await ended) !== 0) throw new TocsinError('INTERNAL', `Measuring ${engine}: its process failed.`);
  return JSON.parse(output) as EngineSpeeds;
}

/** All figures: engines take turns, round by round, and the machine's limit is measured in each round too. */
async function measureAll(rounds: number, seconds: number): Promise<object> {
  const { openSgemm } = await import('../models/speed/sgemm.ts');
  const { takeTurns } = await import('../models/speed/rates.ts');
  const { servingSpeed } = await import('../models/speed/serving.ts');
  const { loadArtefact } = await import('../models/artefact.ts');
  const { SPEED_BATCH } = await import('../training/network-speed.ts');
  const { summarise } = await import('../training/speed-summary.ts');
  const say = (line: string): unknown => process.stderr.write(`${line}\n`);
  const limit = async (threads: number): Promise<number> => {
    const sgemm = await openSgemm(threads);
    const [rates] = await takeTurns([sgemm], 1, seconds, systemClock);
    await sgemm.close();
    return (rates as number[])[0] as number;
  };
  const facts = machine();
  const backends = probeBackends(cacheDir());
  const engines: Engine[] = [
    ...backends.filter(({ present }) => present).map(({ name }) => name),
    PLAIN_WASM,
  ];
  const measured: SpeedRound[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const sgemm = { oneThread: await limit(1), allCores: await limit(facts.cores) };
    const speeds: [Engine, EngineSpeeds][] = [];
    for (const engine of engines) {
      say(`round ${round} of ${rounds}: ${engine}`);
      speeds.push([engine, await askEngine(engine, seconds)]);
    }
    measured.push({ sgemm, engines: Object.fromEntries(speeds) });
  }

  const { manifest } = await loadArtefact(CHAMPION_DIR);
  const graphs = manifest.modalities.image === 'trained' ? (['text', 'joint'] as const) : (['text'] as const);
  const serving: [string, object][] = [];
  for (const graph of graphs) {
    say(`serving: ${graph}`);
    serving.push([graph, await servingSpeed(CHAMPION_DIR, graph, rounds, seconds, systemClock)]);
  }
  return {
    machine: facts,
    backends,
    rounds,
    secondsPerFigure: seconds,
    batch: SPEED_BATCH,
    ...summarise(measured),
    serving: { model: `${manifest.name} ${manifest.version}`, ...Object.fromEntries(serving) },
  };
}

export function register(program: Command): void {
  const bench = program.command('bench').description('measures the speed of this machine');
  bench
    .command('models')
    .description('forward passes and training steps on every backend, and serving; JSON on stdout')
    .option('--rounds <n>', 'repeats; figures are median, lowest and highest', '5')
    .option('--seconds <n>', 'seconds for each figure in each round', '1')
    .option('--engine <name>', `one backend or ${PLAIN_WASM}, once, in this process`)
    .action(async (flags: Flags) => {
      try {
        const seconds = positive('seconds', flags['seconds']);
        const result = flags['engine']
          ? await measureEngine(String(flags['engine']) as Engine, seconds)
          : await measureAll(Math.ceil(positive('rounds', flags['rounds'])), seconds);
        process.stdout.write(`${JSON.stringify(result)}\n`);
        process.exitCode = EXIT.ok;
      } catch (thrown) {
        reportFailure('bench', thrown);
      }
    });
}

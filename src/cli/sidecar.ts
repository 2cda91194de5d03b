/** `tocsin sidecar`: attacks the champion, retrains it and hands candidates to the gate. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { TocsinError } from '../base/errors.ts';
import type { Consumer } from '../bus/port.ts';
import { boundTensorflow } from '../config/tensorflow.ts';
import { loadArtefact } from '../models/artefact.ts';
import { loadVocabulary, loadWordVectors, WORD_DIMENSIONS } from '../models/words.ts';
import { CHAMPION_DIR } from '../registry/champions.ts';
import { readDesired } from '../registry/desired-state.ts';
import { keyPaths, registryPaths } from '../registry/layout.ts';
import { openVersion } from '../registry/open-version.ts';
import { trustedKeys } from '../registry/verify.ts';
import { type Buffer, openBuffer } from '../sidecar/buffer.ts';
import { SIDECAR_SERVICE } from '../sidecar/craft.ts';
import { createDriftDetector, projectWords } from '../sidecar/drift.ts';
import { createIntake, type Intake } from '../sidecar/intake.ts';
import { runSchedule } from '../sidecar/loop.ts';
import { createPause, labelLag } from '../sidecar/pause.ts';
import { openRoundFolder } from '../sidecar/plan.ts';
import { ROUND_TRAINING } from '../sidecar/retrain.ts';
import { type RoundResult, runRound } from '../sidecar/round.ts';
import { samplesOf } from '../sidecar/samples.ts';
import type { RoundReason } from '../sidecar/schedule.ts';
import { readSeeds, seedsOfRulings } from '../sidecar/seeds.ts';
import { openAskedEngine, withBackendFlag } from './backend-flag.ts';
import { lockDataDir } from './data-lock.ts';
import { EXIT, type Runtime, reportFailure, run, runWorker, settingsFrom, withBusFlags } from './runtime.ts';

const NICE = 19;
const TASK = 'informative';
/** Rulings, and posts that they cover, that are kept. */
const BUFFER = 20_000;
/** Newest posts of which the text is remembered: a ruling comes after its post. */
const MEMORY = 50_000;

type Flags = Readonly<Record<string, unknown>>;

/** The last in line for the processor; on Linux, where `chrt` is installed, in the idle class, so that nobody who wakes up waits for its time slice to end. */
function giveWay(): void {
  setPriority(NICE);
  if (process.platform === 'linux')
    spawnSync('chrt', ['--all-tasks', '--idle', '--pid', '0', String(process.pid)], { stdio: 'ignore' });
}

export function register(program: Command): void {
  withBackendFlag(withBusFlags(program.command('sidecar')))
    .description(
      'crafts adversarial posts against the champion, retrains it and hands candidates to the gate. Example: tocsin sidecar --once',
    )
    .option('--task <name>', 'the model to retrain', TASK)
    .option('--once', 'one round now, then end')
    .action(async (flags: Flags) => {
      const { once, task, backend, ...rest } = flags;
      let unlock: () => void;
      try {
        if (task !== TASK)
          throw new TocsinError('BAD_USAGE', `--task ${String(task)}: the sidecar retrains ${TASK} alone.`);
        unlock = lockDataDir(settingsFrom(rest).dataDir, 'sidecar');
      } catch (thrown) {
        return reportFailure(SIDECAR_SERVICE, thrown);
      }
      try {
        await run(SIDECAR_SERVICE, rest, async (runtime) => {
          giveWay();
          boundTensorflow(runtime.settings.sidecarThreads);
          const sidecar = await open(runtime, { backend });
          try {
            return await (once
              ? runOnce(runtime, sidecar)
              : runWorker(runtime, () => start(runtime, sidecar)));
          } finally {
            await sidecar.buffer.close();
          }
        });
      } finally {
        unlock();
      }
    });
}

interface Sidecar {
  readonly buffer: Buffer;
  readonly intake: Intake;
  /** When it last showed a sign of life, monotonic ms. */
  readonly beat: { at: number };
  readonly drift: { seen: boolean };
  readonly round: (reason: RoundReason) => Promise<RoundResult>;
}

const ownDir = ({ settings }: Pick<Runtime, 'settings'>): string =>
  join(settings.dataDir, SIDECAR_SERVICE, TASK);

async function open(runtime: Runtime, engineFlags: Flags): Promise<Sidecar> {
  const { settings, bus, codec, clock, log, metrics, signal } = runtime;
  const dir = ownDir(runtime);
  const tf = await openAskedEngine(engineFlags);
  const vocabulary = loadVocabulary();
  const buffer = await openBuffer(join(dir, 'buffer.jsonl'), BUFFER);
  const detector = createDriftDetector(projectWords(loadWordVectors(), WORD_DIMENSIONS));
  const drift = { seen: false };
  const beat = { at: clock.monotonic() };
  const intake = createIntake({
    bus,
    codec,
    buffer,
    vocabulary,
    detector,
    memory: MEMORY,
    looked: ({ psi, ksScores, ksWords }) => {
      metrics.set('tocsin_sidecar_drift', psi, { figure: 'psi' });
      metrics.set('tocsin_sidecar_drift', ksScores, { figure: 'ks_scores' });
      metrics.set('tocsin_sidecar_drift', ksWords, { figure: 'ks_words' });
    },
    drifted: (figures) => {
      drift.seen = true;
      metrics.count('tocsin_sidecar_drift_alarms_total');
      log.warn({ ...figures }, 'The labels have drifted from what they were.');
    },
  });
  const pauseForLabels = createPause({
    lag: () => labelLag(bus),
    most: settings.sidecarMaxLag,
    workShare: settings.sidecarWorkPercent / 100,
    clock,
    signal,
    told: (paused) => {
      metrics.set('tocsin_sidecar_paused', paused ? 1 : 0);
      log.info({ paused }, paused ? 'The label worker lags: resting.' : 'Going on.');
    },
  });
  const { models, candidates } = registryPaths(settings);
  const keys = trustedKeys(keyPaths(settings.dataDir).public);
  const samples = (): ReturnType<typeof samplesOf> => samplesOf(buffer);
  const round = (reason: RoundReason): Promise<RoundResult> =>
    runRound(
      {
        tf,
        bus,
        codec,
        clock,
        log,
        metrics,
        pause: async () => {
          beat.at = clock.monotonic();
          await pauseForLabels();
        },
        dir,
        candidates: join(candidates, TASK),
        champion: async () => {
          const { newest } = await readDesired({
            bus,
            codec,
            keys,
            environment: settings.environment,
            now: clock.now,
            refused: (error) => log.warn({ code: error.code }, error.message),
          });
          const named = newest?.tasks.find(({ task }) => task === TASK)?.champion;
          return named
            ? openVersion(models, TASK, named, keys)
            : loadArtefact(settings.modelDir || CHAMPION_DIR);
        },
        seeds: (champion) =>
          settings.sidecarData === ''
            ? Promise.resolve(seedsOfRulings(samples(), champion.manifest.split.seed))
            : readSeeds(
                {
                  data: resolve(settings.sidecarData),
                  everyday: settings.sidecarEveryday && resolve(settings.sidecarEveryday),
                },
                champion,
                clock.now(),
              ),
        samples,
        posts: settings.sidecarPosts,
        training: ROUND_TRAINING,
        codeVersion: ownVersion(),
      },
      reason,
    );
  return { buffer, intake, beat, drift, round };
}

async function runOnce({ signal }: Runtime, { intake, round }: Sidecar): Promise<number> {
  try {
    await intake.catchUp();
    process.stdout.write(`${JSON.stringify(await round('asked'))}\n`);
    return EXIT.ok;
  } catch (thrown) {
    if (signal.aborted) return EXIT.interrupted; // the next round goes on where this one was
    throw thrown;
  }
}

/** The sidecar as something that runs until it is closed. */
async function start(runtime: Runtime, { buffer, intake, beat, drift, round }: Sidecar): Promise<Consumer> {
  const { settings, clock, log, metrics, signal } = runtime;
  await intake.catchUp();
  const folder = openRoundFolder(ownDir(runtime));
  const work = Promise.all([
    intake.follow(signal),
    runSchedule({
      schedule: {
        everyMs: settings.sidecarEveryMs,
        labels: settings.sidecarLabels,
        onDrift: settings.sidecarOnDrift,
      },
      clock,
      log,
      metrics,
      signal,
      rounds: folder.rounds,
      unfinished: async () => (await folder.plan()) !== null,
      samples: () => {
        beat.at = clock.monotonic();
        metrics.set('tocsin_sidecar_buffer_posts', buffer.posts().size);
        return samplesOf(buffer).length;
      },
      drift: {
        seen: () => drift.seen,
        forget: () => {
          drift.seen = false;
        },
      },
      round,
    }),
  ]);
  const ended = work.then(
    () => null,
    (error: Error) => error,
  );
  return {
    assigned: () => [],
    idleMs: () => clock.monotonic() - beat.at,
    ended,
    close: async () => {
      await ended;
    },
  };
}

const ownVersion = (): string =>
  (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
    .version;

/** What this machine has, what Tocsin makes of it, and what to do about what is missing: one finding a line. */
import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { asTocsinError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { hasMaven, javaVersion, kafkaLibs } from '../bus/kafka/broker/install.ts';
import { openBus } from '../bus/open.ts';
import { planTopics } from '../bus/plan.ts';
import { loadTopics, topicSpec } from '../bus/topics.ts';
import { cacheDir } from '../config/cache.ts';
import type { Settings } from '../config/settings.ts';
import { loadArtefact } from '../models/artefact.ts';
import { probeBackends } from '../models/engine/backends.ts';
import { CHAMPION_DIR, HUMANITARIAN_CHAMPION_DIR, RUMOUR_CHAMPION_DIR } from '../registry/champions.ts';

/** `note`: works without it. `problem`: something that is asked for does not work. `unreachable`: a broker is away. */
export type State = 'ok' | 'note' | 'problem' | 'unreachable';

export interface Finding {
  readonly name: string;
  readonly state: State;
  readonly what: string;
  /** What helps; null where nothing need be done. */
  readonly fix: string | null;
}

const finding = (state: State, name: string, what: string, fix: string | null = null): Finding => ({
  name,
  state,
  what,
  fix,
});

const GIB = 2 ** 30;
const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;
const LEAST_MEMORY = 4 * GIB;
const LEAST_DISK = 2 * GIB;
/** Instructions that the engines are fast with. */
const FEATURES = ['avx2', 'fma', 'avx512f', 'avx512_vnni', 'avx_vnni', 'amx_int8'];

function machine(): Finding[] {
  let flags: readonly string[] = [];
  try {
    flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.trim().split(' ') ?? [];
  } catch {
    // Only Linux tells; nothing depends on it.
  }
  const found = FEATURES.filter((feature) => flags.includes(feature));
  const cores = availableParallelism();
  return [
    finding('ok', 'node', process.versions.node),
    finding(
      'ok',
      'cpu',
      `${cores} ${cores === 1 ? 'core' : 'cores'}, ${cpus()[0]?.model.trim() ?? 'unknown'}${found.length > 0 ? `, ${found.join(' ')}` : ''}`,
    ),
    totalmem() < LEAST_MEMORY
      ? finding('note', 'memory', `${gib(totalmem())} in all`, `${gib(LEAST_MEMORY)} are comfortable`)
      : finding('ok', 'memory', `${gib(freemem())} free of ${gib(totalmem())}`),
  ];
}

/** One line per tensor backend, and the one that training takes, which is opened to be sure. */
async function backends(): Promise<Finding[]> {
  const lines = probeBackends(cacheDir()).map(({ name, present, reason }) =>
    finding(present ? 'ok' : 'note', name, `${present ? '' : 'absent: '}${reason}`),
  );
  try {
    const { describeEngine, openEngine } = await import('../models/engine/engine.ts');
    let why = '';
    const tf = await openEngine({
      report: (name, reason) => {
        why = `--backend auto takes ${name}: ${reason}`;
      },
    });
    lines.push(finding('ok', 'training', `${describeEngine(tf)} (${why})`));
  } catch (thrown) {
    lines.push(
      finding('problem', 'training', asTocsinError(thrown, 'Opening the tensor engine').message, 'npm ci'),
    );
  }
  try {
    const { onnxRuntimeVersion } = await import('../models/serving/runtime.ts');
    lines.push(finding('ok', 'serving', `ONNX Runtime ${onnxRuntimeVersion()} on the CPU, in threads`));
  } catch (thrown) {
    lines.push(
      finding('problem', 'serving', asTocsinError(thrown, 'Loading ONNX Runtime').message, 'npm ci'),
    );
  }
  return lines;
}

/** The frozen encoders, by name; the two defaults come with the project and must be there. */
async function encoders(): Promise<Finding> {
  const { DEFAULT_ENCODERS, ENCODERS, encoderDir } = await import('../models/encoders/catalogue.ts');
  const { isInstalled } = await import('../models/encoders/files.ts');
  const here = ENCODERS.filter((row) => isInstalled(row, encoderDir(row, cacheDir()))).map(({ id }) => id);
  const lost = Object.values(DEFAULT_ENCODERS).filter((id) => !here.includes(id));
  const absent = ENCODERS.map(({ id }) => id).filter((id) => !here.includes(id));
  const what = `${here.join(', ')}${absent.length > 0 ? `; absent: ${absent.join(', ')}` : ''}`;
  if (lost.length > 0) return finding('problem', 'encoders', what, `git checkout models/encoders`);
  return absent.length > 0
    ? finding('note', 'encoders', what, 'tocsin encoders install, where a model asks for one')
    : finding('ok', 'encoders', what);
}

/** @param without what it is to lack it */
async function model(
  name: string,
  given: string,
  shipped: string,
  { variable, without }: { readonly variable: string; readonly without: 'problem' | 'note' },
): Promise<Finding> {
  try {
    const { manifest } = await loadArtefact(given || shipped);
    return finding('ok', name, `${manifest.name} ${manifest.version}, all files as its manifest says`);
  } catch (thrown) {
    const { message } = asTocsinError(thrown, 'Reading the model');
    return finding(without, name, message, given ? `set ${variable} to another folder` : 'npm ci');
  }
}

function tools(): Finding[] {
  const java = javaVersion();
  const jars = existsSync(kafkaLibs(cacheDir()));
  return [
    java === null
      ? finding('note', 'java', 'absent: only `tocsin kafka` needs it', 'tocsin kafka install')
      : finding('ok', 'java', String(java)),
    hasMaven() || jars
      ? finding('ok', 'maven', jars ? 'not needed: the broker is installed' : 'present')
      : finding('note', 'maven', 'absent: only `tocsin kafka install` needs it', 'tocsin kafka install'),
  ];
}

/** The folder itself, or the nearest one above it that exists: that is where it would be made. */
function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}

function dataDir(path: string): Finding {
  const there = nearestExisting(path);
  try {
    accessSync(there, constants.W_OK);
    if (!statSync(there).isDirectory()) throw new Error('not a folder');
  } catch {
    return finding('problem', 'data', `${path} cannot be written`, 'choose another folder with --data');
  }
  const { bavail, bsize } = statfsSync(there);
  const free = bavail * bsize;
  return free < LEAST_DISK
    ? finding('problem', 'data', `${path}: only ${gib(free)} free`, 'make room, or --data on another disk')
    : finding('ok', 'data', `${path} can be written, ${gib(free)} free`);
}

async function port(name: string, host: string, number: number): Promise<Finding> {
  const server = createServer();
  const failure = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    server.once('error', resolve);
    server.listen({ host, port: number }, () => server.close(() => resolve(null)));
  });
  if (!failure) return finding('ok', name, number === 0 ? 'any free port' : `${host}:${number} is free`);
  const what = `${host}:${number} cannot be bound (${failure.code})`;
  return failure.code === 'EADDRINUSE'
    ? finding('note', name, what, 'tocsin runs already, or choose another port')
    : finding('problem', name, what, 'choose another address');
}

/** Brokers and topics; the embedded bus is not opened, since a running `up` may hold it. */
async function bus(settings: Settings): Promise<Finding> {
  if (settings.bus === 'embedded') return finding('ok', 'bus', 'embedded, in the data folder');
  try {
    const open = await openBus(settings, { clock: systemClock, log: silentLog });
    try {
      const steps = planTopics(loadTopics().map(topicSpec), await open.admin.topics());
      const wrong = steps.filter(({ kind }) => kind !== 'keep').length;
      return wrong > 0
        ? finding(
            'problem',
            'bus',
            `Kafka answers; ${wrong} topics are not as topics/ says`,
            'tocsin topics plan',
          )
        : finding(
            'ok',
            'bus',
            `Kafka at ${settings.brokers.join(', ')}, ${steps.length} topics as they should be`,
          );
    } finally {
      await open.close();
    }
  } catch (thrown) {
    const error = asTocsinError(thrown, 'Asking the brokers');
    return finding(
      error.code === 'BUS_UNREACHABLE' ? 'unreachable' : 'problem',
      'bus',
      error.message,
      'start the broker (tocsin kafka start), or set KAFKA_BROKERS',
    );
  }
}

/** Looks at everything; changes nothing. */
export async function examine(settings: Settings): Promise<Finding[]> {
  return [
    ...machine(),
    ...(await backends()),
    await model('model', settings.modelDir, CHAMPION_DIR, { variable: 'TOCSIN_MODEL', without: 'problem' }),
    await model('humanitarian', settings.humanitarianModelDir, HUMANITARIAN_CHAMPION_DIR, {
      variable: 'TOCSIN_HUMANITARIAN_MODEL',
      without: 'problem',
    }),
    await model('rumour', settings.rumourModelDir, RUMOUR_CHAMPION_DIR, {
      variable: 'TOCSIN_RUMOUR_MODEL',
      without: 'note', // claims stay pending, the rest works
    }),
    await encoders(),
    ...tools(),
    dataDir(settings.dataDir),
    await port('dashboard', settings.host, settings.port),
    await port('metrics', '127.0.0.1', settings.metricsPort),
    await bus(settings),
  ];
}

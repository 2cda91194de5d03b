/** Every setting, once: default, unit, environment name and what it is for. */
import { z } from 'zod';
import { TocsinError } from '../base/errors.ts';

/** The settings in force. Flags override the environment, the environment overrides defaults. */
export interface Settings {
  readonly bus: 'embedded' | 'kafka';
  readonly brokers: readonly string[];
  readonly dataDir: string;
  readonly environment: string;
  readonly host: string;
  readonly port: number;
  readonly metricsPort: number;
  readonly modelDir: string;
  readonly humanitarianModelDir: string;
  readonly rumourModelDir: string;
  readonly registryDir: string;
  readonly vaultDir: string;
  readonly shadowShare: number;
  readonly shadowEvents: number;
  readonly shadowMs: number;
  readonly canaryMs: number;
  readonly promotionIntervalMs: number;
  readonly twoPersons: boolean;
  readonly sliceRecords: number;
  readonly sliceMs: number;
  readonly dedupWindowMs: number;
  readonly joinWindowMs: number;
  readonly scoringThreads: number;
  readonly rumourThreads: number;
  readonly decodeConcurrency: number;
  readonly fetchHosts: readonly string[];
  readonly fetchPrivate: boolean;
  readonly sidecarData: string;
  readonly sidecarEveryday: string;
  readonly sidecarPosts: number;
  readonly sidecarEveryMs: number;
  readonly sidecarLabels: number;
  readonly sidecarOnDrift: boolean;
  readonly sidecarThreads: number;
  readonly sidecarMaxLag: number;
  readonly sidecarWorkPercent: number;
  readonly embeddedMaxBytes: number;
  readonly sessionTimeoutMs: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

interface Declared {
  readonly key: keyof Settings;
  /** Environment variable. */
  readonly env: string;
  readonly type: z.ZodType;
  readonly doc: string;
}

const list = z.preprocess(
  (v) =>
    typeof v === 'string'
      ? v
          .split(',')
          .map((s) => s.trim())
          .filter(Boolean)
      : v,
  z.array(z.string()),
);
const int = (fallback: number, min: number, max: number): z.ZodType =>
  z.coerce.number().int().min(min).max(max).default(fallback);
const flag = z.preprocess((v) => (typeof v === 'string' ? ['1', 'true', 'yes'].includes(v) : v), z.boolean());

/** The table behind `tocsin doctor` and docs/settings.md. */
export const DECLARED: readonly Declared[] = [
  {
    key: 'bus',
    env: 'TOCSIN_BUS',
    type: z.enum(['embedded', 'kafka']).default('embedded'),
    doc: 'Which bus carries the records.',
  },
  {
    key: 'brokers',
    env: 'KAFKA_BROKERS',
    type: list.default([]),
    doc: 'Kafka bootstrap servers, host:port, comma-separated.',
  },
  {
    key: 'dataDir',
    env: 'TOCSIN_DATA',
    type: z.string().min(1).default('.tocsin'),
    doc: 'Folder of the embedded bus, the media store, keys and run files.',
  },
  {
    key: 'environment',
    env: 'TOCSIN_ENVIRONMENT',
    type: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,31}$/)
      .default('lab'),
    doc: 'Name of the environment; other than lab it prefixes topics, groups and transactional ids on Kafka.',
  },
  {
    key: 'host',
    env: 'TOCSIN_HOST',
    type: z.string().default('127.0.0.1'),
    doc: 'Address that the dashboard binds to.',
  },
  {
    key: 'port',
    env: 'TOCSIN_PORT',
    type: int(8787, 0, 65_535),
    doc: 'Port of the dashboard; 0 picks a free one.',
  },
  {
    key: 'metricsPort',
    env: 'TOCSIN_METRICS_PORT',
    type: int(0, 0, 65_535),
    doc: "Port of a worker's /metrics, /livez and /readyz; 0 picks a free one.",
  },
  {
    key: 'modelDir',
    env: 'TOCSIN_MODEL',
    type: z.string().default(''),
    doc: 'Artefact folder of the informative model; empty: the shipped champion.',
  },
  {
    key: 'humanitarianModelDir',
    env: 'TOCSIN_HUMANITARIAN_MODEL',
    type: z.string().default(''),
    doc: 'Artefact folder of the humanitarian model; empty: the shipped champion.',
  },
  {
    key: 'rumourModelDir',
    env: 'TOCSIN_RUMOUR_MODEL',
    type: z.string().default(''),
    doc: 'Artefact folder of the rumour model; empty: the shipped champion.',
  },
  {
    key: 'registryDir',
    env: 'TOCSIN_REGISTRY',
    type: z.string().default(''),
    doc: 'Folder of the model registry; empty: registry/ in the data directory.',
  },
  {
    key: 'vaultDir',
    env: 'TOCSIN_VAULT',
    type: z.string().default(''),
    doc: 'Folder of labelled posts that only the gate reads; empty: candidates wait, people are served.',
  },
  {
    key: 'shadowShare',
    env: 'TOCSIN_SHADOW_SHARE',
    type: z.coerce.number().min(0).max(1).default(0.2),
    doc: 'Share of the posts (and contents) that a challenger in the shadow scores beside the champion, 0 to 1.',
  },
  {
    key: 'shadowEvents',
    env: 'TOCSIN_SHADOW_EVENTS',
    type: int(2_000, 1, 1_000_000_000),
    doc: 'Scores that a challenger in the shadow gives beside the champion before it may answer on one partition.',
  },
  {
    key: 'shadowMs',
    env: 'TOCSIN_SHADOW_MS',
    type: int(600_000, 0, 86_400_000),
    doc: 'Time in ms after which the shadow ends even with fewer scores.',
  },
  {
    key: 'canaryMs',
    env: 'TOCSIN_CANARY_MS',
    type: int(300_000, 0, 86_400_000),
    doc: 'Time in ms that a challenger answers on one partition before it answers on all.',
  },
  {
    key: 'promotionIntervalMs',
    env: 'TOCSIN_PROMOTION_INTERVAL_MS',
    type: int(3_600_000, 0, 604_800_000),
    doc: "Least time in ms between a task's last change of champion and the gate's next try.",
  },
  {
    key: 'twoPersons',
    env: 'TOCSIN_TWO_PERSONS',
    type: flag.default(false),
    doc: "Whether a person's request about models needs a second person's approval.",
  },
  {
    key: 'sliceRecords',
    env: 'TOCSIN_SLICE_RECORDS',
    type: int(256, 1, 10_000),
    doc: 'Most records in a slice (one transaction).',
  },
  {
    key: 'sliceMs',
    env: 'TOCSIN_SLICE_MS',
    type: int(60, 0, 1_000),
    doc: 'Longest time in ms that a slice waits to fill.',
  },
  {
    key: 'dedupWindowMs',
    env: 'TOCSIN_DEDUP_WINDOW_MS',
    type: int(7_200_000, 0, 86_400_000),
    doc: 'Event time in ms within which a post id counts once.',
  },
  {
    key: 'joinWindowMs',
    env: 'TOCSIN_JOIN_WINDOW_MS',
    type: int(3_600_000, 0, 86_400_000),
    doc: 'Event time in ms that a post waits for pictures sent apart.',
  },
  {
    key: 'scoringThreads',
    env: 'TOCSIN_SCORING_THREADS',
    type: int(1, 1, 64),
    doc: 'Worker threads that run the model.',
  },
  {
    key: 'rumourThreads',
    env: 'TOCSIN_RUMOUR_THREADS',
    type: int(1, 1, 64),
    doc: 'Worker threads of each of the two encoders that the scorer runs.',
  },
  {
    key: 'decodeConcurrency',
    env: 'TOCSIN_DECODE_CONCURRENCY',
    type: int(4, 1, 64),
    doc: 'Pictures decoded at once.',
  },
  {
    key: 'fetchHosts',
    env: 'TOCSIN_FETCH_HOSTS',
    type: list.default(['*']),
    doc: 'Hosts that pictures may be fetched from; * allows every public one.',
  },
  {
    key: 'fetchPrivate',
    env: 'TOCSIN_FETCH_PRIVATE',
    type: flag.default(false),
    doc: 'Allow private and loopback image hosts. For tests only.',
  },
  {
    key: 'sidecarData',
    env: 'TOCSIN_SIDECAR_DATA',
    type: z.string().default(''),
    doc: 'Labelled posts that retraining starts from (as for tocsin train --data); empty: posts that people ruled on alone.',
  },
  {
    key: 'sidecarEveryday',
    env: 'TOCSIN_SIDECAR_EVERYDAY',
    type: z.string().default(''),
    doc: 'Everyday posts beside them (as for tocsin train --everyday); empty: none.',
  },
  {
    key: 'sidecarPosts',
    env: 'TOCSIN_SIDECAR_POSTS',
    type: int(5_000, 100, 1_000_000),
    doc: 'Posts that a round of the sidecar trains on; one author has at most 1 % of them.',
  },
  {
    key: 'sidecarEveryMs',
    env: 'TOCSIN_SIDECAR_EVERY_MS',
    type: int(21_600_000, 0, 31_536_000_000),
    doc: 'Time in ms after which the sidecar begins another round; 0: never by the clock.',
  },
  {
    key: 'sidecarLabels',
    env: 'TOCSIN_SIDECAR_LABELS',
    type: int(200, 0, 1_000_000),
    doc: 'Newly ruled posts after which the sidecar begins another round; 0: never by their number.',
  },
  {
    key: 'sidecarOnDrift',
    env: 'TOCSIN_SIDECAR_ON_DRIFT',
    type: flag.default(false),
    doc: 'Whether drift of the stream begins a round; else it is only told.',
  },
  {
    key: 'sidecarThreads',
    env: 'TOCSIN_SIDECAR_THREADS',
    type: int(1, 1, 64),
    doc: 'Threads that TensorFlow may use in the sidecar.',
  },
  {
    key: 'sidecarMaxLag',
    env: 'TOCSIN_SIDECAR_MAX_LAG',
    type: int(1_000, 0, 1_000_000_000),
    doc: 'Posts that wait for a label at which the sidecar rests until half of them are done.',
  },
  {
    key: 'sidecarWorkPercent',
    env: 'TOCSIN_SIDECAR_WORK_PERCENT',
    type: int(25, 1, 100),
    doc: 'Per cent of the time that a round works; it rests between steps for the others, so that labels do not wait.',
  },
  {
    key: 'embeddedMaxBytes',
    env: 'TOCSIN_EMBEDDED_MAX_BYTES',
    type: int(8_000_000_000, 1_000_000, Number.MAX_SAFE_INTEGER),
    doc: 'Cap of the embedded bus in bytes; at the cap new posts get 429.',
  },
  {
    key: 'sessionTimeoutMs',
    env: 'TOCSIN_SESSION_TIMEOUT_MS',
    type: int(10_000, 1_000, 300_000),
    doc: 'Kafka: a worker that gave no sign of life for so many ms loses its partitions to the others.',
  },
  {
    key: 'logLevel',
    env: 'TOCSIN_LOG',
    type: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    doc: 'Least severe log line that is written.',
  },
];

/** Settings from the environment and from flags (undefined = not given). Throws BAD_CONFIG with every problem found. */
export function loadSettings(
  flags: { readonly [K in keyof Settings]?: unknown },
  env: NodeJS.ProcessEnv = process.env,
): Settings {
  const settings: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const { key, env: name, type } of DECLARED) {
    const given = flags[key] ?? (env[name] === '' ? undefined : env[name]);
    const parsed = type.safeParse(given);
    if (parsed.success) settings[key] = parsed.data;
    else problems.push(`${flags[key] === undefined ? name : `--${key}`}: ${parsed.error.issues[0]?.message}`);
  }
  const names = new Set(DECLARED.map((d) => d.env));
  for (const name of Object.keys(env))
    if (name.startsWith('TOCSIN_') && !names.has(name) && !OTHER_VARIABLES.has(name))
      problems.push(`${name} is not a setting`);
  if (settings['bus'] === 'kafka' && (settings['brokers'] as string[] | undefined)?.length === 0)
    problems.push('KAFKA_BROKERS is needed with --bus kafka (tocsin kafka start prints it)');
  if (problems.length > 0) throw new TocsinError('BAD_CONFIG', problems.join('; '));
  return settings as unknown as Settings;
}

/** Variables that are not settings: secrets, tests, data sets. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set([
  'TOCSIN_DATASETS',
  'TOCSIN_AUTHOR_KEY',
  'TOCSIN_CONTEXT_KEY',
  'TOCSIN_CACHE',
  'TOCSIN_FAIL_POINT',
]);

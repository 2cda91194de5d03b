/**
 * The runs of a reproduction, each kept in a file of its own once it is done: a killed reproduction goes on where it
 * stopped, and figures can be computed anew without training again.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256Of } from '../../models/artefact.ts';

/** Everything that decides a run's result. */
export interface RunKey {
  /** Table or study that it belongs to. */
  readonly study: string;
  /** Data set and the hash of its bytes. */
  readonly data: string;
  readonly dataSha256: string;
  /** Events that the data were cut to; null for all. */
  readonly event: string | null;
  /** Rows of the data that count, e.g. `pictured`. */
  readonly scope: string;
  /** As `splitBy` takes it. */
  readonly protocol: string;
  /** Row of the table; the name of an architecture or of a baseline. */
  readonly model: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** How it was trained: `plain`, or the name of a defence. */
  readonly training: string;
  readonly options: Readonly<Record<string, string | number | boolean>>;
  readonly seed: number;
}

/** What came out: predictions on the test part. */
export interface RunResult {
  readonly key: RunKey;
  readonly ids: readonly string[];
  /** Calibrated, of the positive class. */
  readonly probability: readonly number[];
  readonly label: readonly (0 | 1)[];
  /** Share of positives among the training rows. */
  readonly prior: number;
  readonly naiveBayes: readonly number[];
  /** The same posts as attacks left them, by the attack's name; empty where nobody attacked. */
  readonly attacked: Readonly<Record<string, readonly number[]>>;
  /** The logit at which these answers should tip (tipping-point.ts); null where nobody asked. */
  readonly tip: number | null;
  readonly trainRows: number;
  readonly epochs: number;
  /** Why the guard ended training; null where it did not, or there was none. */
  readonly caught: 'gap' | 'fall' | null;
  readonly seconds: number;
  /** The engine that trained it. */
  readonly engine: string;
}

const label = z.union([z.literal(0), z.literal(1)]);
const resultSchema: z.ZodType<RunResult, unknown> = z.object({
  key: z.object({
    study: z.string(),
    data: z.string(),
    dataSha256: z.string(),
    event: z.string().nullable(),
    scope: z.string(),
    protocol: z.string(),
    model: z.string(),
    config: z.record(z.string(), z.unknown()),
    training: z.string(),
    options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    seed: z.number(),
  }),
  ids: z.array(z.string()),
  probability: z.array(z.number()),
  label: z.array(label),
  prior: z.number(),
  naiveBayes: z.array(z.number()),
  attacked: z.record(z.string(), z.array(z.number())).default({}),
  tip: z.number().nullable().default(null),
  trainRows: z.number(),
  epochs: z.number(),
  caught: z.enum(['gap', 'fall']).nullable().default(null),
  seconds: z.number(),
  engine: z.string(),
});

export interface RunStore {
  /** Null when it has not been done, or its file is torn. */
  find(key: RunKey): Promise<RunResult | null>;
  keep(result: RunResult): Promise<void>;
}

export function openRuns(dir: string): RunStore {
  const fileOf = ({ study, event, protocol, model, training, seed, ...rest }: RunKey): string => {
    const plain = [study, event ?? 'all', protocol, model, training, `s${seed}`].join('.');
    const hash = sha256Of(JSON.stringify({ study, event, protocol, model, training, seed, ...rest }));
    return join(dir, `${plain.replace(/[^A-Za-z0-9.-]/g, '_')}.${hash.slice(0, 12)}.json`);
  };
  return {
    async find(key) {
      const text = await readFile(fileOf(key), 'utf8').catch(() => null);
      if (text === null) return null;
      try {
        return resultSchema.parse(JSON.parse(text));
      } catch {
        return null;
      }
    },
    async keep(result) {
      await mkdir(dir, { recursive: true });
      const file = fileOf(result.key);
      await writeFile(`${file}.new`, `${JSON.stringify(result)}\n`);
      await rename(`${file}.new`, file);
    },
  };
}

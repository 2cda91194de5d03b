/** Where a training run stands, on disk: written aside and renamed, so that a kill leaves the last whole one. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256Of } from '../models/artefact.ts';
import type { GuardFigures } from './overfitting-guard.ts';

/** How an epoch went. */
export interface EpochReport {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly devLoss: number;
  readonly devMacroF1: number;
  readonly devBalancedAccuracy: number;
  readonly best: boolean;
  /** What the guard saw, where training had one. */
  readonly guard?: GuardFigures | undefined;
}

/** Everything that the loop needs to go on as if nothing had happened. */
export interface Snapshot {
  /** Epochs done. */
  readonly epoch: number;
  readonly bestEpoch: number;
  readonly history: readonly EpochReport[];
  /** All weights of the network, moving averages included, in the order of `layers.weights`. */
  readonly weights: readonly Float32Array[];
  readonly optimiser: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly values: Float32Array;
  }[];
  /** The weights of the best epoch. */
  readonly best: readonly Float32Array[];
}

export interface CheckpointStore {
  save(snapshot: Snapshot): Promise<void>;
  /** The last snapshot of this very run; null when there is none, it is torn, or it belongs to another run. */
  load(): Promise<Snapshot | null>;
  clear(): Promise<void>;
}

const floats = z.string().transform((text) => {
  const bytes = Buffer.from(text, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
});
const snapshotSchema = z.object({
  run: z.string(),
  epoch: z.number(),
  bestEpoch: z.number(),
  history: z.array(
    z.object({
      epoch: z.number(),
      trainLoss: z.number(),
      devLoss: z.number(),
      devMacroF1: z.number(),
      devBalancedAccuracy: z.number().default(0), // checkpoints of before lack it
      best: z.boolean(),
      guard: z.object({ clean: z.number(), fgsm: z.number(), pgd: z.number() }).optional(),
    }),
  ),
  weights: z.array(floats),
  optimiser: z.array(z.object({ name: z.string(), shape: z.array(z.number()), values: floats })),
  best: z.array(floats),
});

const encode = (values: Float32Array): string =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');

/**
 * Checkpoints in a folder.
 * @param run everything that decides the run's result (data, split, seed, options): a checkpoint of another run is ignored
 */
export function openCheckpoints(dir: string, run: unknown): CheckpointStore {
  const key = sha256Of(JSON.stringify(run));
  const file = join(dir, 'checkpoint.json');
  return {
    async save(snapshot) {
      await mkdir(dir, { recursive: true });
      const body = JSON.stringify({
        ...snapshot,
        run: key,
        weights: snapshot.weights.map(encode),
        best: snapshot.best.map(encode),
        optimiser: snapshot.optimiser.map((entry) => ({ ...entry, values: encode(entry.values) })),
      });
      await writeFile(`${file}.new`, `${sha256Of(body)}\n${body}`);
      await rename(`${file}.new`, file);
    },
    async load() {
      const text = await readFile(file, 'utf8').catch(() => null);
      if (text === null || sha256Of(text.slice(65)) !== text.slice(0, 64)) return null;
      const { run: found, ...snapshot } = snapshotSchema.parse(JSON.parse(text.slice(65)));
      return found === key ? snapshot : null;
    },
    clear: () => rm(dir, { recursive: true, force: true }),
  };
}

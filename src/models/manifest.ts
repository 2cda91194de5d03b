/** What an artefact's manifest says; nothing in it changes after it was written. */
import { z } from 'zod';
import type { Dims, Head } from './zoo/contract.ts';

/** A figure and its 95 % interval. */
export interface Measured {
  readonly value: number;
  readonly interval: readonly [number, number];
}

/**
 * How good a model is on one set of posts, answers being taken at 0.5. For a task with several classes, answers are taken
 * at each class's `yes` (any-of) or are the likeliest class (one-of); `positives` and `confusion` count pairs of a post and
 * a class, accuracy is the share of such pairs (any-of) or of posts (one-of), the other figures are means over classes.
 */
export interface Metrics {
  readonly n: number;
  readonly positives: number;
  readonly accuracy: Measured;
  readonly balancedAccuracy: Measured;
  readonly macroF1: Measured;
  readonly auroc: Measured;
  /** Expected calibration error, 15 bins of equal size. */
  readonly ece: number;
  readonly confusion: { readonly tp: number; readonly fp: number; readonly fn: number; readonly tn: number };
}

/** probability = 1 / (1 + exp(−(scale · logit + bias))); scale is one over the temperature. */
export interface Calibration {
  readonly scale: number;
  readonly bias: number;
}

/** How one class of a task with several is read from its logit and answered. */
export interface ServedClass {
  readonly name: string;
  /** By what the logit rests on. Under a softmax head all classes share one temperature. */
  readonly calibration: Manifest['calibration'];
  /** `yes` at or above, `no` at or below. */
  readonly yes: number;
  readonly no: number;
}

/** What JSON can hold. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export type Training = 'trained' | 'untrained';

export interface Manifest {
  readonly format: 2;
  readonly name: string;
  readonly version: string;
  readonly task: 'informative' | 'rumour' | 'humanitarian' | 'damage';
  /** With the network's files, everything that `openNetwork` needs. */
  readonly architecture: {
    /** A row of the zoo. */
    readonly name: string;
    /** Its config, as the architecture documents it. */
    readonly config: Readonly<Record<string, Json>>;
    readonly head: Head;
    readonly dims: Dims;
  };
  /** The frozen networks whose vectors it reads. */
  readonly encoders: readonly {
    readonly id: string;
    readonly version: string;
    readonly modality: 'text' | 'image';
    readonly preprocess: string;
    readonly sha256: string;
  }[];
  /** Which branches have seen data. An untrained one is never served. */
  readonly modalities: { readonly text: Training; readonly image: Training };
  /** The word table that it reads; null where it reads none. */
  readonly words: { readonly id: string; readonly size: number } | null;
  readonly normaliser: string;
  /** For a task with several classes, in the order of the outputs; absent for a yes-or-no task. */
  readonly classes?: readonly ServedClass[];
  /** By what the logit rests on; null where it is never served, and where `classes` have theirs. */
  readonly calibration: {
    readonly text: Calibration | null;
    readonly image: Calibration | null;
    readonly both: Calibration | null;
  };
  /** Where `classes` have their own, only the name counts. */
  readonly thresholds: { readonly name: string; readonly yes: number; readonly no: number };
  readonly data: {
    readonly name: string;
    readonly licence: string;
    /** All of them. */
    readonly examples: number;
    readonly sha256: string;
    /** Those that come from another collection. */
    readonly also?: {
      readonly name: string;
      readonly licence: string;
      readonly examples: number;
      readonly sha256: string;
    };
    /** Posts without labels that teachers answered in training (src/training/teachers.ts). */
    readonly unlabelled?: {
      readonly name: string;
      readonly licence: string;
      readonly examples: number;
      readonly sha256: string;
    };
  };
  readonly split: {
    readonly protocol: string;
    readonly seed: number;
    readonly sha256: string;
    readonly train: number;
    readonly dev: number;
    readonly test: number;
  };
  readonly training: {
    readonly seed: number;
    readonly engine: string;
    readonly epochs: number;
    readonly bestEpoch: number;
    readonly options: Readonly<Record<string, number | boolean | string>>;
  };
  /** Version of Tocsin that wrote it. */
  readonly codeVersion: string;
  /** Digest of the champion that it was made from; absent for one that was trained from data alone. */
  readonly parent?: string;
  /** Training samples by where they come from. */
  readonly provenance?: Readonly<Record<string, number>>;
  /** The sidecar's round that made it. */
  readonly round?: string;
  readonly metrics: { readonly dev: Metrics; readonly test: Metrics };
  /** Every other file of the folder. */
  readonly files: Readonly<Record<string, { readonly sha256: string; readonly bytes: number }>>;
}

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const size = z.number().int().min(0);
const probability = z.number().min(0).max(1);
const interval = z.tuple([z.number(), z.number()]);
const measured = z.object({ value: z.number(), interval });
const calibration = z.object({ scale: z.number().positive(), bias: z.number() });
const calibrations = z.object({
  text: calibration.nullable(),
  image: calibration.nullable(),
  both: calibration.nullable(),
});

const collection = {
  name: z.string(),
  licence: z.string(),
  examples: z.number().int(),
  sha256: hash,
};

const metrics = z.object({
  n: z.number().int(),
  positives: z.number().int(),
  accuracy: measured,
  balancedAccuracy: measured,
  macroF1: measured,
  auroc: measured,
  ece: z.number(),
  confusion: z.object({ tp: z.number(), fp: z.number(), fn: z.number(), tn: z.number() }),
});

export const manifestSchema: z.ZodType<Manifest> = z.object({
  format: z.literal(2),
  name: z.string().min(1),
  version: z.string().min(1),
  task: z.enum(['informative', 'rumour', 'humanitarian', 'damage']),
  architecture: z.object({
    name: z.string().min(1),
    config: z.record(z.string(), z.json()),
    head: z.object({ kind: z.enum(['sigmoid', 'softmax']), outputs: size.min(1) }),
    dims: z.object({ tokens: size, text: size, imageLogits: size, imageFeatures: size, events: size }),
  }),
  encoders: z.array(
    z.object({
      id: z.string().min(1),
      version: z.string(),
      modality: z.enum(['text', 'image']),
      preprocess: z.string(),
      sha256: hash,
    }),
  ),
  modalities: z.object({ text: z.enum(['trained', 'untrained']), image: z.enum(['trained', 'untrained']) }),
  words: z.object({ id: z.string(), size: z.number().int() }).nullable(),
  normaliser: z.string(),
  classes: z
    .array(
      z.object({ name: z.string().min(1), calibration: calibrations, yes: probability, no: probability }),
    )
    .min(2)
    .exactOptional(),
  calibration: calibrations,
  thresholds: z.object({ name: z.string(), yes: probability, no: probability }),
  data: z.object({
    ...collection,
    also: z.object(collection).exactOptional(),
    unlabelled: z.object(collection).exactOptional(),
  }),
  split: z.object({
    protocol: z.string(),
    seed: z.number().int(),
    sha256: hash,
    train: z.number().int(),
    dev: z.number().int(),
    test: z.number().int(),
  }),
  training: z.object({
    seed: z.number().int(),
    engine: z.string(),
    epochs: z.number().int(),
    bestEpoch: z.number().int(),
    options: z.record(z.string(), z.union([z.number(), z.boolean(), z.string()])),
  }),
  codeVersion: z.string(),
  parent: hash.exactOptional(),
  provenance: z.record(z.string(), size).exactOptional(),
  round: z.string().min(1).exactOptional(),
  metrics: z.object({ dev: metrics, test: metrics }),
  files: z.record(
    z.string().regex(/^(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./-]*$/),
    z.object({ sha256: hash, bytes: z.number().int() }),
  ),
});

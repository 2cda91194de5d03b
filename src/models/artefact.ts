/** A model version on disk as serving sees it: an immutable folder whose manifest holds the hash of every file. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { TocsinError } from '../base/errors.ts';

/** Names inside an artefact's folder. */
export const ARTEFACT_FILES = {
  manifest: 'manifest.json',
  network: 'network/model.json',
  weights: 'network/weights.bin',
  text: 'text.onnx',
  joint: 'joint.onnx',
  golden: 'golden.json',
  split: 'split.json',
  card: 'MODEL_CARD.md',
} as const;

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const probability = z.number().min(0).max(1);
const interval = z.tuple([z.number(), z.number()]);
/** A figure and its 95 % interval. */
const measured = z.object({ value: z.number(), interval }).readonly();
/** probability = 1 / (1 + exp(−(scale · logit + bias))). */
const calibration = z.object({ scale: z.number().positive(), bias: z.number() }).readonly();

const metrics = z
  .object({
    n: z.number().int(),
    positives: z.number().int(),
    accuracy: measured,
    balancedAccuracy: measured,
    macroF1: measured,
    auroc: measured,
    /** Expected calibration error, 10 bins of equal size. */
    ece: z.number(),
    confusion: z.object({ tp: z.number(), fp: z.number(), fn: z.number(), tn: z.number() }).readonly(),
  })
  .readonly();

const manifestSchema = z
  .object({
    format: z.literal(1),
    name: z.string().min(1),
    version: z.string().min(1),
    task: z.enum(['informative', 'humanitarian']),
    architecture: z
      .object({
        name: z.literal('mmn'),
        config: z.object({
          textWindow: z.number().int(),
          textFilters: z.number().int(),
          imageFilters: z.tuple([z.number().int(), z.number().int()]),
          imageUnits: z.number().int(),
          fusionUnits: z.number().int(),
          dropout: z.number(),
        }),
      })
      .readonly(),
    /** Which branches have seen data. An untrained one is never served. */
    modalities: z
      .object({ text: z.enum(['trained', 'untrained']), image: z.enum(['trained', 'untrained']) })
      .readonly(),
    words: z.object({ id: z.string(), size: z.number().int() }).readonly(),
    normaliser: z.string(),
    /** By what the logit rests on; null where it is never served. */
    calibration: z
      .object({ text: calibration.nullable(), image: calibration.nullable(), both: calibration.nullable() })
      .readonly(),
    thresholds: z.object({ name: z.string(), yes: probability, no: probability }).readonly(),
    data: z
      .object({ name: z.string(), licence: z.string(), examples: z.number().int(), sha256: hash })
      .readonly(),
    split: z
      .object({
        protocol: z.string(),
        seed: z.number().int(),
        sha256: hash,
        train: z.number().int(),
        dev: z.number().int(),
        test: z.number().int(),
      })
      .readonly(),
    training: z
      .object({
        seed: z.number().int(),
        engine: z.string(),
        epochs: z.number().int(),
        bestEpoch: z.number().int(),
        options: z.record(z.string(), z.union([z.number(), z.boolean()])),
      })
      .readonly(),
    codeVersion: z.string(),
    metrics: z.object({ dev: metrics, test: metrics }).readonly(),
    files: z.record(
      z.string().regex(/^(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./-]*$/),
      z.object({ sha256: hash, bytes: z.number().int() }).readonly(),
    ),
  })
  .readonly();

export type Manifest = z.infer<typeof manifestSchema>;
export type Metrics = z.infer<typeof metrics>;
export type Measured = z.infer<typeof measured>;
export type Calibration = z.infer<typeof calibration>;

export interface Artefact {
  readonly dir: string;
  readonly manifest: Manifest;
  /** The verified bytes of a file that the manifest names. Throws MODEL_INVALID for any other name. */
  bytes(name: string): Uint8Array;
}

export const sha256Of = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

/** manifest.json: the manifest and a digest over it, so that a flipped bit shows there as well. */
export function encodeManifest(manifest: Manifest): string {
  const body = JSON.stringify(manifest, null, 2);
  return `${JSON.stringify({ digest: sha256Of(body), manifest }, null, 2)}\n`;
}

/**
 * Reads a folder and verifies all of it. What is returned are the very bytes that were verified.
 * Throws MODEL_INVALID for anything missing, torn, changed or of an unknown format.
 */
export async function loadArtefact(dir: string): Promise<Artefact> {
  const refuse = (what: string, cause?: unknown): TocsinError =>
    new TocsinError('MODEL_INVALID', `Loading the model in ${dir}: ${what}`, { cause });
  const read = async (name: string): Promise<Buffer> => {
    try {
      return await readFile(join(dir, name));
    } catch (cause) {
      throw refuse(`${name} cannot be read.`, cause);
    }
  };
  const text = (await read(ARTEFACT_FILES.manifest)).toString('utf8');
  let manifest: Manifest;
  try {
    manifest = manifestSchema.parse((JSON.parse(text) as { manifest?: unknown }).manifest);
  } catch (cause) {
    throw refuse('manifest.json is not a manifest.', cause);
  }
  if (encodeManifest(manifest) !== text) throw refuse('manifest.json does not match its digest.');
  const files = new Map<string, Uint8Array>();
  for (const [name, expected] of Object.entries(manifest.files)) {
    const bytes = await read(name);
    if (bytes.length !== expected.bytes)
      throw refuse(`${name} has ${bytes.length} bytes, not ${expected.bytes}.`);
    if (sha256Of(bytes) !== expected.sha256) throw refuse(`${name} does not match its hash.`);
    files.set(name, bytes);
  }
  return {
    dir,
    manifest,
    bytes(name) {
      const found = files.get(name);
      if (!found) throw refuse(`the manifest names no ${name}.`);
      return found;
    },
  };
}

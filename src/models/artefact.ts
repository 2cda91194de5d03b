/** A model version on disk as serving sees it: an immutable folder whose manifest holds the hash of every file. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TocsinError } from '../base/errors.ts';
import { type Manifest, manifestSchema } from './manifest.ts';

/** Names inside an artefact's folder. */
export const ARTEFACT_FILES = {
  manifest: 'manifest.json',
  network: 'network/model.json',
  weights: 'network/weights.bin',
  text: 'text.onnx',
  joint: 'joint.onnx',
  rumour: 'rumour.onnx',
  golden: 'golden.json',
  split: 'split.json',
  evaluation: 'evaluation.json',
  card: 'MODEL_CARD.md',
} as const;

export interface Artefact {
  readonly dir: string;
  readonly manifest: Manifest;
  /** Of the manifest, and with it of everything: SHA-256, hex. */
  readonly digest: string;
  /** The verified bytes of a file that the manifest names. Throws MODEL_INVALID for any other name. */
  bytes(name: string): Uint8Array;
}

export const sha256Of = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

/**
 * manifest.json: the manifest and a digest over it, so that a flipped bit shows there as well. Equal manifests give equal
 * text, in the schema's order of fields.
 */
export function encodeManifest(manifest: Manifest): string {
  const ordered = manifestSchema.parse(manifest);
  return `${JSON.stringify({ digest: digestOf(ordered), manifest: ordered }, null, 2)}\n`;
}

/** @param ordered its fields in the schema's order */
const digestOf = (ordered: Manifest): string => sha256Of(JSON.stringify(ordered));

/** Reads manifest.json and verifies its digest, none of the files. Throws MODEL_INVALID. */
export function parseManifest(
  text: string,
  dir: string,
): { readonly manifest: Manifest; readonly digest: string } {
  const refuse = (what: string, cause?: unknown): TocsinError =>
    new TocsinError('MODEL_INVALID', `Loading the model in ${dir}: ${what}`, { cause });
  let manifest: Manifest;
  try {
    manifest = manifestSchema.parse((JSON.parse(text) as { manifest?: unknown }).manifest);
  } catch (cause) {
    throw refuse('manifest.json is not a manifest.', cause);
  }
  if (encodeManifest(manifest) !== text) throw refuse('manifest.json does not match its digest.');
  return { manifest, digest: digestOf(manifest) };
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
  const { manifest, digest } = parseManifest((await read(ARTEFACT_FILES.manifest)).toString('utf8'), dir);
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
    digest,
    bytes(name) {
      const found = files.get(name);
      if (!found) throw refuse(`the manifest names no ${name}.`);
      return found;
    },
  };
}

/** Puts a version into the registry: copied aside, signed, renamed. It is there whole, with its signature, or not at all. */
import { chmod, mkdir, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { failPoint } from '../config/fail-point.ts';
import { ARTEFACT_FILES, type Artefact, encodeManifest } from '../models/artefact.ts';
import { writeDurably } from './artefact.ts';
import { SIGNATURE_FILE, versionDir } from './layout.ts';
import { openVersion, versionOf } from './open-version.ts';
import type { Signer } from './signer.ts';
import type { TrustedKeys } from './verify.ts';

export interface PublishDeps {
  /** models/ of the registry. */
  readonly modelsDir: string;
  readonly signer: Signer;
  readonly keys: TrustedKeys;
}

/**
 * Writes the verified bytes of `artefact`, never its files as they lie there now. Gives what is there already when the same
 * version was published before. Throws MODEL_INVALID when another model has its name.
 */
export async function publishVersion(artefact: Artefact, deps: PublishDeps): Promise<Artefact> {
  const { modelsDir, signer, keys } = deps;
  const { task, version, files } = artefact.manifest;
  const target = versionDir(modelsDir, task, version);
  const reopen = (): Promise<Artefact> => openVersion(modelsDir, task, versionOf(artefact), keys);
  if (await exists(target)) return reopen();
  const parent = dirname(target);
  await mkdir(parent, { recursive: true });
  const aside = await mkdtemp(join(parent, `.${basename(target)}-`));
  for (const name of Object.keys(files)) await writeDurably(join(aside, name), artefact.bytes(name));
  await writeDurably(join(aside, ARTEFACT_FILES.manifest), Buffer.from(encodeManifest(artefact.manifest)));
  failPoint('gate.copied');
  await writeDurably(join(aside, SIGNATURE_FILE), Buffer.from(signer.model(artefact.digest)));
  failPoint('gate.signed');
  await chmod(aside, 0o755); // mkdtemp keeps others out
  await rename(aside, target);
  await syncFolder(parent);
  failPoint('gate.renamed');
  return reopen();
}

/** Removes what a gate that was killed left aside. Only one gate may run. */
export async function sweepUnfinished(modelsDir: string): Promise<void> {
  for (const task of await readdir(modelsDir).catch(() => []))
    for (const name of await readdir(join(modelsDir, task)))
      if (name.startsWith('.')) await rm(join(modelsDir, task, name), { recursive: true, force: true });
}

const exists = (dir: string): Promise<boolean> =>
  readdir(dir).then(
    () => true,
    () => false,
  );

/** A rename is only durable once its folder is. */
async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

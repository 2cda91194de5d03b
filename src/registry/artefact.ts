/** Writes a model version: aside, hashed, read back, then renamed into place. What is there is never written again. */
import { chmod, mkdir, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { TocsinError } from '../base/errors.ts';
import { failPoint } from '../config/fail-point.ts';
import { ARTEFACT_FILES, type Artefact, encodeManifest, loadArtefact, sha256Of } from '../models/artefact.ts';
import type { Manifest } from '../models/manifest.ts';

/**
 * Makes the folder `dir` of these files and the manifest. Refuses (BAD_USAGE) a folder that exists with anything in it.
 * @param files name inside the folder → contents
 */
export async function writeArtefact(
  dir: string,
  files: Readonly<Record<string, Uint8Array | string>>,
  manifest: Omit<Manifest, 'files'>,
): Promise<Artefact> {
  const target = resolve(dir);
  await refuseExisting(target);
  await mkdir(dirname(target), { recursive: true });
  const aside = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
  try {
    const entries: Record<string, Manifest['files'][string]> = {};
    for (const name of Object.keys(files).sort()) {
      const contents = files[name];
      const bytes = typeof contents === 'string' ? Buffer.from(contents) : (contents as Uint8Array);
      await writeDurably(join(aside, name), bytes);
      entries[name] = { sha256: sha256Of(bytes), bytes: bytes.length };
    }
    failPoint('artefact.write');
    const full: Manifest = { ...manifest, files: entries };
    await writeDurably(join(aside, ARTEFACT_FILES.manifest), Buffer.from(encodeManifest(full)));
    await loadArtefact(aside); // what cannot be read back is not announced
    await chmod(aside, 0o755); // mkdtemp keeps others out
    await rm(target, { recursive: true, force: true }); // at most an empty folder
    failPoint('artefact.rename');
    await rename(aside, target);
  } catch (thrown) {
    await rm(aside, { recursive: true, force: true });
    throw thrown;
  }
  return loadArtefact(target);
}

/** Throws BAD_USAGE when `dir` exists and is not empty. */
export async function refuseExisting(dir: string): Promise<void> {
  const found = await readdir(dir).catch(() => []);
  if (found.length > 0)
    throw new TocsinError(
      'BAD_USAGE',
      `Writing a model to ${dir}: the folder is not empty, and models are immutable.`,
    );
}

/** Writes a new file and flushes it to the disk. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The signed versions that lie in the registry. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TocsinError } from '../base/errors.ts';
import { ARTEFACT_FILES, type Artefact, parseManifest } from '../models/artefact.ts';
import { isSegment, versionDir } from './layout.ts';
import { openVersion } from './open-version.ts';
import type { TrustedKeys } from './verify.ts';

/** Opens the version whose digest nobody knows yet: what its folder says it is, verified. Throws MODEL_INVALID or MODEL_FORGED. */
export async function findSigned(
  modelsDir: string,
  task: string,
  version: string,
  keys: TrustedKeys,
): Promise<Artefact> {
  const dir = versionDir(modelsDir, task, version);
  let text: string;
  try {
    text = await readFile(join(dir, ARTEFACT_FILES.manifest), 'utf8');
  } catch (cause) {
    throw new TocsinError('MODEL_INVALID', `There is no version ${version} of ${task} in the registry.`, {
      cause,
    });
  }
  const { manifest, digest } = parseManifest(text, dir);
  return openVersion(modelsDir, task, { name: manifest.name, version, digest }, keys);
}

/** Names of the versions of each task, whether or not they can be opened. */
export async function listVersions(
  modelsDir: string,
): Promise<readonly { readonly task: string; readonly version: string }[]> {
  const found: { task: string; version: string }[] = [];
  for (const task of (await readdir(modelsDir).catch(() => [])).filter(isSegment).sort())
    for (const version of (await readdir(join(modelsDir, task))).filter(isSegment).sort())
      found.push({ task, version });
  return found;
}

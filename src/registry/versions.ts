/** The signed versions that lie in the registry. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TocsinError } from '../base/errors.ts';
import { ARTEFACT_FILES, type Artefact, parseManifest } from '../models/artefact.ts';
import { versionDir } from './layout.ts';
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

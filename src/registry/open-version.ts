/** Opens a version that the gate signed. Nothing in the folder is believed before it is verified. */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { z } from 'zod';
import { TocsinError } from '../base/errors.ts';
import type { ModelVersion } from '../event/records.ts';
import { ARTEFACT_FILES, type Artefact, loadArtefact } from '../models/artefact.ts';
import { SIGNATURE_FILE, versionDir } from './layout.ts';
import { isSigned, modelMessage, type TrustedKeys } from './verify.ts';

/** The largest file and the most files that an artefact may have. */
const MAX_FILE_BYTES = 512_000_000;
const MAX_FILES = 256;

const signatureSchema = z.object({ keyId: z.string(), digest: z.string(), signature: z.base64() });

/**
 * Verifies the gate's signature, the digest, the hash of every file, and that the folder holds these plain files and nothing
 * else. What the artefact gives are the bytes that were verified. Throws MODEL_FORGED where the signature does not fit, else
 * MODEL_INVALID. Whether its network works is found out by building it and by its golden batch.
 * @param modelsDir models/ of the registry
 */
export async function openVersion(
  modelsDir: string,
  task: string,
  version: ModelVersion,
  keys: TrustedKeys,
): Promise<Artefact> {
  const dir = versionDir(modelsDir, task, version.version);
  const doing = `Opening ${task} ${version.version} in ${dir}`;
  const names = await plainFiles(dir, doing);
  const signature = await readSignature(dir, doing);
  const key = keys.find(signature.keyId);
  if (!key)
    throw new TocsinError(
      'MODEL_FORGED',
      `${doing}: nobody vouched for key ${JSON.stringify(signature.keyId)}.`,
    );
  if (!isSigned(modelMessage(signature.digest), key, Buffer.from(signature.signature, 'base64')))
    throw new TocsinError('MODEL_FORGED', `${doing}: the signature does not fit.`);
  if (signature.digest !== version.digest)
    throw new TocsinError('MODEL_INVALID', `${doing}: it is signed for another digest than was asked for.`);
  const artefact = await loadArtefact(dir);
  const { manifest, digest } = artefact;
  if (digest !== version.digest)
    throw new TocsinError('MODEL_INVALID', `${doing}: it holds another model than was asked for.`);
  if (manifest.task !== task || manifest.version !== version.version || manifest.name !== version.name)
    throw new TocsinError('MODEL_INVALID', `${doing}: its manifest names ${nameOf(artefact)}.`);
  refuseOthers(names, artefact, [SIGNATURE_FILE], doing);
  return artefact;
}

/** Opens a folder that nobody has signed yet: all of the above but the signature. Throws MODEL_INVALID. */
export async function openCandidate(candidatesDir: string, task: string, version: string): Promise<Artefact> {
  const dir = versionDir(candidatesDir, task, version);
  const doing = `Opening candidate ${task} ${version}`;
  const names = await plainFiles(dir, doing);
  const artefact = await loadArtefact(dir);
  if (artefact.manifest.task !== task || artefact.manifest.version !== version)
    throw new TocsinError('MODEL_INVALID', `${doing}: its manifest names ${nameOf(artefact)}.`);
  refuseOthers(names, artefact, [], doing);
  return artefact;
}

/** What every other place names it by. */
export const versionOf = ({ manifest, digest }: Artefact): ModelVersion => ({
  name: manifest.name,
  version: manifest.version,
  digest,
});

const nameOf = ({ manifest }: Artefact): string => `${manifest.task} ${manifest.name} ${manifest.version}`;

/** Names of the files below a folder. Throws MODEL_INVALID for links, devices and whatever is too large or too much. */
async function plainFiles(dir: string, doing: string): Promise<readonly string[]> {
  const refuse = (what: string, cause?: unknown): TocsinError =>
    new TocsinError('MODEL_INVALID', `${doing}: ${what}`, { cause });
  const found: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const shown = relative(dir, path).split(sep).join('/');
      const stat = await lstat(path);
      if (stat.isDirectory()) await walk(path);
      else if (!stat.isFile()) throw refuse(`${shown} is no plain file.`);
      else if (stat.size > MAX_FILE_BYTES) throw refuse(`${shown} has ${stat.size} bytes.`);
      else found.push(shown);
      if (found.length > MAX_FILES) throw refuse(`it has more than ${MAX_FILES} files.`);
    }
  };
  try {
    if (!(await lstat(dir)).isDirectory()) throw refuse('it is no folder.');
    await walk(dir);
  } catch (cause) {
    throw cause instanceof TocsinError ? cause : refuse('it cannot be read.', cause);
  }
  return found;
}

async function readSignature(dir: string, doing: string): Promise<z.infer<typeof signatureSchema>> {
  try {
    return signatureSchema.parse(JSON.parse(await readFile(join(dir, SIGNATURE_FILE), 'utf8')));
  } catch (cause) {
    throw new TocsinError('MODEL_FORGED', `${doing}: it has no signature.`, { cause });
  }
}

function refuseOthers(
  names: readonly string[],
  { manifest }: Artefact,
  allowed: readonly string[],
  doing: string,
): void {
  const known = new Set([...Object.keys(manifest.files), ARTEFACT_FILES.manifest, ...allowed]);
  const stranger = names.find((name) => !known.has(name));
  if (stranger)
    throw new TocsinError(
      'MODEL_INVALID',
      `${doing}: the manifest does not name ${JSON.stringify(stranger)}.`,
    );
}

/** Splits on disk. The name of the file ends in the start of its hash, so that a changed split cannot pass for the old one. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { TocsinError } from '../base/errors.ts';
import { sha256Of } from '../models/artefact.ts';
import { encodeSplit, parseSplit, type Split } from './splits.ts';

const HASH_DIGITS = 12;

/** Writes a split and gives its path: FOLDER/PROTOCOL-sSEED-HASH.json. */
export async function writeSplit(folder: string, split: Split): Promise<string> {
  const { json, sha256 } = encodeSplit(split);
  const protocol = split.protocol.replace(/[^A-Za-z0-9_-]+/g, '_');
  const path = join(folder, `${protocol}-s${split.seed}-${sha256.slice(0, HASH_DIGITS)}.json`);
  await mkdir(folder, { recursive: true });
  await writeFile(path, json);
  return path;
}

/** Throws MODEL_INVALID for a file that is no split or whose content is not what its name says. */
export async function readSplit(path: string): Promise<Split> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new TocsinError('MODEL_INVALID', `Reading the split ${path}`, { cause });
  });
  const [, hash] = /-([0-9a-f]{12})\.json$/.exec(basename(path)) ?? [];
  if (hash === undefined || !sha256Of(bytes).startsWith(hash))
    throw new TocsinError(
      'MODEL_INVALID',
      `Reading the split ${path}: its content is not what its name says.`,
    );
  return parseSplit(bytes);
}

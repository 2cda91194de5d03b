/** The files of an encoder on disk: read, and refused unless they are the ones that were meant. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { TocsinError } from '../../base/errors.ts';
import type { EncoderFile, EncoderRow } from './catalogue.ts';

/** What an installation of the user's own weights writes down: which files were given. */
export const RECORD = 'installed.json';

/** Whether all files are there; their content is not looked at. */
export const isInstalled = (row: EncoderRow, dir: string): boolean =>
  row.files ? row.files.every(({ name }) => existsSync(join(dir, name))) : existsSync(join(dir, RECORD));

/** The files that must lie in `dir`. Throws DEPENDENCY_MISSING, with the command that installs them. */
export function expectedFiles(row: EncoderRow, dir: string): readonly EncoderFile[] {
  if (!isInstalled(row, dir)) {
    const from = row.source.kind === 'user' ? ' --from FILE' : '';
    throw new TocsinError(
      'DEPENDENCY_MISSING',
      `Encoder ${row.id} is not in ${dir}; install it: tocsin encoders install ${row.id}${from}`,
    );
  }
  return row.files ?? (JSON.parse(readFileSync(join(dir, RECORD), 'utf8')) as readonly EncoderFile[]);
}

/** The verified bytes of a file, in memory that threads can share. Throws MODEL_INVALID when it is another file. */
export function readVerified(dir: string, { name, bytes, sha256 }: EncoderFile): Uint8Array {
  const path = join(dir, name);
  const refuse = (what: string, cause?: unknown): TocsinError =>
    new TocsinError('MODEL_INVALID', `Reading ${path}: ${what}`, { cause });
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    throw refuse('it cannot be opened.', cause);
  }
  try {
    const { size } = fstatSync(file);
    if (size !== bytes) throw refuse(`it has ${size} bytes, not ${bytes}.`);
    const content = new Uint8Array(new SharedArrayBuffer(size));
    for (let at = 0; at < size; ) {
      const read = readSync(file, content, at, size - at, at);
      if (read === 0) throw refuse('it ends early.');
      at += read;
    }
    if (createHash('sha256').update(content).digest('hex') !== sha256)
      throw refuse('it does not match its sha256.');
    return content;
  } finally {
    closeSync(file);
  }
}

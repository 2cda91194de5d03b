/** Which files of a folder (or which single file) a reader should look at. */
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Files of an archive and the folder that its relative paths count from. */
export interface ArchiveFiles {
  readonly root: string;
  readonly files: readonly string[];
}

/** `path` itself when it is a file, else the folder's files with that ending, in name order. Empty when there is none. */
export async function filesEnding(path: string, endings: readonly string[]): Promise<ArchiveFiles> {
  const fits = (name: string): boolean => endings.some((ending) => name.toLowerCase().endsWith(ending));
  try {
    if (!(await stat(path)).isDirectory()) return { root: dirname(path), files: fits(path) ? [path] : [] };
    const names = await readdir(path);
    // Archives packed on a Mac carry ._shadow files beside the real ones.
    const files = names.filter((name) => fits(name) && !name.startsWith('.')).sort();
    return { root: path, files: files.map((name) => join(path, name)) };
  } catch {
    return { root: path, files: [] };
  }
}

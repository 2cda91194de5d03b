/** The folder for things that are fetched once and used by every run: TOCSIN_CACHE, else ~/.cache/tocsin. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Absolute path; it need not exist yet. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env['TOCSIN_CACHE'] || join(homedir(), '.cache', 'tocsin'));
}

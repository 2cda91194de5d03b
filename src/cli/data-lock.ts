/** One `tocsin up`, and one sidecar, per data directory; one gate per registry. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../base/alive.ts';
import { TocsinError } from '../base/errors.ts';

/** When a process started, in the kernel's ticks: with the pid it names a process for good. Empty where unknown. */
function startTime(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/**
 * Takes the directory's lock for this command; the returned function gives it back. A lock whose owner is dead is taken over.
 * Throws DATA_DIR_LOCKED, naming the owner.
 */
export function lockDataDir(dataDir: string, command: 'up' | 'sidecar' | 'gate' = 'up'): () => void {
  mkdirSync(dataDir, { recursive: true });
  const path = join(dataDir, `${command}.lock`);
  const mine = `${process.pid} ${startTime(process.pid)}`;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      writeFileSync(path, mine, { flag: 'wx' });
      return () => {
        if (readFileSync(path, 'utf8') === mine) rmSync(path, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pidText = '', started = ''] = readFileSync(path, 'utf8').split(' ');
    const pid = Number(pidText);
    if (pid > 0 && isAlive(pid) && startTime(pid) === started)
      throw new TocsinError(
        'DATA_DIR_LOCKED',
        `${dataDir} is in use by another tocsin ${command} (process ${pid}). Stop it, or choose another folder with --data.`,
      );
    rmSync(path, { force: true });
  }
  throw new TocsinError('DATA_DIR_LOCKED', `${dataDir} is being taken by another tocsin ${command}.`);
}

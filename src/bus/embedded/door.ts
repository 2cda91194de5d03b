/**
 * Keeps commits to an LMDB file and the opening of it by another process apart.
 *
 * LMDB 1.0 (mdb_env_open2) sets the number of the last transaction, which all processes share, to the one that it has read a moment
 * before, and takes no lock for it: a commit of another process in between is forgotten, and the next one is built without
 * it. So nobody commits while somebody opens. Who commits leaves a mark and then looks for the door; who opens shuts the door and
 * then looks for marks: one of the two sees the other. Marks and doors of dead processes are taken away.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../../base/alive.ts';
import { systemClock } from '../../base/clock.ts';
import { placeOfPids } from './place-of-pids.ts';

/** No commit takes so long: whoever left the mark is gone, or asleep (a process killed as it was given LMDB's lock wakes nobody). */
const COMMIT_MS = 2_000;
/** No opening takes so long, waiting for commits included. */
const OPENING_MS = 10_000;
const LOOK_MS = 1;

export interface Door {
  /** Opens the file while nobody commits and nobody else opens it. */
  shut<T>(open: () => T | Promise<T>): Promise<T>;
  /** Commits while nobody opens the file. */
  pass<T>(commit: () => Promise<T>): Promise<T>;
}

/** @param dir folder of the marks, made when it is missing; the same for all processes. */
export function createDoor(dir: string): Door {
  const [door, marks] = [join(dir, 'opening'), join(dir, 'committing')];
  mkdirSync(marks, { recursive: true, mode: 0o700 });
  const place = placeOfPids();
  const self = (): string => JSON.stringify({ id: randomUUID(), pid: process.pid, place });
  let mark = '';
  let passing = 0;

  async function shut<T>(open: () => T | Promise<T>): Promise<T> {
    const own = self();
    const [others, commits] = [waiting(OPENING_MS), waiting(COMMIT_MS)];
    const isShut = (): boolean => read(door) === own || leave(door, own);
    for (; ; await systemClock.sleep(LOOK_MS)) {
      if (!isShut()) others(door);
      else {
        const left = readdirSync(marks);
        if (left.length === 0) break;
        for (const name of left) commits(join(marks, name));
      }
    }
    try {
      return await open();
    } finally {
      if (read(door) === own) rmSync(door, { force: true });
    }
  }

  async function pass<T>(commit: () => Promise<T>): Promise<T> {
    await enter();
    try {
      return await commit();
    } finally {
      passing -= 1;
      if (passing === 0) rmSync(mark, { force: true });
    }
  }

  async function enter(): Promise<void> {
    for (const away = waiting(OPENING_MS); !mayPass(); await systemClock.sleep(LOOK_MS)) away(door);
    passing += 1;
  }

  /** Leaves the mark where none stands; who opens looks for it after the door is shut, so the second look decides. */
  function mayPass(): boolean {
    if (existsSync(door)) return false;
    if (passing > 0) return true;
    mark = join(marks, randomUUID());
    leave(mark, self());
    if (!existsSync(door)) return true;
    rmSync(mark, { force: true });
    return false;
  }

  /** Takes away what a dead process has left, or what has stood for longer than `mostMs` while one waited for it. */
  function waiting(mostMs: number): (file: string) => void {
    const since = new Map<string, number>();
    return (file) => {
      const owner = read(file);
      if (owner === null) return;
      const first = since.get(owner) ?? systemClock.monotonic();
      since.set(owner, first);
      if (isDead(owner) || systemClock.monotonic() - first > mostMs) rmSync(file, { force: true });
    };
  }

  function isDead(owner: string): boolean {
    try {
      const { pid, place: where } = JSON.parse(owner) as { readonly pid: number; readonly place: string };
      return where === place && !isAlive(pid);
    } catch {
      return false; // It is being written just now.
    }
  }

  return { shut, pass };
}

/** Whether the file was not there and is now. */
function leave(file: string, owner: string): boolean {
  try {
    writeFileSync(file, owner, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

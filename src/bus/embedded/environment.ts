/**
 * LMDB environments, each opened once in a process however many stores use it: LMDB's locks are POSIX record locks, which a process
 * loses all at once when it closes a second descriptor of the lock file. The only file that opens `lmdb` for the bus.
 */
import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { createSemaphore } from '../../base/semaphore.ts';
import { createDoor, type Door } from './door.ts';

export interface Environment {
  readonly root: RootDatabase<unknown>;
  readonly door: Door;
  /** Gives it back; the last one closes it. Resolves when that is done. */
  release(): Promise<void>;
}

interface Shared {
  readonly root: RootDatabase<unknown>;
  readonly door: Door;
  users: number;
}

const shared = new Map<string, Shared>();
/** Openings and closings take turns. */
const turn = createSemaphore(1);

/** @param mapSize address space in bytes, not disk. Throws what LMDB throws. */
export async function openEnvironment(file: string, mapSize: number): Promise<Environment> {
  const path = resolve(file);
  const mine = await turn.run(async () => {
    const found = shared.get(path) ?? (await openRoot(path, mapSize));
    shared.set(path, found);
    found.users += 1;
    return found;
  });
  return {
    root: mine.root,
    door: mine.door,
    release: () =>
      turn.run(async () => {
        mine.users -= 1;
        if (mine.users > 0) return;
        shared.delete(path);
        await mine.root.close();
      }),
  };
}

async function openRoot(path: string, mapSize: number): Promise<Shared> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const door = createDoor(`${path}-door`);
  const root = await door.shut(() =>
    open<unknown, string>({
      path,
      noSubdir: true,
      maxDbs: 8,
      maxReaders: 512,
      mapSize,
      // Overlapping syncs take a mutex of their own, and a process that is killed while it holds it makes the next one set the
      // number of the last transaction without the writers' lock: a commit was lost in one of thirty kills.
      overlappingSync: false,
      noMetaSync: true,
    }),
  );
  return { root, door, users: 0 };
}

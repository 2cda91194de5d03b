/**
 * Finds the record that kills the process: such a record cannot be counted in the transaction that it aborts.
 * A file per partition lies in DATA/run/ while a partition is worked on. Found at a start, it says that the one
 * before was unclean: then records are taken one by one, each written down first, up to where the dead worker
 * may have been. A record that kills three times when it is alone is a dead letter. Twice would bury posts that merely
 * stood there when somebody killed a starting worker again and again (seen in test/e2e/up.test.ts).
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Kills of a record, taken alone, that make it a dead letter. */
export const FATAL_KILLS: number = 3;

export interface CrashGuardOptions {
  /** DATA/run */
  readonly dir: string;
  readonly service: string;
  readonly partition: number;
  readonly pid: number;
  /** Whether a process of that id lives on this machine. */
  readonly isAlive: (pid: number) => boolean;
}

export interface CrashGuard {
  /** Whether the last worker of this partition on this machine was killed. */
  readonly unclean: boolean;
  /** How often the record killed a worker while it was alone. */
  killsOf(offset: bigint): number;
  /** From here until `leave`, a death is this record's doing. */
  enter(offset: bigint): void;
  leave(): void;
  /** A clean stop. */
  close(): void;
}

interface Marker {
  /** The record being worked on alone; null when none is. */
  readonly at: string | null;
  /** Kills by offset, as known when this was written. */
  readonly kills: Readonly<Record<string, number>>;
}

const CLEAN: Marker = { at: null, kills: {} };

/** Opens the guard of one partition; takes over (and removes) the marks of dead processes. */
export function openCrashGuard(options: CrashGuardOptions): CrashGuard {
  const { dir, service, partition, pid, isAlive } = options;
  const prefix = `${service}.partition-${partition}.`;
  mkdirSync(dir, { recursive: true });
  const kills: Record<string, number> = {};
  let unclean = false;
  for (const file of readdirSync(dir)) {
    if (!file.startsWith(prefix) || !file.endsWith('.mark')) continue;
    const owner = Number(file.slice(prefix.length, -'.mark'.length));
    // A mark of our own pid is of an earlier life: in a container every life is pid 1.
    if (owner !== pid && isAlive(owner)) continue;
    unclean = true;
    const marker = readMarker(join(dir, file));
    for (const [offset, count] of Object.entries(marker.kills))
      kills[offset] = Math.max(kills[offset] ?? 0, count);
    if (marker.at !== null) kills[marker.at] = (kills[marker.at] ?? 0) + 1;
    rmSync(join(dir, file), { force: true });
  }
  const path = join(dir, `${prefix}${pid}.mark`);
  const write = (at: string | null): void =>
    writeFileSync(path, JSON.stringify({ at, kills } satisfies Marker));
  write(null);
  return {
    unclean,
    killsOf: (offset) => kills[String(offset)] ?? 0,
    enter: (offset) => write(String(offset)),
    leave: () => write(null),
    close: () => rmSync(path, { force: true }),
  };
}

/** A mark that was torn by the very crash that it tells of still says that there was one. */
function readMarker(path: string): Marker {
  try {
    const { at, kills } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Marker>;
    return { at: at ?? null, kills: kills ?? {} };
  } catch {
    return CLEAN;
  }
}

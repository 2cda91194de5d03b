/**
 * The LMDB file of one environment: its tables, its write transactions, its commit counter.
 *
 * What is promised: a commit is seen by every process of the machine at once and outlives any process (kill -9
 * included). Its data are on the disk before it counts, the page that names it follows within moments; after a power cut LMDB
 * opens the last commit of which all is there, so the very last one may be gone but never half of one. Network disks are not
 * supported.
 *
 * Writers exclude each other across processes, so nothing slow and no user code ever runs inside `write`.
 */
import type { Database } from 'lmdb';
import { TocsinError } from '../../base/errors.ts';
import { type Environment, openEnvironment } from './environment.ts';

/** Ordered-binary key: numbers sort before strings, arrays element by element. */
export type Key = readonly (string | number)[];

/** [newest timestamp, bytes stored, records] of a chunk, so that it need not be read. */
export type ChunkNote = readonly [newest: number, bytes: number, records: number];

/** One table. Keys are arrays; `get` gives undefined where there is nothing. */
export interface Table<V> {
  get(key: Key): V | undefined;
  /** Inside `write` only. */
  put(key: Key, value: V): void;
  /** Inside `write` only. */
  remove(key: Key): void;
  /** Entries with start ≤ key < end (reverse: start ≥ key > end), copied out. */
  range(start: Key, end: Key, options?: { readonly reverse?: boolean; readonly limit?: number }): Entry<V>[];
  keys(start: Key, end: Key, options?: { readonly reverse?: boolean; readonly limit?: number }): Key[];
}

export interface Entry<V> {
  readonly key: Key;
  readonly value: V;
}

export interface Store {
  /** Counters, topics, marks. */
  readonly meta: Table<unknown>;
  /** [topic, partition] → the offset that the next record gets. */
  readonly heads: Table<number>;
  /** [topic, partition, first offset] → chunk (chunk.ts). */
  readonly chunks: Table<Uint8Array>;
  /** The same key → its note. */
  readonly notes: Table<ChunkNote>;
  /** Members, generations and owners of groups (group.ts). */
  readonly groups: Table<unknown>;
  /** [group, topic, partition] → committed offset. */
  readonly offsets: Table<number>;
  /** [group, topic, partition, entry] → state (state.ts). */
  readonly state: Table<Uint8Array>;
  /** Makes the following reads see every commit made so far, by whatever process. */
  fresh(): void;
  /** Number of commits so far that readers may care about. */
  commits(): number;
  /**
   * Runs `work` as one write transaction; when it throws, nothing of it stays. `quiet` commits do not wake readers.
   * Throws what `work` throws, BUS_COMMIT_FAILED when LMDB fails, BUS_CLOSED.
   */
  write<T>(work: () => T, quiet?: boolean): Promise<T>;
  /** Frees the reader slots of dead processes, without which their pages would never be reused. */
  forgetDeadReaders(): void;
  close(): Promise<void>;
}

const FORMAT = 1;
const COMMITS = ['commits'] as const;

/**
 * Opens or creates the file. Several processes, and several stores of one process, may have it open.
 * @param onCommit called in this process after every commit that is not quiet.
 */
export async function openStore(path: string, maxBytes: number, onCommit: () => void): Promise<Store> {
  let environment: Environment;
  try {
    // The map is address space, not disk: large enough that it never has to grow while other processes hold it.
    environment = await openEnvironment(path, Math.max(4 * 2 ** 30, 3 * maxBytes));
  } catch (cause) {
    throw new TocsinError('BUS_UNREACHABLE', `cannot open the embedded bus at ${path}`, { cause });
  }
  try {
    const store = await environment.door.pass(async () => storeIn(environment, onCommit));
    const format = store.meta.get(['format']);
    if (format === undefined || format === FORMAT) return store;
    throw new TocsinError('BAD_CONFIG', `${path} has format ${String(format)}, this version reads ${FORMAT}`);
  } catch (error) {
    await environment.release();
    throw error;
  }
}

/** Making a table that is not there yet is a commit. */
function storeIn({ root, door, release }: Environment, onCommit: () => void): Store {
  let closed = false;
  const guard = (): void => {
    if (closed) throw new TocsinError('BUS_CLOSED', 'the embedded bus is closed');
  };
  const table = <V>(name: string, encoding: 'json' | 'binary'): Table<V> => {
    const db: Database<V> = root.openDB({ name, encoding });
    const span = (start: Key, end: Key, options: { reverse?: boolean; limit?: number } = {}): object => ({
      start,
      end,
      snapshot: true,
      ...options,
    });
    return {
      get(key) {
        guard();
        return db.get(key as (string | number)[]);
      },
      // In a transaction these take effect at once; the promise says nothing more.
      put: (key, value) => void db.put(key as (string | number)[], value),
      remove: (key) => void db.remove(key as (string | number)[]),
      range(start, end, options) {
        guard();
        return [...db.getRange(span(start, end, options))] as unknown as Entry<V>[];
      },
      keys(start, end, options) {
        guard();
        return [...db.getKeys(span(start, end, options))] as unknown as Key[];
      },
    };
  };
  const meta = table<unknown>('meta', 'json');
  const commits = (): number => (meta.get(COMMITS) as number | undefined) ?? 0;
  const store: Store = {
    meta,
    heads: table('heads', 'json'),
    chunks: table('chunks', 'binary'),
    notes: table('notes', 'json'),
    groups: table('groups', 'json'),
    offsets: table('offsets', 'json'),
    state: table('state', 'binary'),
    fresh() {
      guard();
      root.resetReadTxn();
    },
    commits() {
      store.fresh();
      return commits();
    },
    async write(work, quiet = false) {
      guard();
      let thrown: unknown;
      try {
        const result = await door.pass(() =>
          root.childTransaction(() => {
            try {
              const value = work();
              if (!quiet) meta.put(COMMITS, commits() + 1);
              return value;
            } catch (error) {
              thrown = error;
              throw error;
            }
          }),
        );
        if (!quiet) onCommit();
        return result;
      } catch (error) {
        const cause = thrown ?? error;
        if (cause instanceof TocsinError) throw cause;
        throw new TocsinError('BUS_COMMIT_FAILED', `the embedded bus could not commit: ${String(cause)}`, {
          cause,
        });
      }
    },
    forgetDeadReaders() {
      guard();
      root.readerCheck();
    },
    async close() {
      if (closed) return;
      closed = true;
      await release();
    },
  };
  return store;
}
/** Marks a new file with its format. */
export async function markFormat(store: Store): Promise<void> {
  if (store.meta.get(['format']) === undefined)
    await store.write(() => store.meta.put(['format'], FORMAT), true);
}

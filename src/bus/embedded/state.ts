/** State of consumers in the store, and the view of it from outside. */
import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { RestoredState, StateView } from '../port.ts';
import { low, topicOf } from './log.ts';
import type { Store } from './store.ts';

const LONGEST_KEY = 400;
/** Sorts behind every entry. */
const LAST = '\uffff';

/** LMDB keys are short and hold no NUL: other names are replaced by their hash. The value carries the name. */
function stateKey(entry: string): string {
  return entry.length <= LONGEST_KEY && !entry.includes('\0') && entry < LAST
    ? `=${entry}`
    : `#${createHash('sha256').update(entry).digest('hex')}`;
}

/** Writes or (null) forgets an entry; inside a write transaction. */
export function putState(
  store: Store,
  group: string,
  topic: string,
  partition: number,
  entry: string,
  value: Uint8Array | null,
): void {
  const key = [group, topic, partition, stateKey(entry)];
  if (value === null) {
    store.state.remove(key);
    return;
  }
  const name = Buffer.from(entry, 'utf8');
  const row = Buffer.allocUnsafe(4 + name.length + value.length);
  row.set(name, row.writeUInt32LE(name.length, 0));
  row.set(value, 4 + name.length);
  store.state.put(key, row);
}

/** Forgets all state of a partition; inside a write transaction. */
export function forgetState(store: Store, group: string, topic: string, partition: number): void {
  for (const key of store.state.keys([group, topic, partition], [group, topic, partition, LAST]))
    store.state.remove(key);
}

/** A partition's state as committed. Where the group has no offset yet, or an expired one, it is at the first record. */
export function restoreState(
  store: Store,
  group: string,
  topic: string,
  partition: number,
  filter: (entry: string) => boolean = () => true,
): RestoredState {
  const entries = new Map<string, Uint8Array>();
  const take = (row: Uint8Array): void => {
    const bytes = Buffer.from(row.buffer, row.byteOffset, row.byteLength);
    const end = 4 + bytes.readUInt32LE(0);
    const name = bytes.toString('utf8', 4, end);
    if (filter(name)) entries.set(name, new Uint8Array(bytes.subarray(end)));
  };
  for (const key of store.state.keys([group, topic, partition], [group, topic, partition, LAST])) {
    const short = key[3] as string;
    if (short.startsWith('=') && !filter(short.slice(1))) continue;
    const row = store.state.get(key);
    if (row) take(row);
  }
  const committed = store.offsets.get([group, topic, partition]);
  return { upto: BigInt(Math.max(committed ?? 0, low(store, topic, partition))), entries };
}

/** A partition is looked through again at most this often without being asked, and never for more than a tenth of the time. */
const PACE_MS = 100;

/** Reads the state of a group whenever it has moved. Throws UNKNOWN_TOPIC. */
export function createStateView(
  store: Store,
  group: string,
  topic: string,
  filter: (entry: string) => boolean,
  clock: Clock,
): StateView {
  const { partitions } = topicOf(store, topic);
  const known = new Map<
    number,
    { readonly state: RestoredState; readonly committed: number | undefined; readonly again: number }
  >();
  const look = (pressing: boolean): void => {
    store.fresh();
    for (let partition = 0; partition < partitions; partition += 1) {
      const committed = store.offsets.get([group, topic, partition]);
      const last = known.get(partition);
      const began = clock.monotonic();
      if (last && (last.committed === committed || (!pressing && began < last.again))) continue;
      const state = restoreState(store, group, topic, partition, filter);
      const ended = clock.monotonic();
      known.set(partition, { state, committed, again: ended + Math.max(PACE_MS, 10 * (ended - began)) });
    }
  };
  look(true);
  let open = true;
  return {
    partitions() {
      if (open) look(false);
      return new Map([...known].map(([partition, { state }]) => [partition, state]));
    },
    async refresh() {
      if (open) look(true);
    },
    async close() {
      open = false;
    },
  };
}

/** State of exactly-once workers in crisis.state.v1: written beside the outputs, restored at assignment, watched from outside. */
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { type Codec, expectKind } from '../codec.ts';
import type { ReceivedRecord, RestoredState, StateView } from '../port.ts';
import { TOPICS } from '../topics.ts';
import { EARLIEST, fetchFrom, LATEST, listOffsets, startPump, type TopicNames } from './fetch.ts';
import { type Names, parseStateKey, stateKey } from './names.ts';
import { type PlacedRecord, wireMessage } from './produce.ts';
import type { Session } from './session.ts';

/** Holds `upto` where a slice has changed no other entry. */
const MARKER = '';
/** Fetches while restoring wait for nothing: up to the end there is always something to be had. */
const NO_WAIT_MS = 0;
const WATCH_WAIT_MS = 500;
const PATIENCE_MS = 30_000;
const MAX_FAILED_FETCHES = 200;

/** The records that write a slice's state. Later values of an entry win. */
export function stateRecords(
  deps: { readonly names: Names; readonly codec: Codec; readonly clock: Clock },
  where: { readonly service: string; readonly topic: string; readonly partition: number },
  changes: ReadonlyMap<string, Uint8Array | null>,
  upto: bigint,
): PlacedRecord[] {
  const at = deps.clock.now();
  const record = (entry: string, value: Uint8Array | null): PlacedRecord => ({
    topic: deps.names.topic(TOPICS.state),
    partition: where.partition,
    message: wireMessage(
      stateKey(where.service, where.topic, where.partition, entry),
      value === null ? null : deps.codec.encode({ kind: 'StateEntry', upto: Number(upto), value }),
      {},
      at,
    ),
  });
  const records = [...changes].map(([entry, value]) => record(entry, value));
  const saysUpto = [...changes.values()].some((value) => value !== null);
  return saysUpto ? records : [...records, record(MARKER, new Uint8Array())];
}

interface Known {
  upto: bigint;
  /** Names of all entries that exist, also of those that the filter leaves out. */
  readonly names: Set<string>;
  readonly entries: Map<string, Uint8Array>;
}

/** Folds state records, in log order, into what is remembered of each partition. */
export interface StateFold {
  take(records: readonly ReceivedRecord[]): void;
  /** Null where nothing is remembered. */
  state(partition: number): RestoredState | null;
  partitions(): ReadonlyMap<number, RestoredState>;
}

export function createStateFold(
  codec: Codec,
  service: string,
  topic: string,
  filter: (entry: string) => boolean,
): StateFold {
  const known = new Map<number, Known>();
  const one = (record: ReceivedRecord): void => {
    const key = record.key === null ? null : parseStateKey(record.key, service, topic);
    if (!key || key.partition !== record.partition) return;
    const partition = known.get(key.partition);
    if (record.value === null) {
      partition?.names.delete(key.entry);
      partition?.entries.delete(key.entry);
      // Nothing left at all: the group was moved, and what it remembered belonged elsewhere.
      if (partition?.names.size === 0) known.delete(key.partition);
      return;
    }
    const { upto, value } = expectKind(codec.decode(record.value), 'StateEntry');
    const now = partition ?? { upto: 0n, names: new Set(), entries: new Map() };
    now.upto = BigInt(upto);
    now.names.add(key.entry);
    if (key.entry !== MARKER && filter(key.entry)) now.entries.set(key.entry, value);
    known.set(key.partition, now);
  };
  const shown = ({ upto, entries }: Known): RestoredState => ({ upto, entries });
  return {
    take: (records) => {
      for (const record of records) one(record);
    },
    state: (partition) => {
      const found = known.get(partition);
      return found ? shown(found) : null;
    },
    partitions: () => new Map([...known].map(([partition, found]) => [partition, shown(found)])),
  };
}

const stateTopic = (names: Names): TopicNames => ({
  logical: TOPICS.state,
  physical: names.topic(TOPICS.state),
});

/** Reads one partition of a topic from its first record to the end of what is stable now. */
export async function readToEnd(
  session: Session,
  topic: TopicNames,
  partition: number,
  take: (records: readonly ReceivedRecord[]) => void,
): Promise<void> {
  const doing = `reading ${topic.physical}/${partition}`;
  const bound = (at: number): Promise<bigint> =>
    session.persist(doing, PATIENCE_MS, async () => {
      const offset = (await listOffsets(session, topic.physical, [partition], at)).get(partition);
      if (offset === undefined) throw new TocsinError('UNKNOWN_TOPIC', `${doing}: no such partition`);
      return offset;
    });
  const end = await bound(LATEST);
  let position = await bound(EARLIEST);
  let failures = 0;
  while (position < end) {
    const wanted = [{ partition, offset: position }];
    const [part] = await session.persist(doing, PATIENCE_MS, async () =>
      fetchFrom(await session.leader(topic.physical, partition), topic, wanted, NO_WAIT_MS),
    );
    if (part?.errorCode !== 0) {
      failures += 1;
      if (failures > MAX_FAILED_FETCHES)
        throw new TocsinError('BUS_UNREACHABLE', `${doing}: error ${part?.errorCode} again and again`);
      await session.recover(null);
      const low = await bound(EARLIEST);
      if (low > position) position = low;
      continue;
    }
    take(part.records);
    position = part.next;
  }
}

/**
 * What a service remembers of one input partition; null when it remembers nothing. A state topic that cannot be found
 * is an error, never "nothing": a broker that has just come up may not know its topics yet.
 */
export async function restoreState(
  session: Session,
  deps: { readonly names: Names; readonly codec: Codec },
  where: { readonly service: string; readonly topic: string; readonly partition: number },
): Promise<RestoredState | null> {
  const fold = createStateFold(deps.codec, where.service, where.topic, () => true);
  await readToEnd(session, stateTopic(deps.names), where.partition, fold.take);
  return fold.state(where.partition);
}

/** Follows the state of a service from outside. The session is the view's own, and is closed with it. */
export async function watchState(
  session: Session,
  deps: { readonly names: Names; readonly codec: Codec; readonly clock: Clock; readonly log: Log },
  service: string,
  topic: string,
  filter: (entry: string) => boolean,
): Promise<StateView> {
  const names = stateTopic(deps.names);
  const fold = createStateFold(deps.codec, service, topic, filter);
  const ids = (await session.partitions(names.physical)).map((p) => p.partitionId);
  const ends = (at: number): Promise<ReadonlyMap<number, bigint>> =>
    session.persist(`watching ${names.physical}`, PATIENCE_MS, () =>
      listOffsets(session, names.physical, ids, at),
    );
  const positions = new Map(await ends(EARLIEST));
  let broken: Error | null = null;
  let moved = new AbortController();
  const tell = (): void => {
    const before = moved;
    moved = new AbortController();
    before.abort();
  };
  const pump = startPump({
    session,
    topic: names,
    clock: deps.clock,
    log: deps.log,
    maxWaitMs: WATCH_WAIT_MS,
    hungry: () => [...positions].map(([partition, offset]) => ({ partition, offset })),
    deliver: (fetched) => {
      fold.take(fetched.records);
      positions.set(fetched.partition, fetched.next);
      tell();
    },
    outOfRange: (partition, low) => positions.set(partition, low),
    alive: () => {},
    broken: (error) => {
      broken = error;
      tell();
    },
  });
  const refresh = async (): Promise<void> => {
    const wanted = await ends(LATEST);
    while ([...wanted].some(([partition, end]) => (positions.get(partition) ?? 0n) < end)) {
      if (broken) throw broken;
      await deps.clock.sleep(PATIENCE_MS, moved.signal);
    }
  };
  await refresh();
  return {
    partitions: () => fold.partitions(),
    refresh,
    async close() {
      await pump.stop();
      await session.close();
    },
  };
}

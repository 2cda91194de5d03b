/** Reading without a group: from any place, to the end as it is now or on and on. */
import { TocsinError } from '../../base/errors.ts';
import type { ReadFrom, ReadOptions, ReceivedRecord } from '../port.ts';
import {
  EARLIEST,
  type FetchedPartition,
  fetchFrom,
  LATEST,
  listOffsets,
  startPump,
  type TopicNames,
} from './fetch.ts';
import type { Names } from './names.ts';
import { createSession, type Session, type SessionDeps } from './session.ts';

const FOLLOW_WAIT_MS = 250;
const TO_END_WAIT_MS = 20;
const PATIENCE_MS = 30_000;

interface Place {
  position: bigint;
  readonly end: bigint;
  /** Fetched and not yet handed over: nothing more is fetched until it is. */
  waiting: FetchedPartition | null;
}

/** Markers and aborted records take offsets too, so the last N records may begin well before `end - N`. */
async function lastRecordsStart(
  session: Session,
  topic: TopicNames,
  partition: number,
  range: { readonly low: bigint; readonly end: bigint },
  count: number,
): Promise<bigint> {
  for (let span = BigInt(count) * 2n + 16n; count > 0; span *= 4n) {
    const whole = span >= range.end - range.low;
    const start = whole ? range.low : range.end - span;
    const offsets: bigint[] = [];
    for (let at = start; at < range.end; ) {
      const [part] = await session.persist(`reading ${topic.physical}`, PATIENCE_MS, async () =>
        fetchFrom(await session.leader(topic.physical, partition), topic, [{ partition, offset: at }], 0),
      );
      for (const record of part?.records ?? []) if (record.offset < range.end) offsets.push(record.offset);
      if (offsets.length > count) offsets.splice(0, offsets.length - count);
      if (part?.errorCode !== 0) await session.recover(null);
      else at = part.next;
    }
    if (offsets.length >= count || whole) return offsets[0] ?? range.end;
  }
  return range.end;
}

async function startPlaces(
  session: Session,
  topic: TopicNames,
  partitions: readonly number[],
  from: ReadFrom,
): Promise<Map<number, Place>> {
  const at = (timestamp: number): Promise<ReadonlyMap<number, bigint>> =>
    session.persist(`reading ${topic.physical}`, PATIENCE_MS, () =>
      listOffsets(session, topic.physical, partitions, timestamp),
    );
  const [lows, ends] = [await at(EARLIEST), await at(LATEST)];
  const times = typeof from === 'object' && 'timestamp' in from ? await at(from.timestamp) : null;
  const places = new Map<number, Place>();
  for (const partition of partitions) {
    const [low, end] = [lows.get(partition) ?? 0n, ends.get(partition) ?? 0n];
    let position = low;
    if (from === 'latest') position = end;
    else if (times) {
      const found = times.get(partition) ?? -1n;
      position = found < 0n ? end : found;
    } else if (typeof from === 'object' && 'lastRecords' in from)
      position = await lastRecordsStart(session, topic, partition, { low, end }, from.lastRecords);
    places.set(partition, { position, end, waiting: null });
  }
  return places;
}

/**
 * Committed records in batches, each from one partition, in order. Follows through outages of the broker.
 * Throws UNKNOWN_TOPIC.
 */
export async function* readTopic(
  deps: SessionDeps & { readonly names: Names; readonly closed: AbortSignal },
  logical: string,
  options: ReadOptions,
): AsyncGenerator<readonly ReceivedRecord[]> {
  const { clock } = deps;
  const topic: TopicNames = { logical, physical: deps.names.topic(logical) };
  const signals = [deps.closed, ...(options.signal ? [options.signal] : [])];
  const stop = AbortSignal.any(signals);
  const session = createSession(deps);
  let broken: Error | null = null;
  let changed = new AbortController();
  const tell = (): void => {
    const before = changed;
    changed = new AbortController();
    before.abort();
  };
  stop.addEventListener('abort', tell, { once: true });
  const stopPump: (() => Promise<void>)[] = [];
  try {
    await session.connect();
    const all = (
      await session.persist(`reading ${logical}`, PATIENCE_MS, () => session.partitions(topic.physical))
    )
      .map((p) => p.partitionId)
      .sort((a, b) => a - b);
    const partitions = options.partitions ?? all;
    const foreign = partitions.find((partition) => !all.includes(partition));
    if (foreign !== undefined)
      throw new TocsinError('UNKNOWN_TOPIC', `no partition ${foreign} in ${logical}`);
    const places = await startPlaces(session, topic, partitions, options.from);
    const atEnd = (place: Place): boolean => options.stopAtEnd === true && place.position >= place.end;
    const pump = startPump({
      session,
      topic,
      clock,
      log: deps.log,
      maxWaitMs: options.stopAtEnd ? TO_END_WAIT_MS : FOLLOW_WAIT_MS,
      hungry: () =>
        [...places]
          .filter(([, place]) => place.waiting === null && !atEnd(place))
          .map(([partition, place]) => ({ partition, offset: place.position })),
      deliver(fetched) {
        const place = places.get(fetched.partition);
        if (!place || place.waiting || fetched.from !== place.position) return;
        if (fetched.records.length === 0) place.position = fetched.next;
        else place.waiting = fetched;
        tell();
      },
      outOfRange(partition, low) {
        const place = places.get(partition);
        if (place && low > place.position) place.position = low;
        tell();
      },
      alive: () => {},
      broken(error) {
        broken = error;
        tell();
      },
    });
    stopPump.push(() => pump.stop());
    while (!stop.aborted) {
      if (broken) throw broken;
      const { signal } = changed;
      const full = [...places.values()].filter((place) => place.waiting !== null);
      for (const place of full) {
        const { records, next } = place.waiting as FetchedPartition;
        place.waiting = null;
        place.position = next;
        const wanted = options.stopAtEnd ? records.filter((record) => record.offset < place.end) : records;
        pump.wake();
        if (wanted.length > 0) yield wanted;
        if (stop.aborted) return;
      }
      if (full.length > 0) continue;
      if ([...places.values()].every(atEnd)) return;
      await clock.sleep(PATIENCE_MS, signal);
    }
  } finally {
    for (const end of stopPump) await end();
    await session.close();
  }
}

/**
 * Housekeeping, once a minute by whichever process comes first: drops chunks whose every record is older than the
 * topic's retention (whole chunks, from the beginning of a partition), and thins compacted topics.
 *
 * Compaction keeps the newest record of every key and every keyless record; offsets stay what they were. It runs
 * for a partition when 4 MB were appended since the last time, holds that partition's keys in memory, and yields
 * between chunks.
 */
import type { Clock } from '../../base/clock.ts';
import type { TopicSpec } from '../port.ts';
import { decodeChunk } from './chunk.ts';
import { END, head, replaceChunk } from './log.ts';
import type { Store } from './store.ts';

export const MAINTENANCE_MS: number = 60_000;
/** Chunks that one transaction drops. */
const STEP = 200;
const COMPACT_BYTES = 4_000_000;

/** One round, if nobody had one lately. Resolves to false when somebody had. */
export async function maintain(store: Store, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const due = (): boolean =>
    clock.now() - ((store.meta.get(['maintained']) as number | undefined) ?? 0) >= MAINTENANCE_MS / 2;
  store.fresh();
  if (!due()) return false;
  const mine = await store.write(() => {
    if (!due()) return false;
    store.meta.put(['maintained'], clock.now());
    return true;
  }, true);
  if (!mine) return false;
  store.forgetDeadReaders();
  const topics = store.meta
    .range(['topic', ''], ['topic', '\uffff'])
    .map((entry) => entry.value as TopicSpec);
  for (const topic of topics)
    for (let partition = 0; partition < topic.partitions && !signal.aborted; partition += 1) {
      if (topic.cleanup === 'delete' && topic.retentionMs !== null)
        await expire(store, topic.name, partition, clock.now() - topic.retentionMs, signal);
      if (topic.cleanup === 'compact') await compact(store, topic.name, partition, signal);
    }
  return true;
}

async function expire(
  store: Store,
  topic: string,
  partition: number,
  before: number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    if (signal.aborted) return;
    store.fresh();
    const first = store.notes.range([topic, partition, 0], [topic, partition, END], { limit: STEP });
    const kept = first.findIndex((entry) => entry.value[0] >= before);
    const old = kept < 0 ? first : first.slice(0, kept);
    if (old.length === 0) return;
    await store.write(() => {
      for (const { key } of old) replaceChunk(store, key as [string, number, number], null);
    });
  }
}

async function compact(store: Store, topic: string, partition: number, signal: AbortSignal): Promise<void> {
  const mark = ['compacted', topic, partition];
  store.fresh();
  const done = (store.meta.get(mark) as number | undefined) ?? 0;
  const end = head(store, topic, partition);
  const fresh = store.notes.range([topic, partition, done], [topic, partition, END]);
  if (fresh.reduce((sum, entry) => sum + entry.value[1], 0) < COMPACT_BYTES) return;
  const seen = new Set<string>();
  const chunks = store.notes.keys([topic, partition, END], [topic, partition, -1], { reverse: true });
  for (const key of chunks) {
    if (signal.aborted) return;
    store.fresh();
    const base = key[2] as number;
    const bytes = store.chunks.get(key);
    if (!bytes) continue;
    const records = decodeChunk(bytes, { topic, partition, base, from: 0 });
    const kept = records
      .reverse()
      .filter((record) => {
        if (record.key === null) return true;
        if (seen.has(record.key)) return false;
        seen.add(record.key);
        return true;
      })
      .reverse();
    if (kept.length < records.length)
      await store.write(
        () =>
          replaceChunk(
            store,
            key as [string, number, number],
            kept.map((record) => ({ ...record, delta: Number(record.offset) - base })),
          ),
        true,
      );
    else await new Promise((resolve) => setImmediate(resolve));
  }
  await store.write(() => store.meta.put(mark, end), true);
}

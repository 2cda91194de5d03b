/** Reading without a group: from a place of its own, to the end or on and on. */
import type { ReadOptions, ReceivedRecord } from '../port.ts';
import { head, readOn, startOf, topicOf } from './log.ts';
import type { Store } from './store.ts';
import type { Wakeups } from './wake.ts';

const IDLE_MS = 1_000;

/**
 * Batches of at most one chunk, partition by partition in turn. Its places are found when it is called.
 * Ends at the end (`stopAtEnd`), when the signal aborts or when the bus closes. Iterating throws UNKNOWN_TOPIC.
 * @param closing aborts when the bus closes.
 */
export function readTopic(
  topic: string,
  options: ReadOptions,
  deps: { readonly store: Store; readonly wakeups: Wakeups; readonly closing: AbortSignal },
): AsyncIterable<readonly ReceivedRecord[]> {
  const { store, wakeups } = deps;
  interface Place {
    readonly partition: number;
    at: number;
    readonly end: number;
  }
  const places = (): Place[] => {
    store.fresh();
    const all = Array.from({ length: topicOf(store, topic).partitions }, (_, i) => i);
    return all
      .filter((partition) => options.partitions?.includes(partition) ?? true)
      .map((partition) => ({
        partition,
        at: startOf(store, topic, partition, options.from),
        end: options.stopAtEnd ? head(store, topic, partition) : Number.POSITIVE_INFINITY,
      }));
  };
  let found: Place[] | null = null;
  let failed: unknown = null;
  try {
    found = places();
  } catch (error) {
    failed = error;
  }
  async function* iterate(): AsyncGenerator<readonly ReceivedRecord[]> {
    if (!found) throw failed;
    const stop = options.signal ? AbortSignal.any([options.signal, deps.closing]) : deps.closing;
    while (!stop.aborted) {
      const seen = store.commits();
      let moved = false;
      for (const place of found) {
        if (stop.aborted) return;
        if (place.at >= place.end) continue;
        store.fresh();
        const stretch = readOn(store, topic, place.partition, place.at);
        if (!stretch) {
          // Nothing is left up to the end: what was there has expired meanwhile.
          if (options.stopAtEnd) place.at = place.end;
          continue;
        }
        moved = true;
        place.at = stretch.next;
        const inside = stretch.records.filter((record) => record.offset < place.end);
        if (inside.length > 0) yield inside;
      }
      if (moved) continue;
      if (options.stopAtEnd) return;
      await wakeups.changed(seen, IDLE_MS, stop);
    }
  }
  return iterate();
}

/** Finds a post that the memory has let go: reads its partition of the labels once more. */
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { partitionOf } from '../../base/murmur2.ts';
import type { Codec } from '../../bus/codec.ts';
import { lineageOf } from '../../bus/messages.ts';
import type { Bus, ReceivedRecord } from '../../bus/port.ts';
import { TOPICS } from '../../bus/topics.ts';
import type { RevisionView } from '../wire.ts';
import { revisionView } from './views.ts';

export interface Lookup {
  /** Ascending; empty for a post that is not on the bus. Throws BUS_UNREACHABLE when it takes too long, BUS_FULL when too many ask. */
  revisions(postId: string): Promise<readonly RevisionView[]>;
}

const MAX_WAITING = 4;

export function createLookup(deps: {
  readonly bus: Bus;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly timeoutMs: number;
}): Lookup {
  const { bus, codec, clock, timeoutMs } = deps;
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();

  const scan = async (postId: string): Promise<readonly RevisionView[]> => {
    const late = new AbortController();
    const done = new AbortController();
    let isLate = false;
    void clock.sleep(timeoutMs, done.signal).then(() => {
      isLate = !done.signal.aborted;
      late.abort();
    });
    const found = new Map<number, RevisionView>();
    try {
      const partitions = (await bus.admin.ranges(TOPICS.labels)).length;
      const batches = bus.read(TOPICS.labels, {
        from: 'earliest',
        stopAtEnd: true,
        partitions: [partitionOf(postId, partitions)],
        signal: late.signal,
      });
      for await (const batch of batches)
        for (const record of batch) {
          if (record.key !== postId || record.value === null) continue;
          const view = viewOf(codec, record);
          if (view) found.set(view.revision, view);
        }
    } finally {
      done.abort();
    }
    if (isLate)
      throw new TocsinError('BUS_UNREACHABLE', `looking for post ${postId} took longer than ${timeoutMs} ms`);
    return [...found.values()].sort((a, b) => a.revision - b.revision);
  };

  return {
    async revisions(postId) {
      if (waiting >= MAX_WAITING)
        throw new TocsinError('BUS_FULL', 'too many old posts are being looked for; try again in a moment');
      waiting += 1;
      // One at a time: a scan reads a whole partition.
      const mine = last.then(() => scan(postId));
      last = mine.catch(() => {});
      try {
        return await mine;
      } finally {
        waiting -= 1;
      }
    },
  };
}

/** Null for what is no label; whatever else other clients wrote there is not ours to show. */
function viewOf(codec: Codec, record: ReceivedRecord): RevisionView | null {
  try {
    const decoded = codec.decode(record.value as Uint8Array);
    return decoded.kind === 'Label'
      ? revisionView(decoded, record.timestamp, lineageOf(record.headers))
      : null;
  } catch {
    return null;
  }
}

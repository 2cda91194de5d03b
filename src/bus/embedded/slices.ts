/** One partition at work: take a slice, let the task process it, commit all of it as one, again. */

import type { Clock } from '../../base/clock.ts';
import { asTocsinError, TocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Semaphore } from '../../base/semaphore.ts';
import { checkOutgoing } from '../outgoing.ts';
import type { Consumption, OutgoingRecord, PartitionTask, ReceivedRecord, Transaction } from '../port.ts';
import { type Claim, holds } from './group.ts';
import { append, encodeBatches, readOn, topicOf } from './log.ts';
import { putState, restoreState } from './state.ts';
import type { Store } from './store.ts';
import type { Wakeups } from './wake.ts';

const BACKOFF_MS = 50;
const LONGEST_BACKOFF_MS = 2_000;
/** A slice that is not full is closed when nothing more came for so long; `sliceMs` at the latest. */
const LULL_MS = 2;
/** A lost wake-up costs at most this. */
const IDLE_MS = 1_000;

export interface SliceDeps {
  readonly store: Store;
  readonly wakeups: Wakeups;
  readonly clock: Clock;
  readonly log: Log;
  readonly semaphore: Semaphore;
  /** The consumer has proved that it is alive. */
  readonly alive: () => void;
}

export interface PartitionRun {
  readonly claim: Claim;
  /** Resolves when the run has ended: after `stop`, or because the partition was lost. */
  readonly ended: Promise<void>;
  /** Finishes and commits the slice in hand. */
  stop(): void;
  /** The partition belongs to somebody else: the slice in hand is aborted, it could not be committed. */
  lose(): void;
}

/** What one slice did, until it is committed. */
interface Draft extends Transaction {
  readonly outputs: OutgoingRecord[];
  readonly state: Map<string, Uint8Array | null>;
  close(): void;
}

function createDraft(store: Store, mode: Consumption['mode']): Draft {
  const outputs: OutgoingRecord[] = [];
  const state = new Map<string, Uint8Array | null>();
  let open = true;
  const check = (): void => {
    if (!open) throw new TocsinError('BAD_USAGE', 'the slice of this transaction is over');
  };
  return {
    outputs,
    state,
    send(record) {
      check();
      checkOutgoing(record);
      topicOf(store, record.topic);
      outputs.push(record);
    },
    putState(entry, value) {
      check();
      if (mode !== 'exactly-once')
        throw new TocsinError('BAD_USAGE', 'only a consumer in exactly-once mode has state');
      state.set(entry, value);
    },
    close() {
      open = false;
    },
  };
}

/** Starts working on a partition that was acquired. */
export function runPartition(consumption: Consumption, claim: Claim, deps: SliceDeps): PartitionRun {
  const { store, wakeups, clock, log, semaphore } = deps;
  const { group, topic, partition } = claim;
  const draining = new AbortController();
  const lost = new AbortController();

  /** Records taken out of a chunk that did not fit the slice before. At most a chunk. */
  let ahead: readonly ReceivedRecord[] = [];
  let position = 0;

  const take = (into: ReceivedRecord[]): void => {
    while (into.length < consumption.sliceRecords) {
      if (ahead.length === 0) {
        store.fresh();
        const stretch = readOn(store, topic, partition, position);
        if (!stretch) return;
        ahead = stretch.records;
        position = stretch.next;
      }
      const room = consumption.sliceRecords - into.length;
      for (const record of ahead.slice(0, room)) into.push(record);
      ahead = ahead.slice(room);
    }
  };

  /** The next slice; null when it is time to stop. */
  async function nextSlice(): Promise<ReceivedRecord[] | null> {
    const slice: ReceivedRecord[] = [];
    while (!draining.signal.aborted) {
      const seen = store.commits();
      take(slice);
      deps.alive();
      if (slice.length > 0) break;
      await wakeups.changed(seen, IDLE_MS, draining.signal);
    }
    const first = clock.monotonic();
    for (;;) {
      if (draining.signal.aborted) return null;
      const left = first + consumption.sliceMs - clock.monotonic();
      if (slice.length >= consumption.sliceRecords || left <= 0) return slice;
      const before = slice.length;
      await clock.sleep(Math.min(LULL_MS, left), draining.signal);
      take(slice);
      if (slice.length === before) return slice;
    }
  }

  async function commit(
    slice: readonly ReceivedRecord[],
    draft: Draft,
    expected: number | undefined,
  ): Promise<number> {
    const batches = encodeBatches(store, draft.outputs, clock.now());
    const next = Number(slice.at(-1)?.offset) + 1;
    await store.write(() => {
      if (!holds(store, claim))
        throw new TocsinError('BUS_FENCED', `${group} has lost ${topic}/${partition} to another member`);
      const key = [group, topic, partition];
      if (store.offsets.get(key) !== expected)
        throw new TocsinError('BUS_COMMIT_FAILED', `${group}: the offset of ${topic}/${partition} has moved`);
      // No cap here: what was taken in must be worked off. The door is where the bus is full.
      append(store, batches, null);
      for (const [entry, value] of draft.state) putState(store, group, topic, partition, entry, value);
      store.offsets.put(key, next);
    });
    deps.alive();
    return next;
  }

  /** Works with one task until it is time to stop; throws what broke it. */
  async function work(progress: () => void): Promise<void> {
    store.fresh();
    const restored = restoreState(store, group, topic, partition);
    let committed = store.offsets.get([group, topic, partition]);
    position = Number(restored.upto);
    ahead = [];
    if (committed !== undefined && position > committed)
      log.warn(
        { group, topic, partition, committed, low: position },
        'Records expired before they were consumed.',
      );
    const task: PartitionTask = await consumption.open({ topic, partition }, restored);
    try {
      for (;;) {
        const slice = await nextSlice();
        if (!slice) return;
        const draft = createDraft(store, consumption.mode);
        await semaphore.run(() => task.process(slice, draft, lost.signal)).finally(() => draft.close());
        committed = await commit(slice, draft, committed);
        task.committed?.();
        progress();
      }
    } finally {
      await task.close?.();
    }
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!draining.signal.aborted) {
      try {
        await work(() => {
          failures = 0;
        });
      } catch (thrown) {
        const error = asTocsinError(thrown, `working on ${topic}/${partition}`);
        if (error.code === 'BUS_FENCED') {
          log.warn({ group, topic, partition }, 'Partition lost to another member.');
          return;
        }
        failures += 1;
        log.warn(
          { group, topic, partition, failures, code: error.code, err: error },
          'Slice failed; it comes again.',
        );
        consumption.failed?.(error.code);
        await clock.sleep(
          Math.min(LONGEST_BACKOFF_MS, BACKOFF_MS * 2 ** Math.min(failures - 1, 10)),
          draining.signal,
        );
      }
    }
  }

  return {
    claim,
    ended: run(),
    stop: () => draining.abort(),
    lose() {
      lost.abort();
      draining.abort();
    },
  };
}

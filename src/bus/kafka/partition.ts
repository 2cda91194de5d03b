/** The worker of one assigned partition: take over, then slice after slice, until it is told to rest or to stop. */
import type { ErrorCode } from '../../base/errors.ts';
import type { Semaphore } from '../../base/semaphore.ts';
import type { SliceBuffer } from './buffer.ts';
import { fromKafka, isMembershipLost, isRebalancing, isTransient } from './errors.ts';
import type { Generation } from './group.ts';
import { commitSlice, processSlice } from './slice.ts';
import { committedOffset, type Held, type SliceDeps, takeOver } from './takeover.ts';

/** How long a partition that holds only markers waits before it commits the way past them. */
const IDLE_COMMIT_MS = 500;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;
/** A slice in hand may finish within this when a rebalance comes; below the group's rebalance timeout. */
const DRAIN_MS = 20_000;
/** After that its task is told to give up, and left alone. */
const GIVE_UP_MS = 2_000;
/** A process that is told to end is gone 10 s later, so the slice in hand has less. */
const STOP_MS = 5_000;

/** Nothing that trying again, here or elsewhere, would mend. */
const HOPELESS: ReadonlySet<ErrorCode> = new Set(['BUS_STATE_MISMATCH', 'BUS_TOPIC_MISMATCH']);

export interface PartitionDeps extends SliceDeps {
  /** Partitions of this consumer that may be inside `process` at once. */
  readonly room: Semaphore;
  generation(): Generation | null;
  /** Asks the coordinator whether we are still a member; throws when not. */
  verify(): Promise<void>;
  /** There is room for more records. */
  hungry(): void;
  /** A slice was committed. */
  alive(): void;
  /** An error after which the whole consumer must end. */
  fatal(error: Error): void;
}

export interface PartitionWorker {
  readonly partition: number;
  /** The buffer to fill; null while there is none (not yet restored, or at rest). */
  buffer(): SliceBuffer | null;
  /** For how long the slice in hand has made no progress; 0 when there is none. */
  stuckMs(): number;
  /** Comes to rest at the end of the slice in hand. @param lost give the slice up. */
  rest(lost: boolean): Promise<void>;
  /** Goes on in a new generation, from memory unless somebody else has moved the offset. */
  resume(): void;
  stop(lost: boolean): Promise<void>;
}

/** A change that others wait for. */
class Change {
  private next = new AbortController();
  get signal(): AbortSignal {
    return this.next.signal;
  }
  happen(): void {
    const before = this.next;
    this.next = new AbortController();
    before.abort();
  }
}

export function startPartition(partition: number, deps: PartitionDeps): PartitionWorker {
  const { clock, log, consumption } = deps;
  const { topic, group: service } = consumption;
  const told = new Change();
  const settled = new Change();
  let wanted: 'work' | 'rest' | 'stop' = 'rest';
  let held: Held | null = null;
  let busy = false;
  let sliceSince: number | null = null;
  let inHand = new AbortController();
  let mustCheckOffset = false;
  let failures = 0;
  let seenCommitted = 0n;

  const interrupted = (): boolean => wanted !== 'work';
  const want = (next: typeof wanted): void => {
    if (wanted !== 'stop') wanted = next;
    told.happen();
    held?.buffer.wake();
  };

  const letGo = async (): Promise<void> => {
    const before = held;
    held = null;
    try {
      await before?.task.close?.();
    } catch (thrown) {
      log.warn({ topic, partition, error: (thrown as Error).message }, 'Closing a task failed.');
    }
  };

  /** Only `process` counts against the concurrency; the commit overlaps with other partitions' work. */
  const cutAndProcess = (now: Held, signal: AbortSignal) =>
    deps.room.run(async () => {
      if (interrupted()) return null;
      const slice = now.buffer.cut();
      sliceSince = clock.monotonic();
      deps.hungry();
      return { slice, output: await processSlice(deps, now, slice, signal) };
    });

  const runSlice = async (now: Held): Promise<void> => {
    const { signal } = inHand;
    const generation = deps.generation();
    if (!generation) return want('rest');
    const stillOurs = (): boolean => !signal.aborted && deps.generation() === generation;
    try {
      const done = await cutAndProcess(now, signal);
      if (!done) return;
      await commitSlice(deps, now, partition, done.slice, done.output, generation, stillOurs);
      seenCommitted = done.slice.upto;
      failures = 0;
      deps.alive();
    } finally {
      sliceSince = null;
    }
  };

  const work = async (): Promise<void> => {
    if (held && mustCheckOffset) {
      const committed = await committedOffset(deps, partition);
      if (committed !== null && committed !== held.upto) await letGo();
    }
    mustCheckOffset = false;
    held ??= await takeOver(deps, partition, seenCommitted);
    deps.hungry();
    while (!interrupted()) {
      await held.buffer.ready(interrupted, IDLE_COMMIT_MS);
      if (!interrupted()) await runSlice(held);
    }
  };

  const afterError = async (thrown: unknown): Promise<void> => {
    if (wanted === 'stop') return;
    const error = fromKafka(thrown, `${service} working on ${topic}/${partition}`);
    if (HOPELESS.has(error.code)) {
      want('stop');
      deps.fatal(error);
      return;
    }
    failures += 1;
    const facts = { service, topic, partition, failures, code: error.code, error: error.message };
    if (error.code === 'BUS_CLOSED') log.debug(facts, 'A slice was given up.');
    else {
      log.warn(facts, 'A slice was given up and will be taken again.');
      consumption.failed?.(error.code);
    }
    if (isTransient(thrown)) await deps.session.recover(thrown);
    if (error.code === 'BUS_FENCED') {
      // Either another member has the partition now, or the coordinator gave this producer up: the group knows which.
      try {
        await deps.verify();
      } catch (refused) {
        if (isMembershipLost(refused) || isRebalancing(refused)) want('rest');
      }
    }
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 10), LONGEST_PAUSE_MS);
    if (!interrupted()) await clock.sleep(pause, told.signal);
  };

  const run = async (): Promise<void> => {
    while (wanted !== 'stop') {
      if (wanted === 'rest' || !deps.generation()) {
        await clock.sleep(LONGEST_PAUSE_MS, told.signal);
        continue;
      }
      busy = true;
      try {
        await work();
      } catch (thrown) {
        await letGo();
        busy = false;
        settled.happen();
        await afterError(thrown);
      } finally {
        busy = false;
        settled.happen();
      }
    }
    await letGo();
  };
  const running = run();

  const restFor = async (limitMs: number): Promise<void> => {
    const giveUpAt = clock.monotonic() + limitMs;
    while (busy && clock.monotonic() < giveUpAt)
      await clock.sleep(Math.max(1, giveUpAt - clock.monotonic()), settled.signal);
  };

  return {
    partition,
    buffer: () => (wanted === 'work' ? (held?.buffer ?? null) : null),
    stuckMs: () => (sliceSince === null ? 0 : clock.monotonic() - sliceSince),
    async rest(lost) {
      want('rest');
      if (lost) inHand.abort();
      else await restFor(DRAIN_MS);
      inHand.abort();
      await restFor(GIVE_UP_MS);
    },
    resume() {
      inHand = new AbortController();
      mustCheckOffset = true;
      want('work');
    },
    async stop(lost) {
      want('stop');
      if (lost) inHand.abort();
      else await restFor(STOP_MS);
      inHand.abort();
      await Promise.race([running, clock.sleep(GIVE_UP_MS)]);
    },
  };
}

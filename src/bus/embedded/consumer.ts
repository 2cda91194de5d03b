/** A member of a group: keeps its membership, starts and stops its partitions as the group changes. */
import { asTocsinError } from '../../base/errors.ts';
import { createSemaphore } from '../../base/semaphore.ts';
import type { Consumer, Consumption } from '../port.ts';
import { createMembership, holds, type Self } from './group.ts';
import { topicOf } from './log.ts';
import { type PartitionRun, runPartition, type SliceDeps } from './slices.ts';

/** How often the group is looked at. */
const TICK_MS = 100;
const BEAT_MS = 1_000;
/** An owner that is there but does not hand over for so long loses the partition; its slice will not commit. */
const HANDOVER_MS = 30_000;

/** Joins the group and starts consuming. Throws UNKNOWN_TOPIC. @param member an id that nobody else has. */
export async function startConsumer(
  consumption: Consumption,
  member: string,
  me: Self,
  deps: Omit<SliceDeps, 'semaphore' | 'alive'>,
): Promise<Consumer> {
  const { store, clock, log } = deps;
  const { group, topic } = consumption;
  const { partitions } = topicOf(store, topic);
  const membership = createMembership(store, group, topic, member, me);
  const semaphore = createSemaphore(consumption.concurrency);
  const runs = new Map<number, PartitionRun>();
  const wantedSince = new Map<number, number>();
  const closing = new AbortController();
  let aliveAt = clock.monotonic();
  let beatAt = Number.NEGATIVE_INFINITY;
  const alive = (): void => {
    aliveAt = clock.monotonic();
  };

  function start(run: PartitionRun): void {
    const { partition } = run.claim;
    runs.set(partition, run);
    wantedSince.delete(partition);
    void run.ended
      .then(() => membership.release(run.claim))
      .catch((error: unknown) =>
        log.warn({ group, topic, partition, err: error }, 'Could not release a partition.'),
      )
      .then(() => runs.delete(partition));
  }

  async function tick(): Promise<void> {
    if (clock.monotonic() - beatAt >= BEAT_MS) {
      await membership.beat();
      beatAt = clock.monotonic();
    }
    await membership.sweep();
    const wanted = membership.wanted(partitions);
    for (const [partition, run] of runs) {
      if (!holds(store, run.claim)) run.lose();
      else if (!wanted.has(partition)) run.stop();
    }
    for (const partition of wantedSince.keys()) if (!wanted.has(partition)) wantedSince.delete(partition);
    for (const partition of wanted) {
      if (runs.has(partition)) continue;
      const since = wantedSince.get(partition) ?? clock.monotonic();
      wantedSince.set(partition, since);
      const claim = await membership.acquire(partition, clock.monotonic() - since > HANDOVER_MS);
      if (claim) start(runPartition(consumption, claim, { ...deps, semaphore, alive }));
    }
    alive();
  }

  async function live(): Promise<Error | null> {
    while (!closing.signal.aborted) {
      try {
        await tick();
      } catch (thrown) {
        const error = asTocsinError(thrown, `membership of ${group}`);
        if (error.code === 'BUS_CLOSED') return error;
        log.warn(
          { group, topic, code: error.code, err: error },
          'The group could not be looked after; trying again.',
        );
        await clock.sleep(BEAT_MS, closing.signal);
      }
      await clock.sleep(TICK_MS, closing.signal);
    }
    return null;
  }

  async function windUp(broken: Error | null): Promise<Error | null> {
    const open = [...runs.values()];
    for (const run of open) run.stop();
    await Promise.all(open.map((run) => run.ended));
    for (const run of open) await membership.release(run.claim).catch(() => {});
    await membership.leave().catch(() => {});
    runs.clear();
    return broken;
  }

  await membership.beat();
  beatAt = clock.monotonic();
  const ended = live().then(windUp);
  return {
    assigned: () =>
      [...runs.values()]
        .map((run) => ({ topic, partition: run.claim.partition }))
        .sort((a, b) => a.partition - b.partition),
    idleMs: () => clock.monotonic() - aliveAt,
    ended,
    async close() {
      closing.abort();
      await ended;
    },
  };
}

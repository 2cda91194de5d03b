/** A running consumer: membership, one pump for all its partitions, one worker for each. */
import { TocsinError } from '../../base/errors.ts';
import { createSemaphore } from '../../base/semaphore.ts';
import type { Consumer, Consumption } from '../port.ts';
import { TOPICS } from '../topics.ts';
import { fromKafka } from './errors.ts';
import { type Pump, startPump, type Wanted } from './fetch.ts';
import { joinGroup, type Membership } from './group.ts';
import { type PartitionWorker, startPartition } from './partition.ts';
import { createSession, type Session, type SessionDeps, within } from './session.ts';
import type { SliceDeps } from './takeover.ts';

/** Short: a partition that becomes hungry during a poll waits for its end. */
const FETCH_WAIT_MS = 50;
const JOIN_MS = 90_000;
const WATCH_EVERY_MS = 5_000;
/** A slice takes milliseconds; media slices with hosts that do not answer, some seconds. */
const STUCK_MS = 120_000;

export type ConsumerDeps = SessionDeps &
  Pick<SliceDeps, 'names' | 'codec' | 'sender' | 'probe'> & { readonly sessionTimeoutMs: number };

/** Resolves when the consumer is a member of its group. Throws UNKNOWN_TOPIC or BUS_UNREACHABLE. */
export async function startConsumer(deps: ConsumerDeps, consumption: Consumption): Promise<Consumer> {
  const { clock, log, names } = deps;
  const topic = { logical: consumption.topic, physical: names.topic(consumption.topic) };
  const session = createSession(deps);
  let readerSession: Promise<Session> | null = null;
  const reader = (): Promise<Session> => {
    readerSession ??= (async () => {
      const opened = createSession(deps);
      await opened.connect();
      return opened;
    })().catch((thrown: unknown) => {
      readerSession = null;
      throw thrown;
    });
    return readerSession;
  };
  const workers = new Map<number, PartitionWorker>();
  const room = createSemaphore(consumption.concurrency);
  let lastAlive = clock.monotonic();
  let closing: Promise<void> | null = null;
  let settleEnded: (error: Error | null) => void = () => {};
  const ended = new Promise<Error | null>((resolve) => {
    settleEnded = resolve;
  });
  let membership: Membership | null = null;
  let pump: Pump | null = null;
  const over = new AbortController();

  const alive = (): void => {
    lastAlive = clock.monotonic();
  };
  const close = (lost: boolean): Promise<void> => {
    closing ??= (async () => {
      over.abort();
      await Promise.all([...workers.values()].map((worker) => worker.stop(lost)));
      workers.clear();
      await membership?.leave();
      await pump?.stop();
      await session.close();
      await readerSession?.then((opened) => opened.close()).catch(() => {});
    })();
    return closing;
  };
  const fatal = (error: Error): void => {
    if (closing !== null) return;
    log.error(
      { service: consumption.group, topic: topic.logical, error: error.message },
      'The consumer ends.',
    );
    void close(true).then(() => settleEnded(error));
  };

  const start = (partition: number): PartitionWorker =>
    startPartition(partition, {
      ...deps,
      session,
      reader,
      consumption,
      room,
      alive,
      fatal,
      generation: () => membership?.generation() ?? null,
      verify: async () => membership?.verify(),
      hungry: () => pump?.wake(),
    });

  const hungry = (): Wanted[] =>
    [...workers.values()].flatMap((worker) => {
      const offset = worker.buffer()?.wants() ?? null;
      return offset === null ? [] : [{ partition: worker.partition, offset }];
    });

  /** Records were deleted before they were read: nothing can bring them back, but it must be said. */
  const outOfRange = (partition: number, low: bigint): void => {
    const buffer = workers.get(partition)?.buffer();
    const wanted = buffer?.wants() ?? null;
    if (!buffer || wanted === null) return;
    if (low <= wanted) {
      fatal(
        new TocsinError('BUS_STATE_MISMATCH', `${topic.logical}/${partition} ends before offset ${wanted}`),
      );
      return;
    }
    log.error(
      { topic: topic.logical, partition, wanted: String(wanted), low: String(low) },
      'Records were deleted by retention before they were read.',
    );
    buffer.moveTo(low);
  };

  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await clock.sleep(WATCH_EVERY_MS, over.signal);
      for (const worker of workers.values())
        if (worker.stuckMs() > STUCK_MS)
          fatal(
            new TocsinError(
              'INTERNAL',
              `no progress on ${topic.logical}/${worker.partition} for ${STUCK_MS} ms`,
            ),
          );
    }
  };

  try {
    await session.connect();
    const partitions = (await session.partitions(topic.physical)).length;
    if (consumption.mode === 'exactly-once') {
      const state = (await session.partitions(names.topic(TOPICS.state))).length;
      if (state < partitions)
        throw new TocsinError(
          'BUS_TOPIC_MISMATCH',
          `${TOPICS.state} has ${state} partitions, ${topic.logical} ${partitions}`,
        );
    }
    pump = startPump({
      session,
      topic,
      clock,
      log,
      maxWaitMs: FETCH_WAIT_MS,
      hungry,
      deliver: (fetched) => workers.get(fetched.partition)?.buffer()?.accept(fetched),
      outOfRange,
      alive: () => {},
      broken: fatal,
    });
    membership = joinGroup({
      session,
      group: names.group(consumption.group),
      topic: topic.physical,
      sessionTimeoutMs: deps.sessionTimeoutMs,
      clock,
      log,
      alive,
      async rest(lost) {
        await Promise.all([...workers.values()].map((worker) => worker.rest(lost)));
      },
      assign(partitions) {
        for (const [partition, worker] of workers)
          if (!partitions.includes(partition)) {
            workers.delete(partition);
            void worker.stop(true);
          }
        for (const partition of over.signal.aborted ? [] : partitions) {
          const worker = workers.get(partition) ?? start(partition);
          workers.set(partition, worker);
          worker.resume();
        }
        pump?.wake();
      },
    });
    void membership.ended.then((error) => error && fatal(error));
    await within(clock, JOIN_MS, `joining ${consumption.group}`, membership.joined);
  } catch (thrown) {
    await close(true);
    throw fromKafka(thrown, `joining ${consumption.group}`);
  }
  void watch();

  return {
    assigned: () =>
      [...workers.keys()].sort((a, b) => a - b).map((partition) => ({ topic: topic.logical, partition })),
    idleMs: () => clock.monotonic() - lastAlive,
    ended,
    async close() {
      await close(false);
      settleEnded(null);
    },
  };
}

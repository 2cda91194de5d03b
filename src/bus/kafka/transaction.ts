/**
 * One transactional producer per input partition (reliability.md, recipe). There is no retry inside a transaction
 * except where the broker says "not yet": after any other error the producer is thrown away and the outcome is learnt
 * from the committed offset (K5; Jepsen's finding on late commits).
 */
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { isFenced, isNotYet } from './errors.ts';
import type { ProducerIdentity } from './internals.ts';
import { createSequencedSender, type PlacedRecord, rounds, type SequencedSender } from './produce.ts';
import type { Session } from './session.ts';

/** Above the request timeout, so that no request outlives its transaction. */
const TRANSACTION_TIMEOUT_MS = 20_000;
/** A predecessor's open transaction is aborted by the broker within this. */
const INIT_PATIENCE_MS = 45_000;
/** Markers of the last transaction are written in a few milliseconds; kafkajs' 300 ms would make 3 transactions a second. */
const NOT_YET_PAUSE_MS = 2;
const NOT_YET_LIMIT_MS = 10_000;
const ABORT_LIMIT_MS = 2_000;

/** Moments inside a slice, in order. Fault tests strike at them; nothing else looks. */
export const PROBES = ['initialised', 'restored', 'processed', 'sent', 'before-commit', 'committed'] as const;
export type Probe = (typeof PROBES)[number];

export interface Slice {
  readonly records: readonly PlacedRecord[];
  readonly group: string;
  /** Physical name. */
  readonly topic: string;
  readonly partition: number;
  /** The next offset to be worked on once this is committed. */
  readonly upto: bigint;
  /** Asked at the last moment: whether this partition is still ours. */
  stillOurs(): boolean;
}

export interface TransactionalProducer {
  /** Commits outputs and offset as one. After any error the producer is of no more use. */
  commit(slice: Slice): Promise<void>;
}

/**
 * Takes the transactional id over: from here on every older producer of that id is fenced, and what it had open is
 * aborted (its offsets with it) before this resolves.
 */
export async function openTransactional(
  session: Session,
  transactionalId: string,
  deps: { readonly clock: Clock; readonly probe: (point: Probe) => void },
): Promise<TransactionalProducer> {
  const identity: ProducerIdentity = await session.persist(
    `taking over ${transactionalId}`,
    INIT_PATIENCE_MS,
    async () => {
      const broker = await session.transactionCoordinator(transactionalId);
      return broker.initProducerId({ transactionalId, transactionTimeout: TRANSACTION_TIMEOUT_MS });
    },
  );
  deps.probe('initialised');
  const sender = createSequencedSender(session, { ...identity, transactionalId });
  const { clock, probe } = deps;
  const context: Context = { session, transactionalId, identity, sender, clock, probe };
  return { commit: (slice) => runTransaction(context, slice) };
}

interface Context {
  readonly session: Session;
  readonly transactionalId: string;
  readonly identity: ProducerIdentity;
  readonly sender: SequencedSender;
  readonly clock: Clock;
  readonly probe: (point: Probe) => void;
}

/** Asks again while the coordinator is busy with this id's last transaction. */
async function whenReady(context: Context, ask: () => Promise<unknown>): Promise<void> {
  const giveUpAt = context.clock.monotonic() + NOT_YET_LIMIT_MS;
  for (;;) {
    try {
      await ask();
      return;
    } catch (thrown) {
      if (!isNotYet(thrown) || context.clock.monotonic() > giveUpAt) throw thrown;
      await context.clock.sleep(NOT_YET_PAUSE_MS);
    }
  }
}

/** Waits for all, then throws the first error: nothing may be under way when a transaction is ended. */
async function all(parts: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(parts)).find((part) => part.status === 'rejected');
  if (failed) throw failed.reason;
}

async function runTransaction(context: Context, slice: Slice): Promise<void> {
  const { session, transactionalId, identity, sender } = context;
  const coordinator = await session.transactionCoordinator(transactionalId);
  const groupCoordinator = await session.groupCoordinator(slice.group);
  const end = (commit: boolean): Promise<unknown> =>
    coordinator.endTxn({ ...identity, transactionalId, transactionResult: commit });
  try {
    const parts = new Map<string, Set<number>>();
    for (const { topic, partition } of slice.records)
      parts.set(topic, (parts.get(topic) ?? new Set()).add(partition));
    const topics = [...parts].map(([topic, partitions]) => ({ topic, partitions: [...partitions] }));
    // The broker takes a connection's requests one by one, so these do not race each other there.
    await all([
      ...(topics.length === 0
        ? []
        : [
            whenReady(context, () =>
              coordinator.addPartitionsToTxn({ ...identity, transactionalId, topics }),
            ),
          ]),
      whenReady(context, () =>
        coordinator.addOffsetsToTxn({ ...identity, transactionalId, groupId: slice.group }),
      ),
    ]);
    await all([
      (async () => {
        for (const round of rounds(slice.records)) await sender.send(round);
        context.probe('sent');
      })(),
      whenReady(context, () =>
        groupCoordinator.txnOffsetCommit({
          ...identity,
          transactionalId,
          groupId: slice.group,
          topics: [
            {
              topic: slice.topic,
              partitions: [{ partition: slice.partition, offset: slice.upto.toString(), metadata: null }],
            },
          ],
        }),
      ),
    ]);
    context.probe('before-commit');
    if (!slice.stillOurs())
      throw new TocsinError('BUS_FENCED', `partition ${slice.partition} of ${slice.topic} is no longer ours`);
    await end(true);
    context.probe('committed');
  } catch (thrown) {
    if (!isFenced(thrown))
      await Promise.race([end(false).catch(() => {}), context.clock.sleep(ABORT_LIMIT_MS)]);
    throw thrown;
  }
}

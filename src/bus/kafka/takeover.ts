/** Taking a partition over: fence the predecessor, restore what it remembered, find the offset. */
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Codec } from '../codec.ts';
import type { Consumption, PartitionTask, RestoredState } from '../port.ts';
import { SliceBuffer } from './buffer.ts';
import { EARLIEST, listOffsets } from './fetch.ts';
import type { Names } from './names.ts';
import type { Sender } from './sender.ts';
import type { Session } from './session.ts';
import { restoreState } from './state.ts';
import { openTransactional, type Probe, type TransactionalProducer } from './transaction.ts';

const OFFSET_PATIENCE_MS = 30_000;
const AGREE_PATIENCE_MS = 10_000;
const AGREE_PAUSE_MS = 100;

/** What working on a partition needs. */
export interface SliceDeps {
  /** For commits and offsets. */
  readonly session: Session;
  /** For state: its reads must not queue behind long polls. */
  readonly reader: () => Promise<Session>;
  readonly sender: Sender;
  readonly names: Names;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly log: Log;
  readonly consumption: Consumption;
  readonly probe: (point: Probe) => void;
}

/** What exists between taking a partition over and the next error. */
export interface Held {
  readonly task: PartitionTask;
  /** Null when working at least once. */
  readonly producer: TransactionalProducer | null;
  readonly buffer: SliceBuffer;
  /** As committed. */
  upto: bigint;
}

/** The offset that the group has committed for a partition; null when it has none. */
export function committedOffset(deps: SliceDeps, partition: number): Promise<bigint | null> {
  const group = deps.names.group(deps.consumption.group);
  const topic = deps.names.topic(deps.consumption.topic);
  return deps.session.persist(`asking for the offset of ${group}`, OFFSET_PATIENCE_MS, async () => {
    const coordinator = await deps.session.groupCoordinator(group);
    const { responses } = await coordinator.offsetFetch({
      groupId: group,
      topics: [{ topic, partitions: [{ partition }] }],
    });
    const offset = BigInt(responses[0]?.partitions[0]?.offset ?? -1);
    return offset < 0n ? null : offset;
  });
}

function firstOffset(deps: SliceDeps, partition: number): Promise<bigint> {
  const topic = deps.names.topic(deps.consumption.topic);
  return deps.session.persist(`asking where ${topic} begins`, OFFSET_PATIENCE_MS, async () => {
    const low = await listOffsets(deps.session, topic, [partition], EARLIEST);
    return low.get(partition) ?? 0n;
  });
}

/**
 * State and offset of a partition. They were committed together, so they say the same, and they never say less than what
 * this process saw committed. A difference is looked at again for a while (kafkajs' OffsetFetch cannot ask for a stable
 * offset, K4); if it stays, a transaction was torn (KAFKA-20734 in brokers 4.3 and 4.4.0) or somebody has moved the group.
 */
async function agreed(
  deps: SliceDeps,
  partition: number,
  atLeast: bigint,
): Promise<{ readonly state: RestoredState | null; readonly committed: bigint | null }> {
  const { group: service, topic, mode } = deps.consumption;
  const giveUpAt = deps.clock.monotonic() + AGREE_PATIENCE_MS;
  for (;;) {
    const state =
      mode === 'exactly-once'
        ? await restoreState(await deps.reader(), deps, { service, topic, partition })
        : null;
    const committed = await committedOffset(deps, partition);
    const agree = !state || state.upto === committed;
    if (agree && (committed ?? 0n) >= atLeast) return { state, committed };
    // Kafka forgets the offsets of a group that was away for a week; the state has it still.
    const expired = committed === null && state !== null && state.upto >= atLeast;
    if (expired && deps.clock.monotonic() > giveUpAt) return { state, committed: state.upto };
    if (deps.clock.monotonic() > giveUpAt)
      throw new TocsinError(
        'BUS_STATE_MISMATCH',
        `${service} ${topic}/${partition}: state stands at ${state?.upto}, the committed offset at ${committed}, and ${atLeast} was committed`,
      );
    await deps.clock.sleep(AGREE_PAUSE_MS);
  }
}

/**
 * In this order, because only after the fence is every older transaction, and with it the offset, decided (K3).
 * @param atLeast what this process saw committed of the partition before; 0 at first.
 * Throws BUS_STATE_MISMATCH when state and offset do not belong together.
 */
export async function takeOver(deps: SliceDeps, partition: number, atLeast: bigint): Promise<Held> {
  const { group: service, topic, mode } = deps.consumption;
  const producer =
    mode === 'exactly-once'
      ? await openTransactional(deps.session, deps.names.transactionalId(service, topic, partition), deps)
      : null;
  const { state, committed } = await agreed(deps, partition, atLeast);
  const upto = committed ?? (await firstOffset(deps, partition));
  deps.probe('restored');
  const task = await deps.consumption.open(
    { topic, partition },
    { upto, entries: state?.entries ?? new Map<string, Uint8Array>() },
  );
  const buffer = new SliceBuffer(upto, { clock: deps.clock, ...deps.consumption });
  return { task, producer, buffer, upto };
}

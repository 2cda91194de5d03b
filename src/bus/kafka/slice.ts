/** One slice: let the task work on it, then commit outputs, state and offset as one (or, at least once, in that order). */
import { TocsinError } from '../../base/errors.ts';
import { checkOutgoing } from '../outgoing.ts';
import type { OutgoingRecord } from '../port.ts';
import type { CutSlice } from './buffer.ts';
import type { Generation } from './group.ts';
import { place } from './produce.ts';
import { stateRecords } from './state.ts';
import type { Held, SliceDeps } from './takeover.ts';

/** What a slice wants to happen. */
export interface SliceOutput {
  readonly sends: readonly OutgoingRecord[];
  /** The last value of an entry counts; null forgets it. */
  readonly changes: ReadonlyMap<string, Uint8Array | null>;
}

export async function processSlice(
  deps: SliceDeps,
  held: Held,
  slice: CutSlice,
  signal: AbortSignal,
): Promise<SliceOutput> {
  const sends: OutgoingRecord[] = [];
  const changes = new Map<string, Uint8Array | null>();
  if (slice.records.length === 0) return { sends, changes };
  await held.task.process(
    slice.records,
    {
      send(record) {
        checkOutgoing(record);
        sends.push(record);
      },
      putState(entry, value) {
        if (!held.producer)
          throw new TocsinError(
            'BAD_USAGE',
            `${deps.consumption.group} works at least once and keeps no state`,
          );
        changes.set(entry, value);
      },
    },
    signal,
  );
  deps.probe('processed');
  return { sends, changes };
}

/** @param stillOurs asked at the last moment before the commit. */
export async function commitSlice(
  deps: SliceDeps,
  held: Held,
  partition: number,
  slice: CutSlice,
  output: SliceOutput,
  generation: Generation,
  stillOurs: () => boolean,
): Promise<void> {
  const { names, session, consumption } = deps;
  const group = names.group(consumption.group);
  const topic = names.topic(consumption.topic);
  if (!stillOurs())
    throw new TocsinError('BUS_FENCED', `${consumption.topic}/${partition} is no longer ours`);
  if (!held.producer) {
    await deps.sender.send(output.sends);
    deps.probe('before-commit');
    const coordinator = await session.groupCoordinator(group);
    await coordinator.offsetCommit({
      groupId: group,
      groupGenerationId: generation.generationId,
      memberId: generation.memberId,
      topics: [{ topic, partitions: [{ partition, offset: slice.upto.toString(), metadata: null }] }],
    });
    deps.probe('committed');
  } else {
    const records = await place(session, names, deps.clock, output.sends);
    const where = { service: consumption.group, topic: consumption.topic, partition };
    // In every slice, also where nothing is to be remembered: the offset beside the state is a second witness.
    records.push(...stateRecords(deps, where, output.changes, slice.upto));
    await held.producer.commit({ records, group, topic, partition, upto: slice.upto, stillOurs });
  }
  held.upto = slice.upto;
  held.task.committed?.();
}

/**
 * The fence of a partition: the highest sequence of desired states that it was served with. It lies in the partition's state and
 * moves in the slice's transaction, so a worker that missed a promotion cannot score below it, whoever had the partition before.
 */
import { TocsinError } from '../base/errors.ts';
import type { Transaction } from '../bus/port.ts';

export const FENCE_ENTRY = 'models';

export interface Fence {
  /** Moves the fence up to the sequence of a slice. Throws MODELS_BEHIND for a lower one. */
  pass(sequence: number, transaction: Transaction): void;
}

/** The fence in a partition's state; 0 where none was ever written. Throws BUS_STATE_MISMATCH for a torn one. */
export function fenceOf(entries: ReadonlyMap<string, Uint8Array>): number {
  const bytes = entries.get(FENCE_ENTRY);
  if (!bytes) return 0;
  if (bytes.length !== 8)
    throw new TocsinError('BUS_STATE_MISMATCH', `the state entry ${FENCE_ENTRY} is torn`);
  return Number(Buffer.from(bytes).readBigUInt64BE());
}

export function createFence(entries: ReadonlyMap<string, Uint8Array>): Fence {
  let fence = fenceOf(entries);
  return {
    pass(sequence, transaction) {
      if (sequence < fence)
        throw new TocsinError(
          'MODELS_BEHIND',
          `Scoring with desired state ${sequence}: the partition was served with ${fence}.`,
        );
      if (sequence === fence) return;
      fence = sequence;
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64BE(BigInt(sequence));
      transaction.putState(FENCE_ENTRY, bytes);
    },
  };
}

/**
 * Plain idempotent produce: durable when it resolves, in order, not doubled by retries. Calls that come while a request
 * is under way go out together in the next one.
 */
import type { Clock } from '../../base/clock.ts';
import { checkOutgoing } from '../outgoing.ts';
import type { OutgoingRecord } from '../port.ts';
import { fromKafka, isTransient } from './errors.ts';
import type { Names } from './names.ts';
import { createSequencedSender, type PlacedRecord, place, rounds, type SequencedSender } from './produce.ts';
import type { Session } from './session.ts';

/** A broker that is restarted is back within this time. */
const PATIENCE_MS = 60_000;
/** Unused without a transactional id, yet a field of the request. */
const NO_TRANSACTION_MS = 20_000;
/** What one request carries at most; more waits for the next one. */
const REQUEST_RECORDS = 2_000;

interface Waiting {
  readonly records: readonly PlacedRecord[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface Sender {
  /** Throws BAD_RECORD, UNKNOWN_TOPIC (then nothing of the call is kept) or BUS_UNREACHABLE. */
  send(records: readonly OutgoingRecord[]): Promise<void>;
}

export function createSender(deps: {
  readonly session: Session;
  readonly names: Names;
  readonly clock: Clock;
}): Sender {
  const { session, names, clock } = deps;
  let sender: SequencedSender | null = null;
  const queue: Waiting[] = [];
  let running = false;

  const sequenced = async (): Promise<SequencedSender> => {
    if (sender) return sender;
    const broker = await session.controller();
    sender = createSequencedSender(
      session,
      await broker.initProducerId({ transactionTimeout: NO_TRANSACTION_MS }),
    );
    return sender;
  };

  const deliver = async (records: readonly PlacedRecord[]): Promise<void> => {
    const giveUpAt = clock.monotonic() + PATIENCE_MS;
    for (const round of rounds(records))
      await session.persist('producing', Math.max(0, giveUpAt - clock.monotonic()), async () =>
        (await sequenced()).send(round),
      );
  };

  const drain = async (): Promise<void> => {
    running = true;
    while (queue.length > 0) {
      const batch: Waiting[] = [];
      let count = 0;
      while (queue[0] && (batch.length === 0 || count + queue[0].records.length <= REQUEST_RECORDS)) {
        const next = queue.shift() as Waiting;
        batch.push(next);
        count += next.records.length;
      }
      try {
        await deliver(batch.flatMap((waiting) => waiting.records));
        for (const waiting of batch) waiting.resolve();
      } catch (thrown) {
        // How far the broker got is not known: the sequence is over, the next call begins another.
        sender = null;
        for (const waiting of batch) waiting.reject(fromKafka(thrown, 'producing'));
      }
    }
    running = false;
  };

  return {
    async send(records) {
      if (records.length === 0) return;
      for (const record of records) checkOutgoing(record);
      let placed: readonly PlacedRecord[];
      try {
        placed = await place(session, names, clock, records);
      } catch (thrown) {
        if (!isTransient(thrown)) throw fromKafka(thrown, 'producing');
        placed = await session.persist('producing', PATIENCE_MS, () => place(session, names, clock, records));
      }
      await new Promise<void>((resolve, reject) => {
        queue.push({ records: placed, resolve, reject });
        if (!running) void drain();
      });
    },
  };
}

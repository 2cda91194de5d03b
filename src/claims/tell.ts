/** What a slice says, as messages of its transaction. */
import type { Codec } from '../bus/codec.ts';
import { type Lineage, message } from '../bus/messages.ts';
import type { Transaction } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import type { AnyRecord } from '../event/records.ts';
import type { SliceResult } from './journal.ts';

/** Group and service name. */
export const CLAIMS_SERVICE = 'claims';

/**
 * Puts everything that the slice says into its transaction.
 * @param at time of the slice's newest input
 */
export function tell(codec: Codec, result: SliceResult, at: number, transaction: Transaction): void {
  const send = (
    topic: string,
    record: AnyRecord,
    key: string,
    id: string,
    time: number,
    lineage: Lineage,
  ): void =>
    transaction.send(message(codec, topic, record, { key, id, source: CLAIMS_SERVICE, time, lineage }));
  for (const { record, lineage } of result.claims)
    send(
      TOPICS.claims,
      record,
      record.claimId,
      `${record.claimId}/${record.revision}`,
      record.lastSeen,
      lineage,
    );
  for (const { record, lineage } of result.feedback)
    send(TOPICS.feedback, record, record.collection, record.rulingId, record.at, lineage);
  for (const { record, lineage } of result.alerts)
    send(TOPICS.alerts, record, record.collection, `${record.id}/${record.state}`, record.at, lineage);
  for (const { record, lineage } of result.rumours)
    send(TOPICS.rumors, record, record.postId, `${record.postId}/${record.revision}`, at, lineage);
  for (const { record, lineage } of result.requests)
    send(TOPICS.scoring, record, record.requestId, `${record.requestId}/${record.askedAt}`, at, lineage);
  for (const [entry, value] of result.state) transaction.putState(entry, value);
}

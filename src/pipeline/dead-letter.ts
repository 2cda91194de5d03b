/** Dead letters: inputs that cannot be worked on, kept with their reason. */
import { type Codec, claimedFingerprint } from '../bus/codec.ts';
import { lineageOf, message } from '../bus/messages.ts';
import type { OutgoingRecord, ReceivedRecord } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import type { DeadLetter } from '../event/records.ts';
import type { Metrics } from '../metrics/metrics.ts';

/** The closed list of reasons. */
export const DEAD_LETTER_REASONS = [
  'bad_avro',
  'unknown_schema',
  'unexpected_record',
  'null_value',
  'null_key',
  'key_mismatch',
  'wrong_partition',
  'bad_mac',
  'bad_field',
  'too_large',
  'kills_worker',
  'refused_state',
] as const;
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];

/** Bytes kept of a dead value. */
export const MAX_DEAD_BYTES: number = 1_000_000;

/** Shows a service's dead letters as 0 before the first one. */
export function startDeadLetterCounts(metrics: Metrics, service: string): void {
  for (const reason of DEAD_LETTER_REASONS) metrics.count('tocsin_dlq_events_total', { service, reason }, 0);
}

/** The message that tells of a dead input. Its key is the input's, or the input's place where it has none. */
export function deadLetterMessage(
  codec: Codec,
  service: string,
  record: ReceivedRecord,
  reason: DeadLetterReason,
  detail: string,
): OutgoingRecord {
  const place = `${record.topic}/${record.partition}/${record.offset}`;
  return message(codec, TOPICS.dlq, deadLetter(service, record, reason, detail), {
    key: record.key || place,
    id: `${service}/${place}`,
    source: service,
    time: record.timestamp,
    lineage: lineageOf(record.headers),
  });
}

function deadLetter(
  service: string,
  record: ReceivedRecord,
  reason: DeadLetterReason,
  detail: string,
): DeadLetter {
  const bytes = record.value ?? new Uint8Array();
  return {
    kind: 'DeadLetter',
    reason,
    detail: detail.slice(0, 1_000),
    service,
    topic: record.topic,
    partition: record.partition,
    offset: Number(record.offset),
    schemaFingerprint: record.value && claimedFingerprint(record.value),
    bytes: bytes.length > MAX_DEAD_BYTES ? bytes.subarray(0, MAX_DEAD_BYTES) : bytes,
    truncated: bytes.length > MAX_DEAD_BYTES,
    traceparent: record.headers['traceparent'] ?? null,
  };
}

/** Dead letters: inputs that cannot be worked on, kept with their reason. */

import type { ReceivedRecord } from '../bus/port.ts';
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
] as const;
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];

/** Bytes kept of a dead value. */
export const MAX_DEAD_BYTES: number = 1_000_000;

/** Shows a service's dead letters as 0 before the first one. */
export function startDeadLetterCounts(metrics: Metrics, service: string): void {
  for (const reason of DEAD_LETTER_REASONS) metrics.count('tocsin_dlq_events_total', { service, reason }, 0);
}

/** The record that tells of a dead input. */
export function deadLetter(
  service: string,
  record: ReceivedRecord,
  reason: DeadLetterReason,
  detail: string,
  schemaFingerprint: string | null = null,
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
    schemaFingerprint,
    bytes: bytes.length > MAX_DEAD_BYTES ? bytes.subarray(0, MAX_DEAD_BYTES) : bytes,
    truncated: bytes.length > MAX_DEAD_BYTES,
    traceparent: record.headers['traceparent'] ?? null,
  };
}

/** Records as messages: CloudEvents in Kafka's binary mode, and the trace that a record belongs to. */
import { createHash } from 'node:crypto';
import type { AnyRecord } from '../event/records.ts';
import type { Codec } from './codec.ts';
import type { Headers, OutgoingRecord } from './port.ts';

/** What a derived record inherits from the one that caused it. */
export interface Lineage {
  readonly traceparent: string | null;
  /** Set on everything that stems from a replay. */
  readonly replayId: string | null;
}

export const NO_LINEAGE: Lineage = { traceparent: null, replayId: null };

export function lineageOf(headers: Headers): Lineage {
  return { traceparent: headers['traceparent'] ?? null, replayId: headers['replay-id'] ?? null };
}

/** A W3C trace parent that follows from an id, so that a run can be repeated byte for byte. */
export function traceparentFor(id: string): string {
  const hash = createHash('sha256').update(id).digest('hex');
  return `00-${hash.slice(0, 32)}-${hash.slice(32, 48)}-01`;
}

export interface MessageOptions {
  readonly key: string;
  /** CloudEvents id: unique per source. */
  readonly id: string;
  /** The service that writes it. */
  readonly source: string;
  /** Event time in ms. */
  readonly time: number;
  readonly lineage: Lineage;
  readonly partition?: number;
}

/** Encodes a record and dresses it with its headers. */
export function message(
  codec: Codec,
  topic: string,
  record: AnyRecord,
  options: MessageOptions,
): OutgoingRecord {
  const headers: Record<string, string> = {
    'content-type': 'application/avro',
    ce_specversion: '1.0',
    ce_id: options.id,
    ce_source: `tocsin/${options.source}`,
    ce_type: `tocsin.${record.kind}.v1`,
    ce_time: new Date(options.time).toISOString(),
    ce_subject: options.key,
    ce_dataschema: codec.fingerprint(record.kind),
  };
  if (options.lineage.traceparent) headers['traceparent'] = options.lineage.traceparent;
  if (options.lineage.replayId) headers['replay-id'] = options.lineage.replayId;
  return {
    topic,
    key: options.key,
    value: codec.encode(record),
    headers,
    ...(options.partition === undefined ? {} : { partition: options.partition }),
  };
}

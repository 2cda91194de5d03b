/** Reads what workers ask of each other: a good request, or why it is dead and what could be made out of it. */
import { TocsinError } from '../base/errors.ts';
import { partitionOf } from '../base/murmur2.ts';
import type { Codec } from '../bus/codec.ts';
import type { ReceivedRecord } from '../bus/port.ts';
import type { MediaRequest, ScoreRequest } from '../event/records.ts';
import type { DeadLetterReason } from './dead-letter.ts';

type AnyRequest = MediaRequest | ScoreRequest;

/** Why a request cannot be worked on. */
export interface Dead {
  readonly reason: DeadLetterReason;
  readonly detail: string;
}

/** A request as read. One that can be read is given even where it is dead: somebody may wait for its answer. */
export type ReadRequest<R extends AnyRequest> =
  | { readonly request: R; readonly dead: null }
  | { readonly request: R | null; readonly dead: Dead };

/** What a worker expects of its requests. */
export interface Expected<R extends AnyRequest> {
  readonly kind: R['kind'];
  /** The key that such a request must have. */
  keyOf(request: R): string;
  /** The name of a field that nobody could work with; null for a sound request. */
  badField(request: R): string | null;
}

/** @param partitions of the request's topic */
export function readRequest<R extends AnyRequest>(
  codec: Codec,
  expected: Expected<R>,
  record: ReceivedRecord,
  partitions: number,
): ReadRequest<R> {
  if (record.value === null) return { request: null, dead: { reason: 'null_value', detail: '' } };
  let request: R;
  try {
    const decoded = codec.decode(record.value);
    if (decoded.kind !== expected.kind)
      return { request: null, dead: { reason: 'unexpected_record', detail: decoded.kind } };
    request = decoded as R;
  } catch (error) {
    if (!(error instanceof TocsinError)) throw error;
    const reason = error.code === 'UNKNOWN_SCHEMA' ? 'unknown_schema' : 'bad_avro';
    return { request: null, dead: { reason, detail: error.message } };
  }
  const dead = faultOf(expected, request, record, partitions);
  return dead ? { request, dead } : { request, dead: null };
}

function faultOf<R extends AnyRequest>(
  { keyOf, badField }: Expected<R>,
  request: R,
  { key, partition }: ReceivedRecord,
  partitions: number,
): Dead | null {
  const wanted = keyOf(request);
  if (key === null || key === '') return { reason: 'null_key', detail: wanted };
  if (key !== wanted) return { reason: 'key_mismatch', detail: wanted };
  const home = partitionOf(key, partitions);
  if (home !== partition) return { reason: 'wrong_partition', detail: String(home) };
  const field = badField(request);
  return field === null ? null : { reason: 'bad_field', detail: field };
}

/** Stage: bytes of crisis.events.v1 → checked events. What it refuses gets its reason; what it passes is trusted. */

import { TocsinError } from '../base/errors.ts';
import { partitionOf } from '../base/murmur2.ts';
import { type Codec, claimedFingerprint } from '../bus/codec.ts';
import { type Lineage, traceparentFor } from '../bus/messages.ts';
import type { ReceivedRecord } from '../bus/port.ts';
import type { AnyRecord, Media, MediaEvent, PictureEvent, PostEvent } from '../event/records.ts';
import type { Decoded } from '../pipeline/post.ts';
import { failed, type Outcome, passed, type Stage } from '../pipeline/stage.ts';

/** Bytes of a value that are worked on: a text of 1 MB with all that goes with it, just under what Kafka takes by default. */
export const MAX_EVENT_BYTES: number = 1_040_000;
/** Characters of an id. */
export const MAX_ID_CHARS: number = 256;
/** Pictures of one event. */
export const MAX_MEDIA: number = 64;

const MAX_NAME_CHARS = 128;
const MAX_REF_CHARS = 4_096;
/** 2000-01-01 and 2100-01-01: outside lie clocks gone wrong and units mixed up. */
const EARLIEST_MS = 946_684_800_000;
const LATEST_MS = 4_102_444_800_000;
const AUTHOR_HASH = /^[0-9a-f]{32}$/;
const MEDIA_SET_HASH = /^[0-9a-f]{32}$/;
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

type Event = PostEvent | PictureEvent | MediaEvent;

/** @param partitions how many crisis.events.v1 has: a key found elsewhere than murmur2 puts it is refused */
export function createDecodeStage(codec: Codec, partitions: number): Stage<ReceivedRecord, Decoded> {
  return {
    name: 'decode',
    process: async (batch) => batch.map((record) => decodeRecord(codec, partitions, record)),
  };
}

function decodeRecord(codec: Codec, partitions: number, record: ReceivedRecord): Outcome<Decoded> {
  const { value, key } = record;
  if (value === null) return failed('null_value', 'a tombstone has no place here');
  if (value.length > MAX_EVENT_BYTES)
    return failed('too_large', `${value.length} bytes; at most ${MAX_EVENT_BYTES} are read`);
  let event: AnyRecord;
  try {
    event = codec.decode(value);
  } catch (thrown) {
    if (thrown instanceof TocsinError && thrown.code === 'UNKNOWN_SCHEMA')
      return failed('unknown_schema', `fingerprint ${claimedFingerprint(value)}`);
    if (thrown instanceof TocsinError && thrown.code === 'BAD_RECORD')
      return failed('bad_avro', thrown.message);
    throw thrown;
  }
  if (event.kind !== 'PostEvent' && event.kind !== 'PictureEvent' && event.kind !== 'MediaEvent')
    return failed('unexpected_record', `a ${event.kind}`);
  const id = event.kind === 'PostEvent' ? event.id : event.postId;
  if (key === null) return failed('null_key', 'no key; expected the post id');
  const problem = problemOf(event);
  if (problem !== null) return failed('bad_field', problem);
  if (key !== id) return failed('key_mismatch', `key ${key.slice(0, MAX_ID_CHARS)}, post id ${id}`);
  const expected = partitionOf(key, partitions);
  if (expected !== record.partition)
    return failed('wrong_partition', `partition ${record.partition}, its key belongs to ${expected}`);
  return passed({ record, event, lineage: lineageFor(record, id) });
}

/** The trace that the source began, or one that follows from the post id. */
function lineageFor(record: ReceivedRecord, id: string): Lineage {
  const given = record.headers['traceparent'];
  const replayId = record.headers['replay-id'];
  return {
    traceparent: given !== undefined && TRACEPARENT.test(given) ? given : traceparentFor(id),
    replayId: replayId ? replayId.slice(0, MAX_ID_CHARS) : null,
  };
}

/** What is wrong with a well-formed event; null when nothing is. */
function problemOf(event: Event): string | null {
  switch (event.kind) {
    case 'PostEvent':
      return (
        idProblem('id', event.id) ??
        nameProblem('collection', event.collection) ??
        nameProblem('source', event.source) ??
        timeProblem('createdAt', event.createdAt) ??
        timeProblem('receivedAt', event.receivedAt) ??
        (event.authorHash === null || AUTHOR_HASH.test(event.authorHash)
          ? null
          : 'authorHash is not 32 hex digits') ??
        mediaProblem(event.media)
      );
    case 'PictureEvent':
      return (
        idProblem('id', event.id) ??
        idProblem('postId', event.postId) ??
        nameProblem('collection', event.collection) ??
        nameProblem('source', event.source) ??
        timeProblem('createdAt', event.createdAt) ??
        (event.media.length === 0 ? 'media is empty' : mediaProblem(event.media))
      );
    default:
      return (
        idProblem('postId', event.postId) ??
        (MEDIA_SET_HASH.test(event.mediaSetHash) ? null : 'mediaSetHash is not 32 hex digits')
      );
  }
}

function idProblem(field: string, id: string): string | null {
  if (id === '') return `${field} is empty`;
  return id.length > MAX_ID_CHARS ? `${field} has ${id.length} characters; at most ${MAX_ID_CHARS}` : null;
}

function nameProblem(field: string, name: string): string | null {
  if (name === '') return `${field} is empty`;
  return name.length > MAX_NAME_CHARS ? `${field} has ${name.length} characters` : null;
}

function timeProblem(field: string, time: number): string | null {
  return time >= EARLIEST_MS && time < LATEST_MS ? null : `${field} ${time} is not a time of this century`;
}

function mediaProblem(media: readonly Media[]): string | null {
  if (media.length === 0) return null;
  if (media.length > MAX_MEDIA) return `${media.length} pictures; at most ${MAX_MEDIA}`;
  for (const { id, ref } of media) {
    const problem = idProblem('media id', id);
    if (problem !== null) return problem;
    if (ref === '' || ref.length > MAX_REF_CHARS)
      return `the reference of picture ${id} has ${ref.length} characters`;
  }
  return new Set(media.map((item) => item.id)).size === media.length ? null : 'two pictures share one id';
}

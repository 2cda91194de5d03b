/** Checks a record of crisis.evidence.v1: what comes out is fit for the index, all else has its dead-letter reason. */
import { asTocsinError } from '../base/errors.ts';
import { partitionOf } from '../base/murmur2.ts';
import { type Codec, MAX_VALUE_BYTES } from '../bus/codec.ts';
import type { ReceivedRecord } from '../bus/port.ts';
import type { AnyRecord, Evidence, Ruling, Score } from '../event/records.ts';
import { failed, type Outcome, passed } from '../pipeline/stage.ts';
import { isHash64 } from './near.ts';

const MAX_ID = 512;
const MAX_PICTURES = 64;
/** As ECMAScript's Date: what lies beyond cannot be written as a time. */
const MAX_TIME = 8_640_000_000_000_000;
const HASH32 = /^[0-9a-f]{32}$/;

const VALUES: Readonly<Record<Ruling['task'], readonly Ruling['ruling'][]>> = {
  rumour: ['true', 'false', 'unclear'],
  informative: ['informative', 'not_informative'],
};

const isId = (id: string): boolean => id.length > 0 && id.length <= MAX_ID;
const isTime = (time: number): boolean => Number.isFinite(time) && Math.abs(time) <= MAX_TIME;

/** The first thing wrong with an evidence record; null when it is sound. */
function wrongEvidence(evidence: Evidence): string | null {
  const { postId, createdAt, simhash, perceptualHashes, storeKeys, authorHash } = evidence;
  if (!isId(postId)) return 'postId is empty or too long';
  if (!isTime(createdAt)) return 'createdAt is no time';
  if (simhash !== '' && !isHash64(simhash)) return 'simhash is not 16 hex digits';
  if (perceptualHashes.length > MAX_PICTURES || storeKeys.length > MAX_PICTURES) return 'too many pictures';
  if (!perceptualHashes.every(({ hash, flipped }) => isHash64(hash) && isHash64(flipped)))
    return 'a perceptual hash is not 16 hex digits';
  if (authorHash !== null && !HASH32.test(authorHash)) return 'authorHash is not 32 hex digits';
  return null;
}

function wrongRuling(ruling: Ruling): string | null {
  if (!isId(ruling.id)) return 'id is empty or too long';
  if (!isTime(ruling.at)) return 'at is no time';
  if (ruling.undoes !== null && !isId(ruling.undoes)) return 'undoes is empty or too long';
  const targets = [ruling.postId, ruling.claimId].filter((id) => id !== null);
  if (ruling.undoes === null && targets.length === 0) return 'neither postId nor claimId';
  if (!targets.every(isId)) return 'postId or claimId is empty or too long';
  if (!VALUES[ruling.task].includes(ruling.ruling)) return `${ruling.ruling} is no answer to ${ruling.task}`;
  return null;
}

const isProbability = (p: number | null): boolean => p === null || (p >= 0 && p <= 1);

function wrongScore(score: Score): string | null {
  if (!HASH32.test(score.requestId)) return 'requestId is not 32 hex digits';
  const { text, image } = score.byModality;
  if (![score.probability, text, image, score.yes, score.no].every(isProbability))
    return 'a probability is not between 0 and 1';
  if (score.no > score.yes) return 'the thresholds cross';
  return null;
}

/** What the claim index takes in. */
export type ClaimInput = Evidence | Ruling | Score;

function wrongInput(input: ClaimInput): string | null {
  switch (input.kind) {
    case 'Evidence':
      return wrongEvidence(input);
    case 'Ruling':
      return wrongRuling(input);
    case 'Score':
      return wrongScore(input);
  }
}

/** @param partitions of crisis.evidence.v1 */
export function decodeEvidence(
  codec: Codec,
  record: ReceivedRecord,
  partitions: number,
): Outcome<ClaimInput> {
  const { key, value } = record;
  if (value === null) return failed('null_value', 'a record without a value');
  if (key === null || key === '') return failed('null_key', 'a record without a key');
  if (value.length > MAX_VALUE_BYTES) return failed('too_large', `${value.length} bytes`);
  const expected = partitionOf(key, partitions);
  if (expected !== record.partition)
    return failed('wrong_partition', `the key belongs into partition ${expected}`);
  let decoded: AnyRecord;
  try {
    decoded = codec.decode(value);
  } catch (thrown) {
    const error = asTocsinError(thrown, 'decode evidence');
    return failed(error.code === 'UNKNOWN_SCHEMA' ? 'unknown_schema' : 'bad_avro', error.message);
  }
  if (decoded.kind !== 'Evidence' && decoded.kind !== 'Ruling' && decoded.kind !== 'Score')
    return failed('unexpected_record', `a ${decoded.kind} among the evidence`);
  if (decoded.collection !== key) return failed('key_mismatch', 'the key is not the collection');
  const wrong = wrongInput(decoded);
  return wrong === null ? passed(decoded) : failed('bad_field', wrong);
}

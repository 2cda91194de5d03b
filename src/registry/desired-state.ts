/**
 * The signed desired state as workers take it (architecture §7): verified before anything in it is believed.
 * Signed are the bytes as they were written, with the signature (the last field, 64 bytes) left empty; so a reader of a later
 * schema verifies old messages, and nothing can be encoded in two ways.
 */
import { TocsinError } from '../base/errors.ts';
import { type Codec, expectKind } from '../bus/codec.ts';
import type { Bus, ReceivedRecord } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import type { DesiredState } from '../event/records.ts';
import { isSigned, type TrustedKeys } from './verify.ts';

const SIGNATURE_BYTES = 64;
/** Avro's length in front of the signature: 64 as a zigzag varint. */
const LENGTH = [0x80, 0x01];

/** The signed bytes of an encoded state: everything but the signature, whose length is said to be 0. Throws STATE_MALFORMED. */
export function signedPart(bytes: Uint8Array): Uint8Array {
  const end = bytes.length - SIGNATURE_BYTES - LENGTH.length;
  if (end < 0 || bytes[end] !== LENGTH[0] || bytes[end + 1] !== LENGTH[1])
    throw new TocsinError('STATE_MALFORMED', 'Reading a desired state: it does not end in a signature.');
  const message = new Uint8Array(end + 1);
  message.set(bytes.subarray(0, end));
  return message;
}

export interface StateContext {
  readonly environment: string;
  /** The sequence in force, 0 for the shipped models; the state must be above it. */
  readonly seenSequence: number;
  readonly now: number;
  /**
   * Whether the state would come into force now for the first time, as it does when it arrives while the reader listens.
   * Only then `notAfter` counts: a worker that starts later accepts its own champion.
   */
  readonly firstActivation: boolean;
}

/**
 * Decodes and verifies. Throws STATE_MALFORMED (no whole record), STATE_UNKNOWN_KEY, STATE_FORGED (signature or content do
 * not fit), STATE_FOREIGN (another environment), STATE_REPLAYED (not above what was seen), STATE_EXPIRED.
 */
export function verifyState(
  codec: Codec,
  bytes: Uint8Array,
  keys: TrustedKeys,
  context: StateContext,
): DesiredState {
  let state: DesiredState;
  try {
    state = expectKind(codec.decode(bytes), 'DesiredState');
  } catch (cause) {
    throw new TocsinError('STATE_MALFORMED', 'Reading a desired state: it cannot be decoded.', { cause });
  }
  const refuse = (code: RefusalCode, why: string): TocsinError =>
    new TocsinError(code, `Reading desired state ${state.sequence}: ${why}`);
  const message = signedPart(bytes);
  const key = keys.find(state.keyId);
  if (!key) throw refuse('STATE_UNKNOWN_KEY', `nobody vouched for key ${JSON.stringify(state.keyId)}.`);
  if (!isSigned(message, key, state.signature))
    throw refuse('STATE_FORGED', 'its signature does not fit its content.');
  if (state.environment !== context.environment)
    throw refuse(
      'STATE_FOREIGN',
      `it was signed for environment ${state.environment}, not ${context.environment}.`,
    );
  if (state.sequence <= context.seenSequence)
    throw refuse('STATE_REPLAYED', `sequence ${context.seenSequence} is in force.`);
  if (context.firstActivation && context.now > state.notAfter)
    throw refuse(
      'STATE_EXPIRED',
      `it could be activated until ${new Date(state.notAfter).toISOString()} only.`,
    );
  return state;
}

type RefusalCode =
  | 'STATE_FORGED'
  | 'STATE_REPLAYED'
  | 'STATE_EXPIRED'
  | 'STATE_FOREIGN'
  | 'STATE_UNKNOWN_KEY'
  | 'STATE_MALFORMED';

export interface DesiredReaderDeps {
  readonly bus: Bus;
  readonly codec: Codec;
  readonly keys: TrustedKeys;
  readonly environment: string;
  readonly now: () => number;
  /** Told of every message that was not believed; it changes nothing. */
  readonly refused: (error: TocsinError, record: ReceivedRecord) => void;
}

/** A valid state and the message that brought it. */
export interface Arrived {
  readonly state: DesiredState;
  readonly record: ReceivedRecord;
}

export interface Desired {
  /** Every valid state on the topic when it was read, in order; the last one holds. Empty: the shipped models serve. */
  readonly history: readonly DesiredState[];
  /** The newest of them. */
  readonly newest: DesiredState | null;
  /** Offset behind the last message that was read for `history`. */
  readonly end: bigint;
  /** Valid states as they arrive from then on, until the signal aborts. After an error it can be called again. */
  follow(signal: AbortSignal): AsyncIterable<Arrived>;
}

/** Reads crisis.models.v1 to its end. */
export async function readDesired(deps: DesiredReaderDeps): Promise<Desired> {
  const { bus, codec, keys, environment, now, refused } = deps;
  let seenSequence = 0;
  /** The topic has one partition. */
  let upto = 0n;
  const take = (record: ReceivedRecord, firstActivation: boolean): DesiredState | null => {
    upto = record.offset + 1n;
    try {
      const context = { environment, seenSequence, now: now(), firstActivation };
      const state = verifyState(codec, record.value ?? new Uint8Array(), keys, context);
      seenSequence = state.sequence;
      return state;
    } catch (thrown) {
      if (!(thrown instanceof TocsinError)) throw thrown;
      refused(thrown, record);
      return null;
    }
  };

  const history: DesiredState[] = [];
  for await (const batch of bus.read(TOPICS.models, { from: 'earliest', stopAtEnd: true }))
    for (const record of batch) {
      const state = take(record, false);
      if (state) history.push(state);
    }
  return {
    history,
    newest: history.at(-1) ?? null,
    end: upto,
    async *follow(signal) {
      // Kept for ever and short: read again from the start, so that nothing falls between the two reads.
      for await (const batch of bus.read(TOPICS.models, { from: 'earliest', signal }))
        for (const record of batch) {
          if (record.offset < upto) continue;
          const state = take(record, true);
          if (state) yield { state, record };
        }
    },
  };
}

/** Records on their way to the broker: where they belong, in which portions, under which sequence numbers. */
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { partitionOf } from '../../base/murmur2.ts';
import type { OutgoingRecord } from '../port.ts';
import type { ProducerIdentity, WireMessage, WirePartition } from './internals.ts';
import type { Names } from './names.ts';
import type { Session } from './session.ts';

/** A broker takes a batch of at most `max.message.bytes`; one record may be larger than this and goes alone. */
const BATCH_BYTES = 900_000;
/** A record's share of headers and framing in that. */
const RECORD_OVERHEAD = 256;
const ACK_TIMEOUT_MS = 10_000;
const MAX_SEQUENCE = 0x7fff_ffff;

/** A record with its physical topic and its partition; a null value is a tombstone. */
export interface PlacedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly message: WireMessage;
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function wireMessage(
  key: string,
  value: Uint8Array | null,
  headers: Readonly<Record<string, string>>,
  timestamp: number,
): WireMessage {
  return { key: Buffer.from(key), value: value === null ? null : asBuffer(value), headers, timestamp };
}

/** Finds the partition of each record. Throws UNKNOWN_TOPIC. */
export async function place(
  session: Session,
  names: Names,
  clock: Clock,
  records: readonly OutgoingRecord[],
): Promise<PlacedRecord[]> {
  const counts = new Map<string, number>();
  for (const { topic } of records)
    if (!counts.has(topic)) counts.set(topic, (await session.partitions(names.topic(topic))).length);
  const now = clock.now();
  return records.map((record) => {
    const partitions = counts.get(record.topic) as number;
    const partition = record.partition ?? partitionOf(record.key, partitions);
    if (!Number.isInteger(partition) || partition < 0 || partition >= partitions)
      throw new TocsinError('BAD_RECORD', `${record.topic} has no partition ${partition}`);
    return {
      topic: names.topic(record.topic),
      partition,
      message: wireMessage(record.key, record.value, record.headers, record.timestamp ?? now),
    };
  });
}

interface Portion {
  readonly topic: string;
  readonly partition: number;
  readonly messages: WireMessage[];
  bytes: number;
}

/** Cuts records into rounds: at most one batch per partition in each, in order. */
export function rounds(records: readonly PlacedRecord[]): Portion[][] {
  const perPartition = new Map<string, Portion[]>();
  for (const { topic, partition, message } of records) {
    const id = `${topic}/${partition}`;
    const portions = perPartition.get(id) ?? [];
    const size = message.key.length + (message.value?.length ?? 0) + RECORD_OVERHEAD;
    const last = portions.at(-1);
    if (last && last.bytes + size <= BATCH_BYTES) {
      last.messages.push(message);
      last.bytes += size;
    } else portions.push({ topic, partition, messages: [message], bytes: size });
    perPartition.set(id, portions);
  }
  const all = [...perPartition.values()];
  const count = Math.max(0, ...all.map((portions) => portions.length));
  return Array.from({ length: count }, (_, i) =>
    all.map((portions) => portions[i]).filter((portion) => portion !== undefined),
  );
}

/** Sends under one producer id. Sequence numbers move only when the broker has acknowledged. */
export interface SequencedSender {
  /** Sends one round. After an error it may be sent again, unchanged: what the broker has already is not doubled. */
  send(round: readonly Portion[]): Promise<void>;
}

export function createSequencedSender(
  session: Session,
  identity: ProducerIdentity & { readonly transactionalId?: string },
): SequencedSender {
  const sequences = new Map<string, number>();
  const idOf = (portion: Portion): string => `${portion.topic}/${portion.partition}`;
  const sendToLeader = async (portions: readonly Portion[]): Promise<void> => {
    const first = portions[0] as Portion;
    const broker = await session.leader(first.topic, first.partition);
    const perTopic = new Map<string, WirePartition[]>();
    for (const portion of portions) {
      const partitions = perTopic.get(portion.topic) ?? [];
      partitions.push({
        partition: portion.partition,
        firstSequence: sequences.get(idOf(portion)) ?? 0,
        messages: portion.messages,
      });
      perTopic.set(portion.topic, partitions);
    }
    await broker.produce({
      acks: -1,
      timeout: ACK_TIMEOUT_MS,
      producerId: identity.producerId,
      producerEpoch: identity.producerEpoch,
      ...(identity.transactionalId === undefined ? {} : { transactionalId: identity.transactionalId }),
      topicData: [...perTopic].map(([topic, partitions]) => ({ topic, partitions })),
    });
    for (const portion of portions) {
      const next = (sequences.get(idOf(portion)) ?? 0) + portion.messages.length;
      sequences.set(idOf(portion), next > MAX_SEQUENCE ? next - MAX_SEQUENCE - 1 : next);
    }
  };
  return {
    async send(round) {
      const byLeader = new Map<number, Portion[]>();
      for (const portion of round) {
        const { nodeId } = await session.leader(portion.topic, portion.partition);
        byLeader.set(nodeId, [...(byLeader.get(nodeId) ?? []), portion]);
      }
      const sent = await Promise.allSettled([...byLeader.values()].map(sendToLeader));
      const failed = sent.find((outcome) => outcome.status === 'rejected');
      if (failed) throw failed.reason;
    },
  };
}

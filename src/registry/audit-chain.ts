/**
 * crisis.audit.v1 as a hash chain: each entry carries the hash of the one before, so that one that is changed, left out or
 * put in between shows. The gate alone writes it; two writers would fork it.
 */
import { createHash } from 'node:crypto';
import { TocsinError } from '../base/errors.ts';
import { type Codec, expectKind } from '../bus/codec.ts';
import { message, NO_LINEAGE } from '../bus/messages.ts';
import type { Bus, ReceivedRecord } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import type { AuditEntry } from '../event/records.ts';

/** What the first entry says of the one before. */
const FIRST_HASH = '0'.repeat(64);

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A place where the chain does not hold. */
export interface Break {
  readonly partition: number;
  readonly offset: bigint;
  readonly why: string;
}

export interface Chain {
  readonly entries: readonly AuditEntry[];
  readonly breaks: readonly Break[];
  /** Hash of the last record. */
  readonly lastHash: string;
}

/** Follows the chain through records in the order of the topic. Cut off entries at the end it cannot see. */
export function verifyChain(codec: Codec, records: Iterable<ReceivedRecord>): Chain {
  const entries: AuditEntry[] = [];
  const breaks: Break[] = [];
  let lastHash = FIRST_HASH;
  for (const { partition, offset, value } of records) {
    const bytes = value ?? new Uint8Array();
    try {
      const entry = expectKind(codec.decode(bytes), 'AuditEntry');
      entries.push(entry);
      if (entry.previousHash !== lastHash)
        breaks.push({ partition, offset, why: 'It does not follow from the entry before.' });
    } catch (thrown) {
      if (!(thrown instanceof TocsinError)) throw thrown;
      breaks.push({ partition, offset, why: thrown.message });
    }
    lastHash = hashOf(bytes);
  }
  return { entries, breaks, lastHash };
}

/** Reads the topic to its end. */
export async function readChain(bus: Bus, codec: Codec): Promise<Chain> {
  const records: ReceivedRecord[] = [];
  for await (const batch of bus.read(TOPICS.audit, { from: 'earliest', stopAtEnd: true }))
    records.push(...batch);
  return verifyChain(codec, records);
}

export interface AuditLog {
  /** Everything written so far, oldest first. */
  readonly entries: readonly AuditEntry[];
  /** Durable when it resolves. */
  append(entry: Omit<AuditEntry, 'kind' | 'at' | 'previousHash'>): Promise<void>;
}

/** Opens the chain for its one writer, after reading its end. */
export async function openAuditLog(deps: {
  readonly bus: Bus;
  readonly codec: Codec;
  readonly now: () => number;
}): Promise<AuditLog> {
  const { bus, codec, now } = deps;
  const chain = await readChain(bus, codec);
  const entries = [...chain.entries];
  let { lastHash } = chain;
  return {
    entries,
    async append(given) {
      const entry: AuditEntry = { ...given, kind: 'AuditEntry', at: now(), previousHash: lastHash };
      const record = message(codec, TOPICS.audit, entry, {
        key: 'audit',
        id: `audit/${lastHash}`,
        source: 'gate',
        time: entry.at,
        lineage: NO_LINEAGE,
      });
      await bus.produce([record]);
      entries.push(entry);
      lastHash = hashOf(record.value);
    },
  };
}

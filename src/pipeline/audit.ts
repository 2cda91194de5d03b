/** Counts inputs and outputs anew, record by record, and holds the ledger against them. */
import type { Codec } from '../bus/codec.ts';
import { expectKind } from '../bus/codec.ts';
import type { Bus, ReceivedRecord } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import {
  imbalance,
  LABEL_SERVICE,
  type Ledger,
  type LedgerRow,
  picturesPending,
  readLedger,
} from './ledger.ts';

/** One thing that was counted twice. */
export interface Check {
  readonly name: string;
  /** What the ledger says; a range where the worker wrote on while the audit counted. */
  readonly ledger: readonly [number, number];
  readonly counted: number;
  /** Null when it could not be counted: the topic no longer keeps everything. */
  readonly agrees: boolean | null;
}

export interface AuditReport {
  readonly checks: readonly Check[];
  /** Labels whose (post id, revision) is there before; not a fault when the ids came again after the dedup window. */
  readonly repeatedLabels: number;
  readonly agrees: boolean;
}

interface Counted {
  received: number;
  labelled: number;
  repeated: number;
  dead: number;
  deadOther: number;
  requested: number;
  /** Topics that no longer begin at their beginning. */
  readonly cut: Set<string>;
}

/** Reads four topics to their end. Inputs are counted below the ledger's `upto`, outputs as far as they go. */
export async function audit(bus: Bus, codec: Codec, signal?: AbortSignal): Promise<AuditReport> {
  const before = await readLedger(bus);
  const counted: Counted = {
    received: 0,
    labelled: 0,
    repeated: 0,
    dead: 0,
    deadOther: 0,
    requested: 0,
    cut: new Set(),
  };
  const upto = new Map(before.partitions.map((p) => [p.partition, p.upto]));
  await each(bus, TOPICS.events, counted, signal, (record) => {
    if (record.offset < (upto.get(record.partition) ?? 0n) && countsAsPost(codec, record.value))
      counted.received += 1;
  });
  const seen = new Set<string>();
  await each(bus, TOPICS.labels, counted, signal, (record) => {
    const label = expectKind(codec.decode(record.value as Uint8Array), 'Label');
    if (label.revision === 1 && !label.flags.includes('orphan')) counted.labelled += 1;
    const name = JSON.stringify([label.postId, label.revision]);
    if (seen.has(name)) counted.repeated += 1;
    seen.add(name);
  });
  await each(bus, TOPICS.dlq, counted, signal, (record) => {
    const dead = expectKind(codec.decode(record.value as Uint8Array), 'DeadLetter');
    if (dead.service !== LABEL_SERVICE || dead.topic !== TOPICS.events) return;
    if (countsAsPost(codec, dead.bytes)) counted.dead += 1;
    else counted.deadOther += 1;
  });
  await each(bus, TOPICS.media, counted, signal, (record) => {
    counted.requested += expectKind(codec.decode(record.value as Uint8Array), 'MediaRequest').media.length;
  });
  return report(before, await readLedger(bus), counted);
}

/** The rule that tells posts from picture events and answers where a record cannot be read: its fingerprint. */
function countsAsPost(codec: Codec, value: Uint8Array | null): boolean {
  const kind = value === null ? null : codec.kindOf(value);
  return kind !== 'PictureEvent' && kind !== 'MediaEvent';
}

async function each(
  bus: Bus,
  topic: string,
  counted: Counted,
  signal: AbortSignal | undefined,
  take: (record: ReceivedRecord) => void,
): Promise<void> {
  for (const range of await bus.admin.ranges(topic)) if (range.low > 0n) counted.cut.add(topic);
  const options = { from: 'earliest', stopAtEnd: true, ...(signal ? { signal } : {}) } as const;
  for await (const batch of bus.read(topic, options)) for (const record of batch) take(record);
}

function report(before: Ledger, after: Ledger, counted: Counted): AuditReport {
  const checks: Check[] = [];
  const check = (name: string, topic: string | null, of: (row: LedgerRow) => number, count: number): void => {
    const ledger = [of(before.total), of(after.total)] as const;
    const known = topic === null || !counted.cut.has(topic);
    checks.push({
      name,
      ledger,
      counted: count,
      agrees: known ? count >= ledger[0] && count <= ledger[1] : null,
    });
  };
  // Inputs were counted below the first reading's `upto`: no range there.
  checks.push({
    name: 'received',
    ledger: [before.total.received, before.total.received],
    counted: counted.received,
    agrees: counted.cut.has(TOPICS.events) ? null : counted.received === before.total.received,
  });
  check('labelled', TOPICS.labels, (row) => row.labelled, counted.labelled);
  check('dead', TOPICS.dlq, (row) => row.dead, counted.dead);
  check('deadOther', TOPICS.dlq, (row) => row.deadOther, counted.deadOther);
  check('picturesRequested', TOPICS.media, (row) => row.picturesRequested, counted.requested);
  check('imbalance', null, (row) => imbalance(row), 0);
  check('picturesPending below 0', null, (row) => Math.min(0, picturesPending(row)), 0);
  return {
    checks,
    repeatedLabels: counted.repeated,
    agrees: checks.every((c) => c.agrees !== false),
  };
}

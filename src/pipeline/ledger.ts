/** The ledger: what became of every input, a row per partition, written in each slice's own transaction. */
import { TocsinError } from '../base/errors.ts';
import type { Bus, StateView } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';

/** The group whose state holds the ledger. */
export const LABEL_SERVICE: string = 'label';

/** Name of the state entry. */
export const LEDGER_ENTRY: string = 'ledger';

/** Counts of one partition since its beginning. */
export interface LedgerRow {
  /** Inputs that are, or may have been, posts: all but picture events and answers of the media worker. */
  readonly received: number;
  readonly labelled: number;
  readonly filtered: number;
  readonly duplicate: number;
  readonly dead: number;
  /** Answers that nobody waited for (any longer). */
  readonly late: number;
  /** Picture events whose post did not come within the join window. */
  readonly orphan: number;
  readonly picturesRequested: number;
  readonly picturesReady: number;
  readonly picturesRefused: number;
  /** Dead letters outside the posts' equation: picture events and answers. */
  readonly deadOther: number;
}

const FIELDS = [
  'received',
  'labelled',
  'filtered',
  'duplicate',
  'dead',
  'late',
  'orphan',
  'picturesRequested',
  'picturesReady',
  'picturesRefused',
  'deadOther',
] as const satisfies readonly (keyof LedgerRow)[];

export const LEDGER_FIELDS: readonly (keyof LedgerRow)[] = FIELDS;

export const EMPTY_ROW: LedgerRow = Object.fromEntries(FIELDS.map((f) => [f, 0])) as Record<
  keyof LedgerRow,
  number
>;

/** A row that is being counted up. */
export type LedgerCounter = { -readonly [K in keyof LedgerRow]: number };

export function encodeRow(row: LedgerRow): Uint8Array {
  return Buffer.from(JSON.stringify(row));
}

/** Throws BUS_STATE_MISMATCH for bytes that are no row. Counts that an older version did not know are 0. */
export function decodeRow(bytes: Uint8Array): LedgerRow {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
  } catch (cause) {
    throw new TocsinError('BUS_STATE_MISMATCH', 'the ledger row is not JSON', { cause });
  }
  if (value === null || typeof value !== 'object')
    throw new TocsinError('BUS_STATE_MISMATCH', 'the ledger row is no object');
  const given = value as Partial<Record<keyof LedgerRow, unknown>>;
  const row: LedgerCounter = { ...EMPTY_ROW };
  for (const field of FIELDS) {
    const count = given[field] ?? 0;
    if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0)
      throw new TocsinError('BUS_STATE_MISMATCH', `the ledger row's ${field} is not a count`);
    row[field] = count;
  }
  return row;
}

export function addRows(rows: Iterable<LedgerRow>): LedgerRow {
  const sum: LedgerCounter = { ...EMPTY_ROW };
  for (const row of rows) for (const field of FIELDS) sum[field] += row[field];
  return sum;
}

/** received − (labelled + filtered + duplicate + dead): anything but 0 is a fault. */
export function imbalance(row: LedgerRow): number {
  return row.received - row.labelled - row.filtered - row.duplicate - row.dead;
}

/** Pictures that were asked for and not yet answered. */
export function picturesPending(row: LedgerRow): number {
  return row.picturesRequested - row.picturesReady - row.picturesRefused;
}

/** The ledger of one partition and how far it reaches. */
export interface LedgerPartition {
  readonly partition: number;
  /** Inputs below this offset are in the row. */
  readonly upto: bigint;
  readonly row: LedgerRow;
}

export interface Ledger {
  readonly partitions: readonly LedgerPartition[];
  readonly total: LedgerRow;
}

/** What GET /api/ledger and `tocsin ledger` say. */
export interface LedgerSummary {
  readonly received: number;
  readonly labelled: number;
  readonly filtered: number;
  readonly duplicate: number;
  readonly dead: number;
  /** Records of crisis.events.v1 that the label worker has yet to take. */
  readonly inFlight: number;
  readonly picturesPending: number;
  readonly pictures: {
    readonly requested: number;
    readonly ready: number;
    readonly refused: number;
    readonly pending: number;
  };
  readonly late: number;
  readonly orphan: number;
  readonly imbalance: number;
}

/** A view of the label worker's ledger rows, to be handed to `ledgerOf` again and again. */
export function watchLedger(bus: Bus): Promise<StateView> {
  return bus.watchState(LABEL_SERVICE, TOPICS.events, (entry) => entry === LEDGER_ENTRY);
}

/** The ledger as the view knows it now; refresh the view first for what is committed now. */
export function ledgerOf(view: StateView): Ledger {
  const partitions: LedgerPartition[] = [];
  for (const [partition, { upto, entries }] of [...view.partitions()].sort(([a], [b]) => a - b)) {
    const bytes = entries.get(LEDGER_ENTRY);
    if (bytes) partitions.push({ partition, upto, row: decodeRow(bytes) });
  }
  return { partitions, total: addRows(partitions.map((p) => p.row)) };
}

/** The committed ledger now, of every partition that ever had a slice. */
export async function readLedger(bus: Bus): Promise<Ledger> {
  const view = await watchLedger(bus);
  try {
    await view.refresh();
    return ledgerOf(view);
  } finally {
    await view.close();
  }
}

/** The ledger beside what is still to be taken: records between a row's `upto` (or the oldest kept) and the end. */
export async function summariseLedger(bus: Bus, ledger: Ledger): Promise<LedgerSummary> {
  const upto = new Map(ledger.partitions.map((p) => [p.partition, p.upto]));
  let inFlight = 0n;
  for (const range of await bus.admin.ranges(TOPICS.events)) {
    const done = upto.get(range.partition) ?? 0n;
    const from = done > range.low ? done : range.low;
    if (range.high > from) inFlight += range.high - from;
  }
  const row = ledger.total;
  const pending = picturesPending(row);
  return {
    received: row.received,
    labelled: row.labelled,
    filtered: row.filtered,
    duplicate: row.duplicate,
    dead: row.dead,
    inFlight: Number(inFlight),
    picturesPending: pending,
    pictures: {
      requested: row.picturesRequested,
      ready: row.picturesReady,
      refused: row.picturesRefused,
      pending,
    },
    late: row.late,
    orphan: row.orphan,
    imbalance: imbalance(row),
  };
}

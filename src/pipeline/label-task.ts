/**
 * The label worker's work on one partition of crisis.events.v1: a slice goes through the stages, and everything that
 * follows from it (labels, evidence, requests, dead letters, state, ledger row) goes into its one transaction.
 * The task is thrown away after any error, so its memory may change freely.
 */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Codec } from '../bus/codec.ts';
import type {
  OutgoingRecord,
  PartitionTask,
  ReceivedRecord,
  RestoredState,
  Transaction,
} from '../bus/port.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type Admission, type Admitter, type Asked, createAdmitter } from './admission.ts';
import { type CrashGuard, FATAL_KILLS } from './crash-guard.ts';
import type { DeadLetterReason } from './dead-letter.ts';
import { Dedup, type DedupOptions } from './dedup.ts';
import { createFence } from './fence.ts';
import { JoinMemory, type JoinOptions } from './join.ts';
import {
  decodeRow,
  EMPTY_ROW,
  encodeRow,
  LEDGER_ENTRY,
  type LedgerCounter,
  type LedgerRow,
} from './ledger.ts';
import { observe } from './observe.ts';
import { Pending, type PendingOptions } from './pending.ts';
import type { Decoded, Draft, Embedded, Read, Scored } from './post.ts';
import { type Ended, runStage, sortOutcomes, type Tagged } from './runner.ts';
import type { Stage } from './stage.ts';
import { createTally } from './tally.ts';
import { Watermarks } from './watermarks.ts';

/** The models of one slice: nothing is swapped under it. */
export interface SliceModels {
  /** Of the desired state that they belong to. */
  readonly sequence: number;
  readonly score: Stage<Embedded, Scored>;
  /** The slice is over. */
  release(): void;
}

/** The stages in the order of the data, and the two records that are made beside them. */
export interface LabelStages {
  readonly decode: Stage<ReceivedRecord, Decoded>;
  readonly normalise: Stage<Decoded, Read>;
  readonly embed: Stage<Draft, Embedded>;
  /** The models in force now, for a slice of that partition. */
  lease(partition: number): SliceModels;
  readonly emit: Stage<Scored, readonly OutgoingRecord[]>;
  request(asked: Asked): OutgoingRecord;
  dead(record: ReceivedRecord, reason: DeadLetterReason, detail: string): OutgoingRecord;
}

export interface LabelTaskDeps {
  readonly partition: number;
  readonly stages: LabelStages;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly guard: CrashGuard;
  /** Key that signs media contexts and hashes remembered ids. */
  readonly key: Uint8Array;
  readonly environment: string;
  readonly dedup: Omit<DedupOptions, 'key'>;
  readonly join: JoinOptions;
  readonly pending: PendingOptions;
  /** The dead worker may have been this many records further than its last commit. */
  readonly sliceRecords: number;
  /** Ledger rows of this process, for the gauges. */
  readonly rows: Map<number, LedgerRow>;
}

/** What the work on one slice needs. */
interface Slice {
  readonly models: SliceModels;
  readonly transaction: Transaction;
  readonly signal: AbortSignal;
}

/** Opens the task from the state of the last commit. Throws BUS_STATE_MISMATCH for state that is not ours. */
export function createLabelTask(deps: LabelTaskDeps, restored: RestoredState): PartitionTask {
  const { codec, clock, log, metrics, guard } = deps;
  const watermarks = new Watermarks();
  const dedup = new Dedup({ ...deps.dedup, key: deps.key }, watermarks);
  const join = new JoinMemory(deps.join, watermarks);
  const pending = new Pending(codec, deps.pending);
  for (const memory of [dedup, join, pending]) memory.restore(restored.entries);
  const ledgerBytes = restored.entries.get(LEDGER_ENTRY);
  const counter: LedgerCounter = { ...(ledgerBytes ? decodeRow(ledgerBytes) : EMPTY_ROW) };
  const admitter: Admitter = createAdmitter({
    dedup,
    join,
    pending,
    counter,
    key: deps.key,
    environment: deps.environment,
    onLetGoEarly: (entries) => {
      metrics.count('tocsin_join_let_go_total', {}, entries);
      log.warn({ partition: deps.partition, entries }, 'The join memory is full; the oldest were let go.');
    },
  });
  const watched = { clock, metrics };
  const decode = observe(deps.stages.decode, watched);
  const normalise = observe(deps.stages.normalise, watched);
  const embed = observe(deps.stages.embed, watched);
  const emit = observe(deps.stages.emit, watched);
  const fence = createFence(restored.entries);
  const tally = createTally(deps.partition, { clock, metrics, rows: deps.rows });
  const carefulUpto = guard.unclean ? restored.upto + BigInt(deps.sliceRecords) : restored.upto;

  const send = (transaction: Transaction, record: OutgoingRecord): void => {
    transaction.send(record);
    tally.sent(record);
  };

  const bury = (
    transaction: Transaction,
    record: ReceivedRecord,
    reason: DeadLetterReason,
    detail: string,
  ): void => {
    send(transaction, deps.stages.dead(record, reason, detail));
    tally.ended('failed', reason);
  };

  /** Refused before its kind was proven: told by its fingerprint, so that an audit can tell the same. */
  const buryUnread = (
    transaction: Transaction,
    record: ReceivedRecord,
    reason: DeadLetterReason,
    detail: string,
  ): void => {
    if (isPost(codec, record)) {
      counter.received += 1;
      counter.dead += 1;
    } else counter.deadOther += 1;
    bury(transaction, record, reason, detail);
  };

  const endAll = (
    transaction: Transaction,
    records: readonly ReceivedRecord[],
    ended: readonly Tagged<Ended>[],
    how: typeof bury,
  ): void => {
    for (const { input, value } of ended)
      if (value.kind === 'dropped') tally.ended('dropped', value.reason);
      else how(transaction, records[input] as ReceivedRecord, value.reason, value.detail);
  };

  const label = async (
    drafts: readonly Tagged<Draft>[],
    { models, transaction, signal }: Slice,
  ): Promise<void> => {
    const embedded = await runStage(embed, drafts, signal);
    const score = observe(models.score, watched);
    const scored = await runStage(score, embedded.passed, signal);
    for (const { value } of scored.passed) tally.scored(value);
    const emitted = await runStage(emit, scored.passed, signal);
    for (const { value } of emitted.passed) for (const record of value) send(transaction, record);
  };

  const ask = (transaction: Transaction, admission: Admission): void => {
    for (const asked of admission.requests) send(transaction, deps.stages.request(asked));
  };

  const work = async (records: readonly ReceivedRecord[], slice: Slice): Promise<void> => {
    const { transaction, signal } = slice;
    const now = clock.now();
    const inputs = records.map((value, input): Tagged<ReceivedRecord> => ({ input, value }));
    const decoded = await runStage(decode, inputs, signal);
    endAll(transaction, records, decoded.ended, buryUnread);
    const read = await runStage(normalise, decoded.passed, signal);
    endAll(transaction, records, read.ended, buryUnread);
    const admitted = sortOutcomes(
      read.passed,
      read.passed.map(({ value }) => admitter.admit(value, now)),
    );
    endAll(transaction, records, admitted.ended, bury);
    tally.passed(admitted.passed.length);
    for (const { value } of admitted.passed) ask(transaction, value);
    const drafts = admitted.passed.flatMap(({ input, value }) =>
      value.drafts.map((draft): Tagged<Draft> => ({ input, value: draft })),
    );
    await label(drafts, slice);
  };

  /** After an unclean start: one record at a time, each named before it is touched. */
  const workCarefully = async (records: readonly ReceivedRecord[], slice: Slice): Promise<void> => {
    for (const record of records) {
      const kills = guard.killsOf(record.offset);
      if (kills >= FATAL_KILLS) {
        log.error(
          { partition: record.partition, offset: String(record.offset) },
          'A record killed the worker again and again.',
        );
        buryUnread(
          slice.transaction,
          record,
          'kills_worker',
          `killed the worker ${kills} times when it was alone`,
        );
        continue;
      }
      guard.enter(record.offset);
      await work([record], slice);
    }
    guard.leave();
  };

  const workAll = async (records: readonly ReceivedRecord[], slice: Slice): Promise<void> => {
    const careful = records.findIndex((record) => record.offset >= carefulUpto);
    const split = careful < 0 ? records.length : careful;
    if (split > 0) await workCarefully(records.slice(0, split), slice);
    if (split < records.length) await work(records.slice(split), slice);
    const overdue = admitter.overdue(clock.now());
    await label(
      overdue.drafts.map((value): Tagged<Draft> => ({ input: -1, value })),
      slice,
    );
  };

  return {
    async process(records, transaction, signal) {
      // That the next slice is here says that the last one was committed, should the bus not have said so.
      tally.commit({ ...counter });
      const [first] = records;
      if (!first) return;
      tally.begin(records.length);
      const models = deps.stages.lease(deps.partition);
      try {
        fence.pass(models.sequence, transaction);
        await workAll(records, { models, transaction, signal });
      } finally {
        models.release();
      }
      dedup.flush(transaction, first.offset);
      join.flush(transaction);
      pending.flush(transaction);
      transaction.putState(LEDGER_ENTRY, encodeRow(counter));
    },
    committed: () => tally.commit({ ...counter }),
    close: () => guard.close(),
  };
}

/** Whether an input counts as a post: all but what claims to be a picture event or an answer. */
export function isPost(codec: Codec, record: ReceivedRecord): boolean {
  if (record.value === null) return true;
  const kind = codec.kindOf(record.value);
  return kind !== 'PictureEvent' && kind !== 'MediaEvent';
}

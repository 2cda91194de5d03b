/** What a slice did, kept until its commit and only then counted: a slice that is given up was never there. */
import type { Clock } from '../base/clock.ts';
import type { OutgoingRecord } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { DeadLetterReason } from './dead-letter.ts';
import { addRows, imbalance, LABEL_SERVICE, LEDGER_FIELDS, type LedgerRow } from './ledger.ts';
import type { Scored } from './post.ts';
import type { DropReason } from './stage.ts';

interface Slice {
  begun: number;
  records: number;
  readonly outcomes: Map<string, number>;
  readonly emitted: Map<string, number>;
  readonly scored: Scored[];
}

/** Tallies of one partition's task. */
export interface Tally {
  begin(records: number): void;
  ended(outcome: 'dropped', reason: DropReason): void;
  ended(outcome: 'failed', reason: DeadLetterReason): void;
  passed(inputs: number): void;
  sent(record: OutgoingRecord): void;
  scored(scored: Scored): void;
  /** Counts what was tallied since `begin`; does nothing a second time. */
  commit(row: LedgerRow): void;
}

export interface TallyDeps {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Ledger rows of the partitions that this process has, for the gauges; shared by its tasks. */
  readonly rows: Map<number, LedgerRow>;
}

const freshSlice = (begun: number): Slice => ({
  begun,
  records: 0,
  outcomes: new Map(),
  emitted: new Map(),
  scored: [],
});

const add = (counts: Map<string, number>, key: string, by: number): void => {
  counts.set(key, (counts.get(key) ?? 0) + by);
};

export function createTally(partition: number, { clock, metrics, rows }: TallyDeps): Tally {
  let slice: Slice | null = null;
  const current = (): Slice => {
    slice ??= freshSlice(clock.monotonic());
    return slice;
  };
  return {
    begin(records) {
      slice = freshSlice(clock.monotonic());
      slice.records = records;
    },
    ended: (outcome, reason) => add(current().outcomes, `${outcome} ${reason}`, 1),
    passed: (inputs) => add(current().outcomes, 'passed ', inputs),
    sent: (record) => add(current().emitted, record.topic, 1),
    scored(scored) {
      current().scored.push(scored);
    },
    commit(row) {
      if (!slice) return;
      const { begun, records, outcomes, emitted, scored } = slice;
      slice = null;
      const service = LABEL_SERVICE;
      const now = clock.now();
      metrics.observe('tocsin_slice_duration_seconds', (clock.monotonic() - begun) / 1_000, { service });
      metrics.observe('tocsin_slice_records', records, { service });
      metrics.count('tocsin_events_consumed_total', { topic: TOPICS.events }, records);
      metrics.set('tocsin_last_event_timestamp_seconds', now / 1_000, { topic: TOPICS.events });
      for (const [key, count] of outcomes) {
        const [outcome, reason] = key.split(' ') as [string, string];
        metrics.count('tocsin_outcomes_total', { service, outcome, reason }, count);
        if (outcome === 'failed') metrics.count('tocsin_dlq_events_total', { service, reason }, count);
      }
      for (const [topic, count] of emitted) metrics.count('tocsin_events_emitted_total', { topic }, count);
      for (const { draft, tasks } of scored) {
        const revision = draft.context.revision === 1 ? '1' : 'later';
        const seconds = Math.max(0, now - draft.receivedAt) / 1_000;
        metrics.observe('tocsin_end_to_end_latency_seconds', seconds, { revision });
        for (const { task, probability } of tasks)
          if (probability !== null) metrics.observe('tocsin_prediction_score', probability, { task });
      }
      rows.set(partition, row);
      const total = addRows(rows.values());
      for (const entry of LEDGER_FIELDS) metrics.set('tocsin_ledger', total[entry], { entry });
      metrics.set('tocsin_ledger_imbalance', imbalance(total));
    },
  };
}

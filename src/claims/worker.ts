/** The claim worker: one index per partition of crisis.evidence.v1; a slice's claims, alerts and state are one transaction. */
import { TocsinError } from '../base/errors.ts';
import type { Codec } from '../bus/codec.ts';
import { type Lineage, lineageOf } from '../bus/messages.ts';
import type {
  Bus,
  Consumer,
  Consumption,
  PartitionTask,
  ReceivedRecord,
  RestoredState,
  Transaction,
} from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { deadLetterMessage, startDeadLetterCounts } from '../pipeline/dead-letter.ts';
import { ALERT_STATES, CLAIM_SURGE } from './alert.ts';
import { type ClaimIndex, type ClaimOutcome, openClaimIndex } from './claim-index.ts';
import { type ClaimInput, decodeEvidence } from './decode.ts';
import { LIMITS, type Limits } from './memory.ts';
import { CLAIMS_SERVICE, tell } from './tell.ts';

export interface ClaimWorkerOptions {
  readonly bus: Bus;
  readonly codec: Codec;
  readonly metrics: Metrics;
  readonly sliceRecords: number;
  readonly sliceMs: number;
  readonly limits?: Limits;
}

/** Partitions at work at once: the work itself is one core's, the waiting for commits overlaps. */
const CONCURRENCY = 6;

/** Something to be counted after the commit. */
type Count = (metrics: Metrics) => void;

interface Surroundings extends ClaimWorkerOptions {
  readonly partitions: number;
  /** Clusters per partition held. */
  readonly sizes: Map<number, number>;
}

/** Starts consuming; resolves when the consumer runs. */
export async function startClaimWorker(options: ClaimWorkerOptions): Promise<Consumer> {
  const partitions = (await options.bus.admin.ranges(TOPICS.evidence)).length;
  const { metrics } = options;
  startDeadLetterCounts(metrics, CLAIMS_SERVICE);
  for (const state of ALERT_STATES) metrics.count('tocsin_alerts_total', { rule: CLAIM_SURGE, state }, 0);
  return options.bus.consume(claimConsumption({ ...options, partitions, sizes: new Map() }));
}

function claimConsumption(surroundings: Surroundings): Consumption {
  return {
    group: CLAIMS_SERVICE,
    topic: TOPICS.evidence,
    mode: 'exactly-once',
    sliceRecords: surroundings.sliceRecords,
    sliceMs: surroundings.sliceMs,
    concurrency: CONCURRENCY,
    failed: (reason) =>
      surroundings.metrics.count('tocsin_slice_failures_total', { service: CLAIMS_SERVICE, reason }),
    open: async ({ partition }, restored) => openTask(surroundings, partition, restored),
  };
}

function openTask(surroundings: Surroundings, partition: number, restored: RestoredState): PartitionTask {
  const index = openClaimIndex(restored, surroundings.limits ?? LIMITS);
  const { sizes, metrics } = surroundings;
  let counts: Count[] = [];
  const showSize = (): void => {
    const size = [...sizes.values()].reduce((sum, claims) => sum + claims, 0);
    metrics.set('tocsin_claims', size);
  };
  return {
    async process(records, transaction) {
      counts = records.map((record) => take(surroundings, index, record, transaction));
      const at = records.reduce((newest, { timestamp }) => Math.max(newest, timestamp), 0);
      const result = index.finish(at);
      tell(surroundings.codec, result, at, transaction);
      for (const { record } of result.alerts)
        counts.push((m) => m.count('tocsin_alerts_total', { rule: record.rule, state: record.state }));
      counts.push((m) => m.observe('tocsin_slice_records', records.length, { service: CLAIMS_SERVICE }));
    },
    committed() {
      for (const count of counts) count(metrics);
      counts = [];
      sizes.set(partition, index.size());
      showSize();
    },
    close() {
      sizes.delete(partition);
      showSize();
    },
  };
}

const placeOf = ({ topic, partition, offset }: ReceivedRecord): string => `${topic}/${partition}/${offset}`;

/** Works on one record; gives what is to be counted once it is committed. */
function take(
  { codec, partitions }: Surroundings,
  index: ClaimIndex,
  record: ReceivedRecord,
  transaction: Transaction,
): Count {
  const lineage = lineageOf(record.headers);
  const decoded = decodeEvidence(codec, record, partitions);
  const service = CLAIMS_SERVICE;
  if (decoded.kind === 'passed') {
    const { value } = decoded;
    const outcome = takeIn(index, value, lineage);
    return (metrics) => metrics.count('tocsin_outcomes_total', { service, outcome, reason: '' });
  }
  // Evidence is never left out on purpose, so the rest has failed.
  if (decoded.kind !== 'failed') throw new TocsinError('INTERNAL', `${placeOf(record)} was dropped`);
  const { reason, detail } = decoded;
  index.dead();
  transaction.send(deadLetterMessage(codec, service, record, reason, detail));
  return (metrics) => {
    metrics.count('tocsin_outcomes_total', { service, outcome: 'dead', reason });
    metrics.count('tocsin_dlq_events_total', { service, reason });
  };
}

function takeIn(index: ClaimIndex, input: ClaimInput, lineage: Lineage): ClaimOutcome {
  switch (input.kind) {
    case 'Evidence':
      return index.evidence(input, lineage);
    case 'Ruling':
      return index.ruling(input, lineage);
    case 'Score':
      return index.score(input, lineage);
  }
}

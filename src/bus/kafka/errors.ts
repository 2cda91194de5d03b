/** What kafkajs' errors mean to us. */
import { TocsinError } from '../../base/errors.ts';

interface KafkaError {
  readonly name?: string;
  /** Kafka's own error name, where the broker answered. */
  readonly type?: string;
  readonly code?: number | string;
  readonly cause?: unknown;
  readonly message?: string;
}

/** PRODUCER_FENCED is younger than kafkajs' table. */
const PRODUCER_FENCED = 90;

/** Kafka's error name, else that of the client's error class, else ''. */
export function kafkaType(thrown: unknown): string {
  let error = thrown as KafkaError | undefined;
  for (let depth = 0; error && typeof error === 'object' && depth < 5; depth += 1) {
    if (error.code === PRODUCER_FENCED) return 'PRODUCER_FENCED';
    if (error.type) return error.type;
    if (!error.cause) return error.name ?? '';
    error = error.cause as KafkaError;
  }
  return '';
}

const of = (...types: string[]): ((thrown: unknown) => boolean) => {
  const set = new Set(types);
  return (thrown) => set.has(kafkaType(thrown));
};

/** Another producer has taken this transactional id over, or the coordinator has given this one up. */
export const isFenced: (thrown: unknown) => boolean = of(
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_ID_MAPPING',
  'TRANSACTION_COORDINATOR_FENCED',
  'INVALID_TXN_STATE',
);

/** The group no longer counts us in this generation. */
export const isMembershipLost: (thrown: unknown) => boolean = of(
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'FENCED_INSTANCE_ID',
);

export const isRebalancing: (thrown: unknown) => boolean = of('REBALANCE_IN_PROGRESS');

/** The previous transaction's markers are still being written, or a coordinator is still reading its log. */
export const isNotYet: (thrown: unknown) => boolean = of(
  'CONCURRENT_TRANSACTIONS',
  'GROUP_LOAD_IN_PROGRESS',
  'COORDINATOR_LOAD_IN_PROGRESS',
);

/** The connection, not the request, is what went wrong. */
export const isConnectionTrouble: (thrown: unknown) => boolean = of(
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSLockTimeout',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSNoBrokerAvailableError',
);

/** Another broker is the one to ask now. */
const isStale = of(
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'REQUEST_TIMED_OUT',
  'NETWORK_EXCEPTION',
  'KAFKA_STORAGE_ERROR',
  'OFFSET_NOT_AVAILABLE',
  'UNSTABLE_OFFSET_COMMIT',
  'NOT_CONTROLLER',
);

/** Worth the same request again, after a moment and with fresh metadata. */
export const isTransient = (thrown: unknown): boolean =>
  isNotYet(thrown) || isConnectionTrouble(thrown) || isStale(thrown);

const isUnknownTopic = of('UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_TOPIC_EXCEPTION');
const isTooLarge = of('MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP');

/** Any error as ours. @param doing says what was being done, and to what. */
export function fromKafka(thrown: unknown, doing: string): TocsinError {
  if (thrown instanceof TocsinError) return thrown;
  const message = `${doing}: ${(thrown as KafkaError)?.message ?? String(thrown)}`;
  const as = (code: ConstructorParameters<typeof TocsinError>[0]): TocsinError =>
    new TocsinError(code, message, { cause: thrown });
  if (isUnknownTopic(thrown)) return as('UNKNOWN_TOPIC');
  if (isTooLarge(thrown)) return as('BAD_RECORD');
  if (isFenced(thrown) || isMembershipLost(thrown)) return as('BUS_FENCED');
  if (isTransient(thrown)) return as('BUS_UNREACHABLE');
  if (kafkaType(thrown).startsWith('KafkaJS') || kafkaType(thrown) === kafkaType(thrown).toUpperCase())
    return as('BUS_COMMIT_FAILED');
  return as('INTERNAL');
}

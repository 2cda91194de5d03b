/**
 * A connection of one's own to the cluster (a socket for fetches and one for everything else, per broker), with
 * metadata, coordinators and recovery after an outage. Each consumer and each reader has its own, because a broker
 * answers a connection's requests one after the other and a long poll would hold up all that come behind it.
 */
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { fromKafka, isConnectionTrouble, isNotYet, isTransient, kafkaType } from './errors.ts';
import { type BrokerApi, type ClusterApi, COORDINATOR, inner, type PartitionMetadata } from './internals.ts';
import { kafkaLogCreator } from './kafka-log.ts';

export const CONNECT_TIMEOUT_MS = 10_000;
/** Below the transaction timeout, so that a request's fate is known before its transaction's. */
export const REQUEST_TIMEOUT_MS = 15_000;
/** A cluster that is there answers a first call sooner than this. */
const REACH_MS = 5_000;
const CLOSE_MS = 2_000;
const METADATA_MAX_AGE_MS = 300_000;
const RECOVER_PAUSE_MS = 100;

export interface SessionDeps {
  readonly brokers: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

export interface Session {
  /** Connects; throws BUS_UNREACHABLE within 5 s. */
  connect(): Promise<void>;
  /** Partitions of a physical topic; throws UNKNOWN_TOPIC. */
  partitions(topic: string): Promise<readonly PartitionMetadata[]>;
  leader(topic: string, partition: number): Promise<BrokerApi>;
  groupCoordinator(group: string): Promise<BrokerApi>;
  transactionCoordinator(transactionalId: string): Promise<BrokerApi>;
  controller(): Promise<BrokerApi>;
  /** After an error: forgets coordinators, takes fresh metadata, builds new connections where the old ones are of no use. */
  recover(thrown: unknown): Promise<void>;
  /**
   * Does it, and does it again after transient errors until the time is up.
   * @param doing for the error message. Throws a TocsinError.
   */
  persist<T>(doing: string, patienceMs: number, attempt: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Rejects with BUS_UNREACHABLE when it takes too long; the work itself goes on unheard. */
export async function within<T>(clock: Clock, ms: number, doing: string, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  work.catch(() => {});
  try {
    return await Promise.race([
      work,
      clock.sleep(ms, done.signal).then(() => {
        throw new TocsinError('BUS_UNREACHABLE', `${doing}: no answer within ${ms} ms`);
      }),
    ]);
  } finally {
    done.abort();
  }
}

function createCluster(deps: SessionDeps): ClusterApi {
  const { Cluster, createLogger, socketFactory, kafkajs } = inner();
  return new Cluster({
    logger: createLogger({ level: kafkajs.logLevel.WARN, logCreator: kafkaLogCreator(deps.log) }),
    socketFactory: socketFactory(),
    brokers: deps.brokers,
    clientId: 'tocsin',
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    enforceRequestTimeout: true,
    metadataMaxAge: METADATA_MAX_AGE_MS,
    // Retries are ours, with a limit that the caller sets; these only bridge a broker's moment of indecision.
    retry: { initialRetryTime: 20, maxRetryTime: 200, retries: 3, multiplier: 2, factor: 0.2 },
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
  });
}

export function createSession(deps: SessionDeps): Session {
  const { clock } = deps;
  let cluster = createCluster(deps);
  let closed = false;
  let recovering: Promise<void> | null = null;
  /** Those that the present cluster object keeps metadata of. */
  const topics = new Set<string>();
  const coordinators = new Map<string, number>();

  const discard = async (old: ClusterApi): Promise<void> => {
    await Promise.race([old.disconnect().catch(() => {}), clock.sleep(CLOSE_MS)]);
  };

  const coordinator = async (id: string, type: number): Promise<BrokerApi> => {
    const key = `${type}/${id}`;
    const known = coordinators.get(key);
    if (known !== undefined) return cluster.findBroker({ nodeId: known });
    const broker = await cluster.findGroupCoordinator({ groupId: id, coordinatorType: type });
    coordinators.set(key, broker.nodeId);
    return broker;
  };

  const renew = async (): Promise<void> => {
    coordinators.clear();
    try {
      await cluster.refreshMetadata();
    } catch (thrown) {
      if (!isConnectionTrouble(thrown)) return;
      await clock.sleep(RECOVER_PAUSE_MS);
      const old = cluster;
      cluster = createCluster(deps);
      void discard(old);
      // The new one learns of topics as they are asked for.
      topics.clear();
      try {
        await cluster.connect();
      } catch {
        // The next attempt will find the cluster as it is then.
      }
    }
  };

  const session: Session = {
    async connect() {
      try {
        await within(clock, REACH_MS, `connecting to ${deps.brokers.join(',')}`, cluster.connect());
      } catch (thrown) {
        throw fromKafka(thrown, `connecting to ${deps.brokers.join(',')}`);
      }
    },
    async partitions(topic) {
      if (closed) throw new TocsinError('BUS_CLOSED', 'the bus is closed');
      const asked = cluster;
      if (!topics.has(topic)) {
        await asked.addMultipleTargetTopics([topic]);
        if (asked === cluster) topics.add(topic);
      }
      // A refresh may join one that was under way and did not ask for this topic yet.
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const found = asked.findTopicPartitionMetadata(topic);
        if (found.length > 0) return found;
        await asked.refreshMetadata();
      }
      throw new TocsinError('UNKNOWN_TOPIC', `no topic ${topic}`);
    },
    async leader(topic, partition) {
      const found = (await session.partitions(topic)).find((p) => p.partitionId === partition);
      if (!found) throw new TocsinError('UNKNOWN_TOPIC', `no partition ${partition} in ${topic}`);
      return cluster.findBroker({ nodeId: found.leader });
    },
    groupCoordinator: (group) => coordinator(group, COORDINATOR.group),
    transactionCoordinator: (id) => coordinator(id, COORDINATOR.transaction),
    controller: () => cluster.findControllerBroker(),
    recover(thrown) {
      if (closed) return Promise.resolve();
      if (isNotYet(thrown)) return Promise.resolve();
      recovering ??= renew().finally(() => {
        recovering = null;
      });
      return recovering;
    },
    async persist(doing, patienceMs, attempt) {
      const giveUpAt = clock.monotonic() + patienceMs;
      for (let pause = 5; ; pause = Math.min(pause * 2, 500)) {
        if (closed) throw new TocsinError('BUS_CLOSED', `${doing}: the bus is closed`);
        try {
          return await attempt();
        } catch (thrown) {
          if (!isTransient(thrown) || clock.monotonic() > giveUpAt) throw fromKafka(thrown, doing);
          deps.log.debug({ doing, error: kafkaType(thrown) }, 'Trying again.');
          await session.recover(thrown);
          await clock.sleep(pause);
        }
      }
    },
    async close() {
      closed = true;
      await discard(cluster);
    },
  };
  return session;
}

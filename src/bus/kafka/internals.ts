/**
 * The typed door to kafkajs' inner modules. Tocsin uses its protocol, connections and metadata, and none of its
 * consumer and transactional producer: their traps (reliability.md K2–K8, K10, K11, K15, K18, K19) are theirs alone.
 * Inner modules have no promise of stability, so the version is asserted.
 */
import { createRequire } from 'node:module';
import type { Admin, Kafka, logCreator } from 'kafkajs';
import { TocsinError } from '../../base/errors.ts';
import { patchRequestQueue, type RequestQueueClass } from './patches.ts';

const require = createRequire(import.meta.url);

/** The one version that this code and its tests were written against. */
export const KAFKAJS_VERSION = '2.2.4';

/** A topic's records as kafkajs takes them for the wire. */
export interface WireMessage {
  readonly key: Buffer;
  /** Null: a tombstone. */
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timestamp: number;
}

export interface WirePartition {
  readonly partition: number;
  readonly firstSequence: number;
  readonly messages: readonly WireMessage[];
}

export interface ProducerIdentity {
  readonly producerId: string;
  readonly producerEpoch: number;
}

/** Offsets on their way to a group coordinator. */
export interface OffsetsToCommit {
  readonly topic: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly offset: string;
    readonly metadata: null;
  }[];
}

export interface Offsets {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
}

interface Request {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly apiName: string;
  encode(): Promise<unknown>;
}

export interface ProtocolRequest<T> {
  readonly request: Request;
  readonly response: { decode(data: Buffer): Promise<T>; parse(data: T): Promise<T> };
  readonly requestTimeout: number;
}

/** One broker, connected. */
export interface BrokerApi {
  readonly nodeId: number;
  readonly connectionPool: { send<T>(request: ProtocolRequest<T>): Promise<T> };
  disconnect(): Promise<void>;
  produce(request: {
    readonly acks: -1;
    readonly timeout: number;
    readonly transactionalId?: string;
    readonly producerId: string;
    readonly producerEpoch: number;
    readonly topicData: readonly { readonly topic: string; readonly partitions: readonly WirePartition[] }[];
  }): Promise<unknown>;
  initProducerId(request: {
    readonly transactionalId?: string;
    readonly transactionTimeout: number;
  }): Promise<ProducerIdentity>;
  addPartitionsToTxn(
    request: ProducerIdentity & {
      readonly transactionalId: string;
      readonly topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[];
    },
  ): Promise<unknown>;
  addOffsetsToTxn(
    request: ProducerIdentity & { readonly transactionalId: string; readonly groupId: string },
  ): Promise<unknown>;
  txnOffsetCommit(
    request: ProducerIdentity & {
      readonly transactionalId: string;
      readonly groupId: string;
      readonly topics: readonly OffsetsToCommit[];
    },
  ): Promise<unknown>;
  endTxn(
    request: ProducerIdentity & { readonly transactionalId: string; readonly transactionResult: boolean },
  ): Promise<unknown>;
  offsetFetch(request: {
    readonly groupId: string;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number }[];
    }[];
  }): Promise<{ readonly responses: readonly Offsets[] }>;
  offsetCommit(request: {
    readonly groupId: string;
    readonly groupGenerationId: number;
    readonly memberId: string;
    readonly topics: readonly OffsetsToCommit[];
  }): Promise<unknown>;
  listOffsets(request: {
    readonly replicaId?: number;
    readonly isolationLevel: number;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number; readonly timestamp: number }[];
    }[];
  }): Promise<{ readonly responses: readonly Offsets[] }>;
  joinGroup(request: {
    readonly groupId: string;
    readonly sessionTimeout: number;
    readonly rebalanceTimeout: number;
    readonly memberId: string;
    readonly groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[];
  }): Promise<{
    readonly generationId: number;
    readonly leaderId: string;
    readonly memberId: string;
    readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
  }>;
  syncGroup(request: {
    readonly groupId: string;
    readonly generationId: number;
    readonly memberId: string;
    readonly groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[];
  }): Promise<{ readonly memberAssignment: Buffer }>;
  heartbeat(request: {
    readonly groupId: string;
    readonly groupGenerationId: number;
    readonly memberId: string;
  }): Promise<unknown>;
  leaveGroup(request: { readonly groupId: string; readonly memberId: string }): Promise<unknown>;
}

export interface PartitionMetadata {
  readonly partitionId: number;
  readonly leader: number;
}

export interface ClusterApi {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly PartitionMetadata[];
  findBroker(node: { readonly nodeId: number }): Promise<BrokerApi>;
  findControllerBroker(): Promise<BrokerApi>;
  findGroupCoordinator(request: {
    readonly groupId: string;
    readonly coordinatorType?: number;
  }): Promise<BrokerApi>;
}

export const COORDINATOR = { group: 0, transaction: 1 } as const;

interface Logger {
  namespace(name: string): Logger;
}

interface Inner {
  readonly kafkajs: {
    readonly Kafka: new (options: Readonly<Record<string, unknown>>) => Kafka;
    readonly ConfigResourceTypes: { readonly TOPIC: number };
    readonly logLevel: { readonly WARN: number };
  };
  readonly Cluster: new (options: Readonly<Record<string, unknown>>) => ClusterApi;
  readonly socketFactory: () => unknown;
  readonly createLogger: (options: { readonly level: number; readonly logCreator: logCreator }) => Logger;
  readonly fetchRequest: (fields: Readonly<Record<string, unknown>>) => Request;
  readonly assigner: {
    readonly MemberMetadata: {
      encode(fields: { readonly version: number; readonly topics: readonly string[] }): Buffer;
    };
    readonly MemberAssignment: {
      encode(fields: {
        readonly version: number;
        readonly assignment: Readonly<Record<string, readonly number[]>>;
      }): Buffer;
      decode(bytes: Buffer): { readonly assignment: Readonly<Record<string, readonly number[]>> } | null;
    };
  };
}

let loaded: Inner | null = null;

/** Loads kafkajs, once. Throws DEPENDENCY_MISSING for any other version than the one that was tested. */
export function inner(): Inner {
  if (loaded) return loaded;
  const { version } = require('kafkajs/package.json') as { readonly version: string };
  if (version !== KAFKAJS_VERSION)
    throw new TocsinError('DEPENDENCY_MISSING', `kafkajs ${KAFKAJS_VERSION} is needed, found ${version}`);
  patchRequestQueue(require('kafkajs/src/network/requestQueue') as RequestQueueClass);
  loaded = {
    kafkajs: require('kafkajs') as Inner['kafkajs'],
    Cluster: require('kafkajs/src/cluster') as Inner['Cluster'],
    socketFactory: require('kafkajs/src/network/socketFactory') as Inner['socketFactory'],
    createLogger: (require('kafkajs/src/loggers') as { readonly createLogger: Inner['createLogger'] })
      .createLogger,
    fetchRequest: require('kafkajs/src/protocol/requests/fetch/v11/request') as Inner['fetchRequest'],
    assigner: require('kafkajs/src/consumer/assignerProtocol') as Inner['assigner'],
  };
  return loaded;
}

export type KafkaAdmin = Admin;

/** The bus on Apache Kafka. */
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { createCodec } from '../codec.ts';
import type { Bus, Consumer } from '../port.ts';
import { createAdmin } from './admin.ts';
import { startConsumer } from './consume.ts';
import { fromKafka } from './errors.ts';
import { inner } from './internals.ts';
import { kafkaLogCreator } from './kafka-log.ts';
import { createNames } from './names.ts';
import { readTopic } from './read.ts';
import { createSender } from './sender.ts';
import { CONNECT_TIMEOUT_MS, createSession, REQUEST_TIMEOUT_MS, type Session, within } from './session.ts';
import { watchState } from './state.ts';
import type { Probe } from './transaction.ts';

const PING_MS = 5_000;
const SESSION_TIMEOUT_MS = 10_000;

export interface KafkaBusOptions {
  /** host:port */
  readonly brokers: readonly string[];
  readonly environment: string;
  readonly clock: Clock;
  readonly log: Log;
  /** A consumer that is silent for so long is taken for dead. 10 s where it is left out. */
  readonly sessionTimeoutMs?: number;
  /** Fault tests strike at these moments inside a slice. */
  readonly probe?: (point: Probe) => void;
}

/** Connects to a cluster; its topics are made by `tocsin topics apply`. Throws BUS_UNREACHABLE within 5 s. */
export async function openKafkaBus(options: KafkaBusOptions): Promise<Bus> {
  const { clock, log } = options;
  const names = createNames(options.environment);
  const codec = createCodec();
  const deps = { brokers: options.brokers, clock, log, names, codec };
  const session = createSession(deps);
  const closed = new AbortController();
  const consumers = new Set<Consumer>();
  const open = (): void => {
    if (closed.signal.aborted) throw new TocsinError('BUS_CLOSED', 'the bus is closed');
  };
  await session.connect().catch(async (thrown: unknown) => {
    await session.close();
    throw thrown;
  });

  const { kafkajs } = inner();
  const client = new kafkajs.Kafka({
    clientId: 'tocsin-admin',
    brokers: [...options.brokers],
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    logLevel: kafkajs.logLevel.WARN,
    logCreator: kafkaLogCreator(log),
    retry: { initialRetryTime: 20, maxRetryTime: 500, retries: 10 },
  }).admin();
  try {
    await within(clock, PING_MS, 'connecting', client.connect());
  } catch (thrown) {
    await session.close();
    throw fromKafka(thrown, `connecting to ${options.brokers.join(',')}`);
  }

  const openSession = async (): Promise<Session> => {
    const own = createSession(deps);
    await own.connect();
    return own;
  };
  const sender = createSender({ session, names, clock });

  return {
    kind: 'kafka',
    admin: createAdmin({ ...deps, session, openSession, client, sender }),
    async produce(records) {
      open();
      await sender.send(records);
    },
    async consume(consumption) {
      open();
      const consumer = await startConsumer(
        {
          ...deps,
          sender,
          sessionTimeoutMs: options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
          probe: options.probe ?? (() => {}),
        },
        consumption,
      );
      consumers.add(consumer);
      void consumer.ended.then(() => consumers.delete(consumer));
      return consumer;
    },
    async *read(topic, readOptions) {
      open();
      yield* readTopic({ ...deps, closed: closed.signal }, topic, readOptions);
    },
    async watchState(service, topic, filter) {
      open();
      return watchState(await openSession(), deps, service, topic, filter);
    },
    async ping() {
      open();
      try {
        await within(clock, PING_MS, 'asking the broker', client.describeCluster());
      } catch (thrown) {
        throw fromKafka(thrown, 'asking the broker');
      }
    },
    async close() {
      if (closed.signal.aborted) return;
      await Promise.all([...consumers].map((consumer) => consumer.close()));
      closed.abort();
      await Promise.race([client.disconnect().catch(() => {}), clock.sleep(2_000)]);
      await session.close();
    },
  };
}

/** Topics, ranges, offsets and the environment's mark. */
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { type Codec, expectKind } from '../codec.ts';
import type { BusAdmin, PartitionRange, TopicSpec } from '../port.ts';
import { loadTopics, TOPICS, topicSpec } from '../topics.ts';
import { fromKafka, kafkaType } from './errors.ts';
import { EARLIEST, LATEST, listOffsets } from './fetch.ts';
import { inner, type KafkaAdmin } from './internals.ts';
import { type Names, stateKey } from './names.ts';
import { wireMessage } from './produce.ts';
import type { Sender } from './sender.ts';
import type { Session } from './session.ts';
import { readToEnd, restoreState } from './state.ts';
import { openTransactional } from './transaction.ts';

const PATIENCE_MS = 30_000;
const LIVE_KEY = 'environment/live';
const READY_PAUSE_MS = 20;
/** A 4 MB value with its headers. */
const MAX_MESSAGE_BYTES = 5_242_880;

/** A broker that re-sizes what it takes in refuses compression bombs at the door (B24). */
function configEntries(spec: TopicSpec): { name: string; value: string }[] {
  const entries = {
    'cleanup.policy': spec.cleanup,
    'retention.ms': String(spec.retentionMs ?? -1),
    'compression.type': 'uncompressed',
    'max.message.bytes': String(MAX_MESSAGE_BYTES),
    'message.timestamp.type': 'CreateTime',
    // State is read from its first record at every takeover: keep it short.
    ...(spec.cleanup === 'compact'
      ? { 'min.cleanable.dirty.ratio': '0.1', 'segment.ms': '600000', 'max.compaction.lag.ms': '3600000' }
      : {}),
  };
  return Object.entries(entries).map(([name, value]) => ({ name, value }));
}

export interface AdminDeps {
  /** One session for requests, another for reads that may take long. */
  readonly session: Session;
  readonly openSession: () => Promise<Session>;
  readonly client: KafkaAdmin;
  readonly sender: Sender;
  readonly names: Names;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly log: Log;
}

export function createAdmin(deps: AdminDeps): BusAdmin {
  const { session, client, names, clock } = deps;

  /** kafkajs' own admin client, with a limit and our errors. */
  const ask = <T>(doing: string, attempt: () => Promise<T>): Promise<T> =>
    session.persist(doing, PATIENCE_MS, attempt);

  const ids = async (topic: string): Promise<number[]> =>
    (await ask(`looking up ${topic}`, () => session.partitions(names.topic(topic))))
      .map((p) => p.partitionId)
      .sort((a, b) => a - b);

  const topics = async (): Promise<TopicSpec[]> => {
    const { ConfigResourceTypes } = inner().kafkajs;
    const mine = (await ask('listing topics', () => client.listTopics()))
      .map((physical) => ({ physical, logical: names.logical(physical) }))
      .filter((topic) => topic.logical !== null)
      .sort((a, b) => (a.physical < b.physical ? -1 : 1));
    if (mine.length === 0) return [];
    const metadata = await ask('describing topics', () =>
      client.fetchTopicMetadata({ topics: mine.map((topic) => topic.physical) }),
    );
    const configs = await ask('describing topics', () =>
      client.describeConfigs({
        includeSynonyms: false,
        resources: mine.map((topic) => ({
          type: ConfigResourceTypes.TOPIC,
          name: topic.physical,
          configNames: ['retention.ms', 'cleanup.policy'],
        })),
      }),
    );
    return mine.map(({ physical, logical }) => {
      const entries = configs.resources.find((r) => r.resourceName === physical)?.configEntries ?? [];
      const value = (name: string): string => entries.find((e) => e.configName === name)?.configValue ?? '';
      const retention = Number(value('retention.ms'));
      return {
        name: logical as string,
        partitions: metadata.topics.find((t) => t.name === physical)?.partitions.length ?? 0,
        retentionMs: retention < 0 ? null : retention,
        cleanup: value('cleanup.policy').includes('compact') ? 'compact' : 'delete',
      };
    });
  };

  const existing = async (name: string): Promise<TopicSpec | undefined> =>
    (await topics()).find((topic) => topic.name === name);

  const sameCount = (spec: TopicSpec, found: TopicSpec): void => {
    if (found.partitions !== spec.partitions)
      throw new TocsinError(
        'BUS_TOPIC_MISMATCH',
        `${spec.name} has ${found.partitions} partitions, not ${spec.partitions}: keys would move`,
      );
  };

  /** A new topic is not there for everybody at once. */
  const untilReady = async (spec: TopicSpec): Promise<void> => {
    const giveUpAt = clock.monotonic() + PATIENCE_MS;
    for (;;) {
      try {
        const found = await client.fetchTopicMetadata({ topics: [names.topic(spec.name)] });
        const parts = found.topics[0]?.partitions ?? [];
        if (parts.length === spec.partitions && parts.every((p) => p.leader >= 0)) return;
      } catch (thrown) {
        if (clock.monotonic() > giveUpAt) throw fromKafka(thrown, `waiting for ${spec.name}`);
      }
      if (clock.monotonic() > giveUpAt)
        throw new TocsinError('BUS_UNREACHABLE', `${spec.name} has no leaders after ${PATIENCE_MS} ms`);
      await clock.sleep(READY_PAUSE_MS);
    }
  };

  const createTopics = async (specs: readonly TopicSpec[]): Promise<void> => {
    const found = new Map((await topics()).map((topic) => [topic.name, topic]));
    for (const spec of specs) {
      const there = found.get(spec.name);
      if (there) sameCount(spec, there);
    }
    const missing = specs.filter((spec) => !found.has(spec.name));
    for (const spec of missing) {
      try {
        await ask(`creating ${spec.name}`, () =>
          client.createTopics({
            waitForLeaders: false,
            topics: [
              {
                topic: names.topic(spec.name),
                numPartitions: spec.partitions,
                replicationFactor: -1,
                configEntries: configEntries(spec),
              },
            ],
          }),
        );
      } catch (thrown) {
        // Somebody else was faster, or an answer was lost on its way.
        if (!/already exists|TOPIC_ALREADY_EXISTS/i.test(`${kafkaType(thrown)} ${(thrown as Error).message}`))
          throw thrown;
      }
      await untilReady(spec);
    }
  };

  const offsetsAt = (topic: string, partitions: readonly number[], at: number) =>
    ask(`asking for offsets of ${topic}`, () => listOffsets(session, names.topic(topic), partitions, at));

  const committed = async (service: string, topic: string): Promise<(bigint | null)[]> => {
    const partitions = await ids(topic);
    const group = names.group(service);
    const { responses } = await ask(`asking for the offsets of ${group}`, async () =>
      (await session.groupCoordinator(group)).offsetFetch({
        groupId: group,
        topics: [{ topic: names.topic(topic), partitions: partitions.map((partition) => ({ partition })) }],
      }),
    );
    const found = new Map(responses[0]?.partitions.map((p) => [p.partition, BigInt(p.offset)]));
    return partitions.map((partition) => {
      const offset = found.get(partition) ?? -1n;
      return offset < 0n ? null : offset;
    });
  };

  /** The state belongs to the old place: it goes in the transaction that moves the group. */
  const move = async (
    own: Session,
    service: string,
    topic: string,
    partition: number,
    upto: bigint,
  ): Promise<void> => {
    const id = names.transactionalId(service, topic, partition);
    const producer = await openTransactional(own, id, { clock, probe: () => {} });
    const remembers = (await existing(TOPICS.state))?.partitions ?? 0;
    const where = { service, topic, partition };
    const state = partition < remembers ? await restoreState(own, deps, where) : null;
    const entries = state === null ? [] : ['', ...state.entries.keys()];
    await producer.commit({
      records: entries.map((entry) => ({
        topic: names.topic(TOPICS.state),
        partition,
        message: wireMessage(stateKey(service, topic, partition, entry), null, {}, clock.now()),
      })),
      group: names.group(service),
      topic: names.topic(topic),
      partition,
      upto,
      stillOurs: () => true,
    });
    // The broker answers before its markers are written; only when the id can be taken again is the offset what we said.
    await openTransactional(own, id, { clock, probe: () => {} });
  };

  const withSession = async <T>(body: (own: Session) => Promise<T>): Promise<T> => {
    const own = await deps.openSession();
    try {
      return await body(own);
    } finally {
      await own.close();
    }
  };

  return {
    topics,
    createTopics,
    async alterTopic(spec) {
      const { ConfigResourceTypes } = inner().kafkajs;
      const found = await existing(spec.name);
      if (!found) throw new TocsinError('UNKNOWN_TOPIC', `no topic ${spec.name}`);
      sameCount(spec, found);
      await ask(`changing ${spec.name}`, () =>
        client.alterConfigs({
          validateOnly: false,
          resources: [
            {
              type: ConfigResourceTypes.TOPIC,
              name: names.topic(spec.name),
              configEntries: configEntries(spec),
            },
          ],
        }),
      );
    },
    async ranges(topic) {
      const partitions = await ids(topic);
      const [lows, highs] = [
        await offsetsAt(topic, partitions, EARLIEST),
        await offsetsAt(topic, partitions, LATEST),
      ];
      return partitions.map(
        (partition): PartitionRange => ({
          topic,
          partition,
          low: lows.get(partition) ?? 0n,
          high: highs.get(partition) ?? 0n,
        }),
      );
    },
    committed,
    async seekToTime(service, topic, timestamp) {
      const partitions = await ids(topic);
      const group = names.group(service);
      const described = await ask(`looking at ${group}`, () => client.describeGroups([group]));
      if ((described.groups[0]?.members.length ?? 0) > 0)
        throw new TocsinError('BAD_USAGE', `${service} is running; a group is moved while it rests`);
      const times = await offsetsAt(topic, partitions, timestamp);
      const ends = await offsetsAt(topic, partitions, LATEST);
      await withSession(async (own) => {
        for (const partition of partitions) {
          const found = times.get(partition) ?? -1n;
          await move(own, service, topic, partition, found < 0n ? (ends.get(partition) ?? 0n) : found);
        }
      });
    },
    async live() {
      if (!(await existing(TOPICS.state))) return null;
      let mark: boolean | null = null;
      await withSession((own) =>
        readToEnd(own, { logical: TOPICS.state, physical: names.topic(TOPICS.state) }, 0, (records) => {
          for (const record of records)
            if (record.key === LIVE_KEY && record.value !== null) {
              const { value } = expectKind(deps.codec.decode(record.value), 'StateEntry');
              mark = Buffer.from(value).toString('utf8') === 'true';
            }
        }),
      );
      return mark;
    },
    async markLive(live) {
      const file = loadTopics().find((topic) => topic.name === TOPICS.state);
      if (file && !(await existing(TOPICS.state))) await createTopics([topicSpec(file)]);
      const value = deps.codec.encode({ kind: 'StateEntry', upto: 0, value: Buffer.from(String(live)) });
      await deps.sender.send([{ topic: TOPICS.state, partition: 0, key: LIVE_KEY, value, headers: {} }]);
    },
  };
}

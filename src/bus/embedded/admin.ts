/** Topics, ranges, committed offsets and the live mark of the embedded bus. */
import { TocsinError } from '../../base/errors.ts';
import type { BusAdmin, TopicSpec } from '../port.ts';
import { hasMembers, type Self } from './group.ts';
import { low, offsetAt, ranges, topicOf } from './log.ts';
import { forgetState } from './state.ts';
import type { Store } from './store.ts';

const NAME = /^[a-zA-Z0-9._-]{1,200}$/;

export function createAdmin(store: Store, me: Self): BusAdmin {
  const known = (name: string): TopicSpec | undefined =>
    store.meta.get(['topic', name]) as TopicSpec | undefined;
  const samePartitions = (spec: TopicSpec, existing: TopicSpec): void => {
    if (existing.partitions !== spec.partitions)
      throw new TocsinError(
        'BUS_TOPIC_MISMATCH',
        `topic ${spec.name} has ${existing.partitions} partitions, not ${spec.partitions}`,
      );
  };
  const plain = ({ name, partitions, retentionMs, cleanup }: TopicSpec): TopicSpec => ({
    name,
    partitions,
    retentionMs,
    cleanup,
  });
  const all = (topic: string): number[] =>
    Array.from({ length: topicOf(store, topic).partitions }, (_, partition) => partition);
  return {
    async topics() {
      store.fresh();
      return store.meta
        .range(['topic', ''], ['topic', '\uffff'])
        .map((entry) => entry.value as TopicSpec)
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async createTopics(specs) {
      store.fresh();
      for (const spec of specs)
        if (!NAME.test(spec.name) || !Number.isInteger(spec.partitions) || spec.partitions < 1)
          throw new TocsinError('BAD_USAGE', `not a topic: ${spec.name} with ${spec.partitions} partitions`);
      const missing = (): TopicSpec[] =>
        specs.filter((spec) => {
          const existing = known(spec.name);
          if (existing) samePartitions(spec, existing);
          return !existing;
        });
      if (missing().length === 0) return;
      await store.write(() => {
        for (const spec of missing()) store.meta.put(['topic', spec.name], plain(spec));
      });
    },
    async alterTopic(spec) {
      await store.write(() => {
        samePartitions(spec, topicOf(store, spec.name));
        store.meta.put(['topic', spec.name], plain(spec));
      });
    },
    async ranges(topic) {
      store.fresh();
      return ranges(store, topic);
    },
    async committed(group, topic) {
      store.fresh();
      return all(topic).map((partition) => {
        const offset = store.offsets.get([group, topic, partition]);
        // What expired unread counts as consumed: it is where the group will go on.
        return offset === undefined ? null : BigInt(Math.max(offset, low(store, topic, partition)));
      });
    },
    async seekToTime(group, topic, timestamp) {
      store.fresh();
      const targets = all(topic).map((partition) => offsetAt(store, topic, partition, timestamp));
      await store.write(() => {
        if (hasMembers(store, group, topic, me))
          throw new TocsinError('BAD_USAGE', `${group} is consuming ${topic}; stop it before it is moved`);
        targets.forEach((offset, partition) => {
          store.offsets.put([group, topic, partition], offset);
          forgetState(store, group, topic, partition);
        });
      });
    },
    async live() {
      store.fresh();
      return (store.meta.get(['live']) as boolean | undefined) ?? null;
    },
    async markLive(live) {
      await store.write(() => store.meta.put(['live'], live));
    },
  };
}

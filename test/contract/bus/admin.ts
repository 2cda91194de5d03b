/** Contract: topics, ranges, committed offsets, seeking by time, the live mark. */
import { describe, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import type { ContractContext } from '../bus-contract.ts';
import { caughtUp, codeOf, consumption, copying, countedBy, numbered, post, text } from './support.ts';

export function adminContract(context: ContractContext): void {
  const { bus, topic, group, timeoutMs, deadlineMs } = context;
  describe('admin', () => {
    it('lists topics as they were made and makes nothing twice', { timeout: timeoutMs }, async () => {
      const name = await topic(3);
      const spec = { name, partitions: 3, retentionMs: null, cleanup: 'delete' as const };
      await bus().produce(numbered(name, 5));
      await bus().admin.createTopics([spec]);
      expect((await bus().admin.topics()).filter((t) => t.name === name)).toEqual([spec]);
      const ranges = await bus().admin.ranges(name);
      expect(ranges.reduce((sum, range) => sum + range.high - range.low, 0n)).toBe(5n);
    });

    it('changes retention and cleanup, never the partition count', { timeout: timeoutMs }, async () => {
      const name = await topic(3);
      const changed = { name, partitions: 3, retentionMs: 86_400_000, cleanup: 'delete' as const };
      await bus().admin.alterTopic(changed);
      expect((await bus().admin.topics()).find((t) => t.name === name)).toEqual(changed);
      const compact = { name, partitions: 3, retentionMs: null, cleanup: 'compact' as const };
      await bus().admin.alterTopic(compact);
      expect((await bus().admin.topics()).find((t) => t.name === name)).toEqual(compact);
      expect(await codeOf(bus().admin.alterTopic({ ...changed, partitions: 4 }))).toBe('BUS_TOPIC_MISMATCH');
      expect(await codeOf(bus().admin.createTopics([{ ...changed, partitions: 4 }]))).toBe(
        'BUS_TOPIC_MISMATCH',
      );
      expect(await codeOf(bus().admin.alterTopic({ ...changed, name: `${name}.missing` }))).toBe(
        'UNKNOWN_TOPIC',
      );
      expect(await codeOf(bus().admin.ranges(`${name}.missing`))).toBe('UNKNOWN_TOPIC');
    });

    it('tells ranges and committed offsets', { timeout: timeoutMs }, async () => {
      const [name, service] = [await topic(2), group()];
      const empty = await bus().admin.ranges(name);
      expect(empty.map((r) => [r.topic, r.partition, r.low, r.high])).toEqual([
        [name, 0, 0n, 0n],
        [name, 1, 0n, 0n],
      ]);
      expect(await bus().admin.committed(service, name)).toEqual([null, null]);
      await bus().produce([post(name, 'k', 'a', { partition: 1 }), post(name, 'k', 'b', { partition: 1 })]);
      expect((await bus().admin.ranges(name)).map((r) => r.high)).toEqual([0n, 2n]);
      const consumer = await bus().consume(consumption(service, name, () => {}));
      await until(
        async () => (await bus().admin.committed(service, name))[1] === 2n,
        'the offset is committed',
        deadlineMs,
      );
      await consumer.close();
    });

    it('moves a resting group to a time and forgets the state that belonged elsewhere', {
      timeout: timeoutMs,
    }, async () => {
      const [name, output, service] = [await topic(1), await topic(1), group()];
      const base = Date.parse('2026-03-01T00:00:00Z');
      await bus().produce(numbered(name, 20).map((r, i) => ({ ...r, timestamp: base + i * 1_000 })));
      const consumer = await bus().consume(copying(service, name, output));
      await until(() => caughtUp(bus(), service, name), 'the first pass', deadlineMs);
      await expect(bus().admin.seekToTime(service, name, base)).rejects.toThrow();
      await consumer.close();
      expect(await countedBy(bus(), service, name)).toBe(20);

      await bus().admin.seekToTime(service, name, base + 14_500);
      expect(await bus().admin.committed(service, name)).toEqual([15n]);
      const again: string[] = [];
      const starts: [bigint, number][] = [];
      const second = await bus().consume({
        ...consumption(service, name, (records) => {
          again.push(...records.map((r) => text(r.value)));
        }),
        open: async (_p, restored) => {
          starts.push([restored.upto, restored.entries.size]);
          return {
            process: async (records) => {
              again.push(...records.map((r) => text(r.value)));
            },
          };
        },
      });
      await until(() => again.length >= 5, 'the second pass', deadlineMs);
      await second.close();
      expect(again).toEqual(['15', '16', '17', '18', '19']);
      expect(starts[0]).toEqual([15n, 0]);
    });

    it('moves a group that never ran, and one past the end', { timeout: timeoutMs }, async () => {
      const [name, service] = [await topic(1), group()];
      const base = Date.parse('2026-03-01T00:00:00Z');
      await bus().produce(numbered(name, 4).map((r, i) => ({ ...r, timestamp: base + i * 1_000 })));
      await bus().admin.seekToTime(service, name, base + 2_000);
      expect(await bus().admin.committed(service, name)).toEqual([2n]);
      await bus().admin.seekToTime(service, name, base + 60_000);
      expect(await bus().admin.committed(service, name)).toEqual([4n]);
    });

    it('remembers whether the environment is live', { timeout: timeoutMs }, async () => {
      for (const live of [true, false]) {
        const environment = `${context.environment}-${live ? 'live' : 'lab'}`;
        const first = await context.harness().connect(environment);
        expect(await first.admin.live()).toBe(null);
        await first.admin.markLive(live);
        expect(await first.admin.live()).toBe(live);
        await first.close();
        const second = await context.harness().connect(environment);
        expect(await second.admin.live()).toBe(live);
        await second.close();
      }
    });
  });
}

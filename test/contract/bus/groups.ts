/** Contract: groups share partitions, hand them over with their state, and never overlap or run ahead. */
import { describe, expect, it } from 'vitest';
import type { Consumer } from '../../../src/bus/port.ts';
import { gate, until } from '../../support/until.ts';
import type { ContractContext } from '../bus-contract.ts';
import {
  caughtUp,
  consumption,
  copying,
  countedBy,
  numbered,
  onEveryPartition,
  post,
  text,
  valuesIn,
} from './support.ts';

const partitionsOf = (consumer: Consumer): number[] =>
  consumer
    .assigned()
    .map((p) => p.partition)
    .sort();

export function groupContract(context: ContractContext): void {
  const { bus, topic, group, timeoutMs, deadlineMs } = context;
  describe('groups', () => {
    it('starts a new group at the earliest record and keeps the order of each partition', {
      timeout: timeoutMs,
    }, async () => {
      const [name, service] = [await topic(3), group()];
      await bus().produce(onEveryPartition(name, 3, 100));
      const seen = new Map<number, number[]>([0, 1, 2].map((p) => [p, []]));
      const consumer = await bus().consume(
        consumption(service, name, (records, _t, { partition }) => {
          seen.get(partition)?.push(...records.map((r) => Number(text(r.value).split(':')[1])));
        }),
      );
      await bus().produce(onEveryPartition(name, 3, 100, 100));
      await until(() => caughtUp(bus(), service, name), 'all is consumed', deadlineMs);
      const inOrder = Array.from({ length: 200 }, (_, i) => i);
      for (const numbers of seen.values()) expect(numbers).toEqual(inOrder);
      expect(consumer.assigned().every((p) => p.topic === name)).toBe(true);
      expect(consumer.idleMs()).toBeLessThan(deadlineMs);
      await consumer.close();
      expect(await consumer.ended).toBe(null);
      expect(consumer.assigned()).toEqual([]);
    });

    it('gives every group all records', { timeout: timeoutMs }, async () => {
      const name = await topic(2);
      await bus().produce(numbered(name, 50));
      const groups = [group(), group()];
      const counts = [0, 0];
      const consumers = await Promise.all(
        groups.map((service, i) =>
          bus().consume(
            consumption(service, name, (records) => {
              counts[i] = (counts[i] as number) + records.length;
            }),
          ),
        ),
      );
      await until(
        () => counts.every((count) => count === 50),
        () => `counts ${counts}`,
        deadlineMs,
      );
      await Promise.all(consumers.map((consumer) => consumer.close()));
    });

    it('splits partitions between two members, and gives all back with their state when one leaves', {
      timeout: timeoutMs * 2,
    }, async () => {
      const [name, output, service] = [await topic(4), await topic(4), group()];
      const other = await context.harness().connect(context.environment);
      try {
        const first = await bus().consume(copying(service, name, output));
        await until(() => first.assigned().length === 4, 'the first member has all', deadlineMs);
        await bus().produce(onEveryPartition(name, 4, 50));
        const second = await other.consume(copying(service, name, output));
        await until(
          () => first.assigned().length === 2 && second.assigned().length === 2,
          () => `members have ${partitionsOf(first)} and ${partitionsOf(second)}`,
          deadlineMs,
        );
        expect([...partitionsOf(first), ...partitionsOf(second)].sort()).toEqual([0, 1, 2, 3]);
        await bus().produce(onEveryPartition(name, 4, 50, 50));
        await until(() => caughtUp(bus(), service, name), 'both work', deadlineMs);
        await second.close();
        await until(() => first.assigned().length === 4, 'the first member has all again', deadlineMs);
        await bus().produce(onEveryPartition(name, 4, 50, 100));
        await until(() => caughtUp(bus(), service, name), 'the rest', deadlineMs);
        await first.close();
        expect(await countedBy(bus(), service, name)).toBe(600);
        const values = await valuesIn(bus(), output);
        expect(values).toHaveLength(600);
        expect(new Set(values).size).toBe(600);
      } finally {
        await other.close();
      }
    });

    it('never gives more than a slice, nor a second slice of a partition before the first is done', {
      timeout: timeoutMs,
    }, async () => {
      const [name, service] = [await topic(1), group()];
      await bus().produce(numbered(name, 2_000));
      const hold = gate();
      let inside = 0;
      let most = 0;
      let calls = 0;
      const sizes: number[] = [];
      const consumer = await bus().consume(
        consumption(
          service,
          name,
          async (records) => {
            calls += 1;
            inside += 1;
            most = Math.max(most, inside);
            sizes.push(records.length);
            await hold.opened;
            inside -= 1;
          },
          { sliceRecords: 64 },
        ),
      );
      await until(() => calls === 1, 'the first slice', deadlineMs);
      // While the slice is held, more arrives and time passes for a groupless read: nothing more may come in.
      await bus().produce(numbered(name, 100, 100, 2_000));
      expect(await valuesIn(bus(), name)).toHaveLength(2_100);
      expect(calls).toBe(1);
      hold.open();
      await until(() => caughtUp(bus(), service, name), 'all is consumed', deadlineMs);
      await consumer.close();
      expect(most).toBe(1);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(64);
      expect(sizes.reduce((a, b) => a + b, 0)).toBe(2_100);
    });

    it('lets at most `concurrency` partitions work at once, and that many', {
      timeout: timeoutMs,
    }, async () => {
      const [name, service] = [await topic(4), group()];
      await bus().produce(onEveryPartition(name, 4, 40));
      const hold = gate();
      let inside = 0;
      let most = 0;
      const consumer = await bus().consume(
        consumption(
          service,
          name,
          async () => {
            inside += 1;
            most = Math.max(most, inside);
            await hold.opened;
            await new Promise((resolve) => setImmediate(resolve));
            inside -= 1;
          },
          { sliceRecords: 10, concurrency: 2 },
        ),
      );
      await until(() => inside === 2, 'two partitions at work', deadlineMs);
      hold.open();
      await until(() => caughtUp(bus(), service, name), 'all is consumed', deadlineMs);
      await consumer.close();
      expect(most).toBe(2);
    });

    it('does not wait for a slice to fill', { timeout: timeoutMs }, async () => {
      const [name, service] = [await topic(1), group()];
      let seen = 0;
      const consumer = await bus().consume(
        consumption(
          service,
          name,
          (records) => {
            seen += records.length;
          },
          { sliceRecords: 1_000, sliceMs: 20 },
        ),
      );
      await bus().produce([post(name, 'k', 'v')]);
      await until(() => seen === 1, 'the lone record', deadlineMs);
      await consumer.close();
    });

    it('finishes and commits the slice in hand when it is closed', { timeout: timeoutMs }, async () => {
      const [name, output, service] = [await topic(1), await topic(1), group()];
      await bus().produce(numbered(name, 10));
      const hold = gate();
      let entered = 0;
      let closed = 0;
      const consumer = await bus().consume({
        ...consumption(service, name, () => {}),
        sliceRecords: 10,
        open: async () => ({
          async process(records, transaction) {
            entered += records.length;
            for (const record of records)
              transaction.send(post(output, record.key as string, text(record.value)));
            await hold.opened;
          },
          close() {
            closed += 1;
          },
        }),
      });
      await until(() => entered > 0, 'the slice has begun', deadlineMs);
      const closing = consumer.close();
      hold.open();
      await closing;
      expect(closed).toBe(1);
      expect(await valuesIn(bus(), output)).toHaveLength(entered);
      expect((await bus().admin.committed(service, name))[0]).toBe(BigInt(entered));
    });
  });
}

/** Contract: outputs, state and offsets commit as one or not at all, whatever goes wrong. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ChildOrder } from '../../support/bus-child.ts';
import { gate, until } from '../../support/until.ts';
import type { ContractContext } from '../bus-contract.ts';
import {
  bytes,
  caughtUp,
  codeOf,
  consumption,
  copying,
  countedBy,
  numbered,
  onEveryPartition,
  post,
  readAll,
  text,
  valuesIn,
} from './support.ts';

const CHILD = fileURLToPath(new URL('../../support/bus-child.ts', import.meta.url));

export function transactionContract(context: ContractContext): void {
  const { bus, topic, group, timeoutMs, deadlineMs } = context;
  describe('transactions', () => {
    it('shows nothing of a slice before it is committed, and then all of it', {
      timeout: timeoutMs,
    }, async () => {
      const [name, output, service] = [await topic(1), await topic(3), group()];
      await bus().produce(numbered(name, 12));
      const hold = gate();
      let sent = 0;
      const consumer = await bus().consume(
        consumption(service, name, async (records, transaction) => {
          for (const record of records)
            transaction.send(post(output, record.key as string, text(record.value)));
          transaction.putState('count', bytes(String(records.length)));
          sent += records.length;
          await hold.opened;
        }),
      );
      await until(() => sent > 0, 'the slice has sent', deadlineMs);
      await bus().produce([post(output, 'outside', 'outside')]);
      expect(await valuesIn(bus(), output)).toEqual(['outside']);
      expect(await countedBy(bus(), service, name)).toBe(0);
      expect(await bus().admin.committed(service, name)).toEqual([null]);
      hold.open();
      await until(() => caughtUp(bus(), service, name), 'the commit', deadlineMs);
      await consumer.close();
      expect(await valuesIn(bus(), output)).toHaveLength(13);
      expect(sent).toBe(12);
    });

    it('forgets a slice that throws and brings the same records again, with the committed state', {
      timeout: timeoutMs,
    }, async () => {
      const [name, output, service] = [await topic(1), await topic(3), group()];
      await bus().produce(numbered(name, 40));
      const slices: { upto: bigint; count: string; offsets: bigint[]; threw: boolean }[] = [];
      let opened = 0;
      let closed = 0;
      let failures = 2;
      const told: string[] = [];
      const consumer = await bus().consume({
        ...consumption(service, name, () => {}),
        sliceRecords: 10,
        failed: (code) => told.push(code),
        open: async (_partition, restored) => {
          opened += 1;
          let count = Number(text(restored.entries.get('count')));
          let upto = restored.upto;
          return {
            async process(records, transaction) {
              const threw = count >= 20 && failures > 0;
              const offsets = records.map((r) => r.offset);
              slices.push({ upto, count: String(count), offsets, threw });
              for (const record of records)
                transaction.send(post(output, record.key as string, text(record.value)));
              count += records.length;
              upto = (records.at(-1)?.offset ?? 0n) + 1n;
              transaction.putState('count', bytes(String(count)));
              if (threw) {
                failures -= 1;
                throw new Error('broken on purpose');
              }
            },
            close() {
              closed += 1;
            },
          };
        },
      });
      await until(() => caughtUp(bus(), service, name), 'all is consumed', deadlineMs);
      await consumer.close();
      expect(await valuesIn(bus(), output)).toEqual(
        numbered(name, 40)
          .map((r) => text(r.value))
          .sort(),
      );
      expect(await countedBy(bus(), service, name)).toBe(40);
      const broken = slices.filter((slice) => slice.threw);
      expect(broken).toHaveLength(2);
      const first = slices.indexOf(broken[0] as (typeof slices)[number]);
      for (const again of [slices[first + 1], slices[first + 2]]) {
        expect(again?.upto).toBe(broken[0]?.offsets[0]);
        expect(again?.count).toBe(broken[0]?.count);
        expect(again?.offsets.slice(0, broken[0]?.offsets.length)).toEqual(broken[0]?.offsets);
      }
      // Once more where the group was balanced anew in the meantime.
      expect(opened).toBeGreaterThanOrEqual(3);
      expect(closed).toBe(opened);
      expect(told.filter((code) => code === 'INTERNAL')).toHaveLength(2);
    });

    it('keeps other partitions going while one keeps throwing', { timeout: timeoutMs }, async () => {
      const [name, output, service] = [await topic(2), await topic(2), group()];
      await bus().produce(onEveryPartition(name, 2, 50));
      let healed = false;
      let failures = 0;
      const consumer = await bus().consume(
        consumption(service, name, (records, transaction, { partition }) => {
          for (const record of records)
            transaction.send(post(output, record.key as string, text(record.value)));
          if (partition === 0 && !healed) {
            failures += 1;
            throw new Error('broken on purpose');
          }
        }),
      );
      await until(
        async () => (await bus().admin.committed(service, name))[1] === 50n,
        'partition 1',
        deadlineMs,
      );
      await until(() => failures >= 2, 'partition 0 is tried again', deadlineMs);
      expect((await valuesIn(bus(), output)).every((value) => value.startsWith('1:'))).toBe(true);
      healed = true;
      await until(() => caughtUp(bus(), service, name), 'partition 0 recovers', deadlineMs);
      await consumer.close();
      const values = await valuesIn(bus(), output);
      expect(values).toHaveLength(100);
      expect(new Set(values).size).toBe(100);
    });

    it('keeps the order of outputs of one slice per key', { timeout: timeoutMs }, async () => {
      const [name, output, service] = [await topic(1), await topic(2), group()];
      await bus().produce(numbered(name, 100, 100));
      const consumer = await bus().consume(
        consumption(service, name, (records, transaction) => {
          for (const record of records)
            for (const key of ['a', 'b', 'c']) transaction.send(post(output, key, text(record.value)));
        }),
      );
      await until(() => caughtUp(bus(), service, name), 'all is consumed', deadlineMs);
      await consumer.close();
      const all = await readAll(bus(), output);
      const expected = Array.from({ length: 100 }, (_, i) => String(i));
      for (const key of ['a', 'b', 'c'])
        expect(all.filter((r) => r.key === key).map((r) => text(r.value))).toEqual(expected);
    });

    it('refuses an output without a key', { timeout: timeoutMs }, async () => {
      const [name, output, service] = [await topic(1), await topic(1), group()];
      await bus().produce([post(name, 'k', 'v')]);
      let code = '';
      const consumer = await bus().consume(
        consumption(service, name, async (_records, transaction) => {
          code = await codeOf((async () => transaction.send(post(output, '', 'v')))());
        }),
      );
      await until(() => caughtUp(bus(), service, name), 'the slice is done', deadlineMs);
      await consumer.close();
      expect(code).toBe('BAD_RECORD');
      expect(await valuesIn(bus(), output)).toEqual([]);
    });

    it('loses and doubles nothing when a consumer is killed in the middle of a slice', {
      timeout: timeoutMs * 2,
    }, async () => {
      const [name, output, service] = [await topic(3), await topic(3), group()];
      await bus().produce(onEveryPartition(name, 3, 100));
      const order: ChildOrder = {
        bus: context.harness().child(context.environment),
        group: service,
        topic: name,
        output,
        sliceRecords: 20,
        hangAfter: 130,
      };
      const child = spawn(process.execPath, ['--import', 'tsx', CHILD, JSON.stringify(order)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      const exited = once(child, 'exit');
      try {
        await until(
          () => said.includes('mid-slice') || child.exitCode !== null,
          'the child works',
          deadlineMs,
        );
        expect(child.exitCode).toBe(null);
        expect((await valuesIn(bus(), output)).length).toBeGreaterThan(0);
      } finally {
        child.kill('SIGKILL');
        await exited;
      }
      const survivor = await bus().consume(copying(service, name, output, { sliceRecords: 20 }));
      await until(() => caughtUp(bus(), service, name), 'the survivor takes over', deadlineMs);
      await survivor.close();
      expect(await valuesIn(bus(), output)).toEqual(
        onEveryPartition(name, 3, 100)
          .map((r) => text(r.value))
          .sort(),
      );
      expect(await countedBy(bus(), service, name)).toBe(300);
    });

    it('at least once: outputs first, then the offset; a slice that throws comes again', {
      timeout: timeoutMs,
    }, async () => {
      const [name, output, service] = [await topic(2), await topic(2), group()];
      await bus().produce(onEveryPartition(name, 2, 30));
      let failures = 2;
      let stateRefused = '';
      const consumer = await bus().consume(
        consumption(
          service,
          name,
          async (records, transaction, { restored }) => {
            expect(restored.entries.size).toBe(0);
            for (const record of records)
              transaction.send(post(output, record.key as string, text(record.value)));
            stateRefused = await codeOf((async () => transaction.putState('count', bytes('1')))());
            if (failures-- > 0) throw new Error('broken on purpose');
          },
          { mode: 'at-least-once', sliceRecords: 7 },
        ),
      );
      await until(() => caughtUp(bus(), service, name), 'all is consumed', deadlineMs);
      await consumer.close();
      expect(stateRefused).toBe('BAD_USAGE');
      const wanted = new Set(onEveryPartition(name, 2, 30).map((r) => text(r.value)));
      expect(new Set(await valuesIn(bus(), output))).toEqual(wanted);
    });
  });
}

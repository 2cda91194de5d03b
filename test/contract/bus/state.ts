/** Contract: state outlives its worker and the bus, and can be watched from outside. */
import { describe, expect, it } from 'vitest';
import type { RestoredState } from '../../../src/bus/port.ts';
import { until } from '../../support/until.ts';
import type { ContractContext } from '../bus-contract.ts';
import {
  bytes,
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

export function stateContract(context: ContractContext): void {
  const { bus, topic, group, timeoutMs, deadlineMs } = context;
  describe('state', () => {
    it('goes on after a restart where it stopped', { timeout: timeoutMs * 2 }, async () => {
      const [name, output, service] = [await topic(2), await topic(2), group()];
      const first = await context.harness().connect(context.environment);
      await first.produce(onEveryPartition(name, 2, 40));
      const consumer = await first.consume(copying(service, name, output));
      await until(() => caughtUp(first, service, name), 'the first half', deadlineMs);
      await consumer.close();
      await first.close();

      const second = await context.harness().connect(context.environment);
      try {
        await second.produce(onEveryPartition(name, 2, 40, 40));
        const restored = new Map<number, RestoredState>();
        const plain = copying(service, name, output);
        const again = await second.consume({
          ...plain,
          open: (partition, state) => {
            restored.set(partition.partition, state);
            return plain.open(partition, state);
          },
        });
        await until(() => caughtUp(second, service, name), 'the second half', deadlineMs);
        await again.close();
        for (const partition of [0, 1]) {
          expect(restored.get(partition)?.upto).toBe(40n);
          expect(text(restored.get(partition)?.entries.get('count'))).toBe('40');
        }
        expect(await countedBy(second, service, name)).toBe(160);
        expect(await valuesIn(second, output)).toHaveLength(160);
      } finally {
        await second.close();
      }
    });

    it('keeps many entries, replaces and forgets them', { timeout: timeoutMs }, async () => {
      const [name, service] = [await topic(1), group()];
      const long = `entry/${'ä/'.repeat(200)}`;
      await bus().produce([post(name, 'k', 'first')]);
      const work = consumption(service, name, (records, transaction) => {
        if (text(records[0]?.value) === 'first') {
          for (let i = 0; i < 300; i += 1) transaction.putState(`e${i}`, bytes(`one ${i}`));
          transaction.putState(long, bytes('long'));
          transaction.putState('ledger', bytes('1'));
        } else {
          for (let i = 0; i < 299; i += 1) transaction.putState(`e${i}`, null);
          transaction.putState('e299', new Uint8Array(200_000).fill(7));
          transaction.putState('ledger', bytes('2'));
          transaction.putState('twice', bytes('early'));
          transaction.putState('twice', bytes('late'));
        }
      });
      const consumer = await bus().consume(work);
      await until(() => caughtUp(bus(), service, name), 'the first slice', deadlineMs);
      await bus().produce([post(name, 'k', 'second')]);
      await until(() => caughtUp(bus(), service, name), 'the second slice', deadlineMs);
      await consumer.close();
      let restored: RestoredState | undefined;
      const last = await bus().consume({
        ...work,
        open: async (_partition, state) => {
          restored = state;
          return { process: async () => {} };
        },
      });
      await until(() => restored !== undefined, 'the state is handed back', deadlineMs);
      await last.close();
      expect([...(restored?.entries.keys() ?? [])].sort()).toEqual(['e299', long, 'ledger', 'twice'].sort());
      expect(text(restored?.entries.get(long))).toBe('long');
      expect(text(restored?.entries.get('ledger'))).toBe('2');
      expect(text(restored?.entries.get('twice'))).toBe('late');
      expect(restored?.entries.get('e299')).toHaveLength(200_000);
    });

    it('shows the entries that a watcher asks for, as of their offset', { timeout: timeoutMs }, async () => {
      const [name, service] = [await topic(2), group()];
      const view = await bus().watchState(service, name, (entry) => entry === 'ledger');
      const other = await context.harness().connect(context.environment);
      try {
        await view.refresh();
        expect([...view.partitions().values()].every((state) => state.entries.size === 0)).toBe(true);
        const consumer = await other.consume(
          consumption(service, name, (records, transaction) => {
            const upto = (records.at(-1)?.offset ?? 0n) + 1n;
            transaction.putState('ledger', bytes(String(upto)));
            transaction.putState('secret', bytes('x'));
          }),
        );
        for (let round = 1; round <= 3; round += 1) {
          await bus().produce(onEveryPartition(name, 2, 10, round * 10));
          await until(() => caughtUp(bus(), service, name), `round ${round}`, deadlineMs);
          await view.refresh();
          for (const partition of [0, 1]) {
            const state = view.partitions().get(partition);
            expect(state?.upto).toBe(BigInt(round * 10));
            expect([...(state?.entries ?? [])].map(([entry, value]) => [entry, text(value)])).toEqual([
              ['ledger', String(round * 10)],
            ]);
          }
        }
        await consumer.close();
      } finally {
        await view.close();
        await other.close();
      }
    });

    it('follows without being asked', { timeout: timeoutMs }, async () => {
      const [name, service] = [await topic(1), group()];
      const view = await bus().watchState(service, name, () => true);
      const consumer = await bus().consume(copying(service, name, await topic(1)));
      await bus().produce(numbered(name, 5));
      await until(
        () => text(view.partitions().get(0)?.entries.get('count')) === '5',
        'the view moves by itself',
        deadlineMs,
      );
      await consumer.close();
      await view.close();
    });
  });
}

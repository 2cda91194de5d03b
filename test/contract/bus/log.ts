/** Contract: what is produced is kept in order, whole, where its key belongs, and can be read from anywhere. */
import { describe, expect, it } from 'vitest';
import { partitionOf } from '../../../src/base/murmur2.ts';
import type { ReceivedRecord } from '../../../src/bus/port.ts';
import { until } from '../../support/until.ts';
import type { ContractContext } from '../bus-contract.ts';
import { bytes, codeOf, numbered, onEveryPartition, post, readAll, text } from './support.ts';

/** Partitions of six that Java's DefaultPartitioner (org.apache.kafka.common.utils.Utils.murmur2) gives. */
const JAVA_HASHES: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

export function logContract(context: ContractContext): void {
  const { bus, topic, timeoutMs, deadlineMs } = context;
  describe('log', () => {
    it('keeps the order of every key, within a call and between awaited calls', {
      timeout: timeoutMs,
    }, async () => {
      const name = await topic(3);
      for (let call = 0; call < 5; call += 1) await bus().produce(numbered(name, 200, 7, call * 200));
      const last = new Map<string, number>();
      const all = await readAll(bus(), name);
      expect(all).toHaveLength(1_000);
      for (const record of all) {
        const n = Number(text(record.value));
        expect(n).toBeGreaterThan(last.get(record.key as string) ?? -1);
        last.set(record.key as string, n);
      }
    });

    it('numbers the records of a partition upwards', { timeout: timeoutMs }, async () => {
      const name = await topic(2);
      await bus().produce(numbered(name, 100));
      for (const partition of [0, 1]) {
        const offsets = (await readAll(bus(), name, { partitions: [partition] })).map((r) => r.offset);
        expect(offsets.length).toBeGreaterThan(0);
        expect(offsets.every((offset, i) => i === 0 || offset > (offsets[i - 1] as bigint))).toBe(true);
      }
    });

    it('puts keys where the Java client puts them', { timeout: timeoutMs }, async () => {
      const name = await topic(6);
      const keys = [...JAVA_HASHES.map(([key]) => key), 'Grüße', '🌊', 'x'.repeat(300)];
      await bus().produce(keys.map((key) => post(name, key, 'v')));
      const found = new Map((await readAll(bus(), name)).map((r) => [r.key as string, r.partition]));
      for (const [key, hash] of JAVA_HASHES) expect(found.get(key)).toBe((hash & 0x7fffffff) % 6);
      for (const key of keys) expect(found.get(key)).toBe(partitionOf(key, 6));
    });

    it('obeys a partition that is given', { timeout: timeoutMs }, async () => {
      const name = await topic(4);
      const partition = (partitionOf('k', 4) + 1) % 4;
      await bus().produce([post(name, 'k', 'v', { partition })]);
      expect((await readAll(bus(), name)).map((r) => r.partition)).toEqual([partition]);
    });

    it('carries headers, timestamps, empty and 1 MB values unchanged', { timeout: timeoutMs }, async () => {
      const name = await topic(1);
      const big = new Uint8Array(1_000_000).map((_, i) => (i * 31) & 0xff);
      const headers = { 'content-type': 'application/avro', note: 'Überflutung 🌊', empty: '' };
      const timestamp = Date.parse('2026-01-02T03:04:05.678Z');
      await bus().produce([
        { topic: name, key: 'a', value: big, headers, timestamp },
        { topic: name, key: 'b', value: new Uint8Array(), headers: {}, timestamp: timestamp + 1 },
        { topic: name, key: 'Ünï', value: Uint8Array.from([0, 255, 0xc3, 1]), headers: { x: '1' } },
      ]);
      const [first, second, third] = (await readAll(bus(), name)) as [
        ReceivedRecord,
        ReceivedRecord,
        ReceivedRecord,
      ];
      expect(Buffer.compare(Buffer.from(first.value ?? []), big)).toBe(0);
      expect(first.headers).toEqual(headers);
      expect(first.timestamp).toBe(timestamp);
      expect([first.topic, first.partition, first.key]).toEqual([name, 0, 'a']);
      expect(second.value).toHaveLength(0);
      expect(second.headers).toEqual({});
      expect(third.key).toBe('Ünï');
      expect([...(third.value ?? [])]).toEqual([0, 255, 0xc3, 1]);
      expect(third.timestamp).toBeGreaterThan(timestamp);
    });

    it('refuses an empty key and an unknown topic, and then keeps nothing of the call', {
      timeout: timeoutMs,
    }, async () => {
      const name = await topic(1);
      expect(await codeOf(bus().produce([post(name, 'k', 'v'), post(name, '', 'v')]))).toBe('BAD_RECORD');
      expect(await codeOf(bus().produce([post(`${name}.missing`, 'k', 'v')]))).toBe('UNKNOWN_TOPIC');
      expect(await codeOf(readAll(bus(), `${name}.missing`))).toBe('UNKNOWN_TOPIC');
      expect(await readAll(bus(), name)).toEqual([]);
    });

    it('reads from the earliest record, the last ones, a time, and some partitions only', {
      timeout: timeoutMs,
    }, async () => {
      const name = await topic(2);
      const base = Date.parse('2026-03-01T00:00:00Z');
      await bus().produce(
        onEveryPartition(name, 2, 20).map((record, i) => ({
          ...record,
          timestamp: base + Math.floor(i / 2) * 1_000,
        })),
      );
      const numbers = async (options: Parameters<typeof readAll>[2]): Promise<number[]> =>
        (await readAll(bus(), name, { partitions: [1], ...options })).map((r) =>
          Number(text(r.value).split(':')[1]),
        );
      const all = Array.from({ length: 20 }, (_, i) => i);
      expect(await numbers({ from: 'earliest' })).toEqual(all);
      expect(await numbers({ from: { lastRecords: 3 } })).toEqual([17, 18, 19]);
      expect(await numbers({ from: { lastRecords: 300 } })).toEqual(all);
      expect(await numbers({ from: { timestamp: base + 15_000 } })).toEqual([15, 16, 17, 18, 19]);
      expect(await numbers({ from: { timestamp: base + 14_001 } })).toEqual([15, 16, 17, 18, 19]);
      expect(await numbers({ from: { timestamp: base + 99_000 } })).toEqual([]);
      expect(await numbers({ from: 'latest' })).toEqual([]);
      expect(await readAll(bus(), name, { from: 'earliest' })).toHaveLength(40);
    });

    it('ends at the end of an empty topic', { timeout: timeoutMs }, async () => {
      expect(await readAll(bus(), await topic(3))).toEqual([]);
    });

    it('follows a topic from its latest record until it is told to stop', {
      timeout: timeoutMs,
    }, async () => {
      const name = await topic(2);
      await bus().produce(numbered(name, 10).map((record) => ({ ...record, value: bytes('old') })));
      const stop = new AbortController();
      const seen: string[] = [];
      const reading = (async () => {
        for await (const batch of bus().read(name, { from: 'latest', signal: stop.signal }))
          seen.push(...batch.map((record) => text(record.value)));
      })();
      let sent = 0;
      // When the read has found its place is not known: new records keep coming until it has some.
      await until(
        async () => {
          await bus().produce([post(name, `new-${sent++}`, 'new')]);
          return seen.length > 2;
        },
        'a followed topic brings new records',
        deadlineMs,
      );
      stop.abort();
      await reading;
      expect(new Set(seen)).toEqual(new Set(['new']));
    });

    it('lets a second connection read what the first one wrote, also while following', {
      timeout: timeoutMs,
    }, async () => {
      const name = await topic(1);
      const other = await context.harness().connect(context.environment);
      try {
        const stop = new AbortController();
        const seen: string[] = [];
        const reading = (async () => {
          for await (const batch of other.read(name, { from: 'earliest', signal: stop.signal }))
            seen.push(...batch.map((record) => text(record.value)));
        })();
        await bus().produce([post(name, 'k', 'one')]);
        await until(() => seen.length === 1, 'the first record', deadlineMs);
        await bus().produce([post(name, 'k', 'two')]);
        await until(() => seen.length === 2, 'the second record', deadlineMs);
        stop.abort();
        await reading;
        expect(seen).toEqual(['one', 'two']);
      } finally {
        await other.close();
      }
    });

    it('answers while it is open and refuses after it was closed', { timeout: timeoutMs }, async () => {
      const name = await topic(1);
      const other = await context.harness().connect(context.environment);
      await other.ping();
      await other.close();
      expect(await codeOf(other.produce([post(name, 'k', 'v')]))).toBe('BUS_CLOSED');
      expect(await codeOf(other.ping())).toBe('BUS_CLOSED');
    });
  });
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  append,
  encodeBatches,
  head,
  low,
  offsetAt,
  readOn,
  replaceChunk,
  startOf,
  storedBytes,
} from '../../../../src/bus/embedded/log.ts';
import type { Store } from '../../../../src/bus/embedded/store.ts';
import type { OutgoingRecord } from '../../../../src/bus/port.ts';
import { makeTopics, plainTopic, temporaryStore } from '../../../support/embedded.ts';

const record = (value: string, more: Partial<OutgoingRecord> = {}): OutgoingRecord => ({
  topic: 't',
  key: 'k',
  value: Buffer.from(value),
  headers: {},
  ...more,
});

const put = (
  store: Store,
  records: readonly OutgoingRecord[],
  now = 1,
  cap: number | null = null,
): Promise<void> => {
  const batches = encodeBatches(store, records, now);
  return store.write(() => append(store, batches, cap));
};

const valuesFrom = (store: Store, offset: number): string[] => {
  store.fresh();
  const values: string[] = [];
  let at = offset;
  for (let part = readOn(store, 't', 0, at); part; part = readOn(store, 't', 0, at)) {
    values.push(...part.records.map((r) => Buffer.from(r.value ?? []).toString()));
    at = part.next;
  }
  return values;
};

describe('log', () => {
  it('reads on from any offset, however the records came in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 8 }),
        async (sizes) => {
          const store = await temporaryStore();
          await makeTopics(store, [plainTopic('t')]);
          const all: string[] = [];
          for (const size of sizes) {
            const values = Array.from({ length: size }, (_, i) => String(all.length + i));
            all.push(...values);
            await put(
              store,
              values.map((value) => record(value)),
            );
          }
          store.fresh();
          expect(head(store, 't', 0)).toBe(all.length);
          for (let offset = 0; offset <= all.length; offset += 1)
            expect(valuesFrom(store, offset)).toEqual(all.slice(offset));
          for (const n of [0, 1, 3, 100])
            expect(startOf(store, 't', 0, { lastRecords: n })).toBe(Math.max(0, all.length - n));
        },
      ),
      { numRuns: 15 },
    );
  });

  it('cuts chunks at a megabyte and keeps the order', async () => {
    const store = await temporaryStore();
    await makeTopics(store, [plainTopic('t')]);
    await put(
      store,
      Array.from({ length: 9 }, (_, i) => record(String(i).repeat(300_000))),
    );
    store.fresh();
    expect(store.notes.keys(['t', 0, 0], ['t', 0, 100]).map((key) => key[2])).toEqual([0, 3, 6]);
    expect(valuesFrom(store, 0).map((value) => value[0])).toEqual([
      '0',
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
      '7',
      '8',
    ]);
    expect(valuesFrom(store, 4).map((value) => value[0])).toEqual(['4', '5', '6', '7', '8']);
  });

  it('finds the first record at or after a time, also when times are out of order', async () => {
    const store = await temporaryStore();
    await makeTopics(store, [plainTopic('t')]);
    for (const times of [[10, 50, 20], [30], [60, 40]])
      await put(
        store,
        times.map((timestamp) => record(String(timestamp), { timestamp })),
      );
    store.fresh();
    const found = (time: number): number => offsetAt(store, 't', 0, time);
    expect([0, 10, 11, 51, 60, 61].map(found)).toEqual([0, 0, 1, 4, 4, 6]);
  });

  it('reads over what is gone, and knows what is still kept', async () => {
    const store = await temporaryStore();
    await makeTopics(store, [plainTopic('t')]);
    for (let i = 0; i < 4; i += 1) await put(store, [record(`${i}a`), record(`${i}b`)]);
    store.fresh();
    const before = storedBytes(store);
    await store.write(() => {
      replaceChunk(store, ['t', 0, 0], null);
      replaceChunk(
        store,
        ['t', 0, 4],
        [{ delta: 1, timestamp: 1, key: 'k', headers: {}, value: Buffer.from('2b') }],
      );
    });
    store.fresh();
    expect(low(store, 't', 0)).toBe(2);
    expect(storedBytes(store)).toBeLessThan(before);
    expect(valuesFrom(store, 0)).toEqual(['1a', '1b', '2b', '3a', '3b']);
    expect(valuesFrom(store, 5)).toEqual(['2b', '3a', '3b']);
    await store.write(() => {
      for (const base of [2, 4, 6]) replaceChunk(store, ['t', 0, base], null);
    });
    store.fresh();
    expect([low(store, 't', 0), head(store, 't', 0), storedBytes(store)]).toEqual([8, 8, 0]);
    expect(valuesFrom(store, 3)).toEqual([]);
  });

  it('refuses the whole call at the cap', async () => {
    const store = await temporaryStore();
    await makeTopics(store, [plainTopic('t')]);
    await put(store, [record('x'.repeat(50_000))], 1, 100_000);
    await expect(
      put(store, [record('small'), record('y'.repeat(60_000), { partition: 0 })], 1, 100_000),
    ).rejects.toMatchObject({ code: 'BUS_FULL', retryable: true });
    expect(valuesFrom(store, 0)).toHaveLength(1);
    await put(store, [record('small')], 1, 100_000);
    expect(valuesFrom(store, 0)).toHaveLength(2);
  });

  it('refuses partitions that are not there', async () => {
    const store = await temporaryStore();
    await makeTopics(store, [plainTopic('t', 2)]);
    for (const partition of [-1, 2, 0.5])
      expect(() => encodeBatches(store, [record('v', { partition })], 1)).toThrow(
        expect.objectContaining({ code: 'BAD_RECORD' }),
      );
  });
});

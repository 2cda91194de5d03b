import { describe, expect, it } from 'vitest';
import { append, encodeBatches, head, low, readOn, storedBytes } from '../../../../src/bus/embedded/log.ts';
import { maintain } from '../../../../src/bus/embedded/maintenance.ts';
import type { Store } from '../../../../src/bus/embedded/store.ts';
import type { TopicSpec } from '../../../../src/bus/port.ts';
import { makeTopics, plainTopic, temporaryStore } from '../../../support/embedded.ts';
import { createManualClock, type ManualClock } from '../../../support/manual-clock.ts';

const never = new AbortController().signal;
const HOUR = 3_600_000;

async function setUp(
  spec: TopicSpec,
): Promise<{ store: Store; clock: ManualClock; put: (key: string, value: Uint8Array) => Promise<void> }> {
  const store = await temporaryStore();
  const clock = createManualClock();
  await makeTopics(store, [spec]);
  return {
    store,
    clock,
    async put(key, value) {
      const batches = encodeBatches(store, [{ topic: spec.name, key, value, headers: {} }], clock.now());
      await store.write(() => append(store, batches, null));
    },
  };
}

function contents(store: Store): [bigint, string | null][] {
  store.fresh();
  const found: [bigint, string | null][] = [];
  let at = 0;
  for (let part = readOn(store, 't', 0, at); part; part = readOn(store, 't', 0, at)) {
    found.push(...part.records.map((r): [bigint, string | null] => [r.offset, r.key]));
    at = part.next;
  }
  return found;
}

describe('maintenance', () => {
  it('drops what is older than the retention, in whole chunks, and nothing else', async () => {
    const { store, clock, put } = await setUp({ ...plainTopic('t'), retentionMs: 2 * HOUR });
    for (let i = 0; i < 5; i += 1) {
      await put(`k${i}`, new Uint8Array(100));
      clock.advance(HOUR);
    }
    const before = storedBytes(store);
    expect(await maintain(store, clock, never)).toBe(true);
    expect(contents(store).map(([offset]) => offset)).toEqual([3n, 4n]);
    expect([low(store, 't', 0), head(store, 't', 0)]).toEqual([3, 5]);
    expect(storedBytes(store)).toBeLessThan(before);
    clock.advance(10 * HOUR);
    await maintain(store, clock, never);
    expect(contents(store)).toEqual([]);
    expect([low(store, 't', 0), head(store, 't', 0), storedBytes(store)]).toEqual([5, 5, 0]);
  });

  it('keeps for ever where there is no retention', async () => {
    const { store, clock, put } = await setUp(plainTopic('t'));
    await put('k', new Uint8Array(10));
    clock.advance(10_000 * HOUR);
    await maintain(store, clock, never);
    expect(contents(store)).toHaveLength(1);
  });

  it('is done by one process at a time', async () => {
    const { store, clock } = await setUp(plainTopic('t'));
    const rounds = await Promise.all([1, 2, 3].map(() => maintain(store, clock, never)));
    expect(rounds.filter(Boolean)).toHaveLength(1);
    clock.advance(60_000);
    expect(await maintain(store, clock, never)).toBe(true);
  });

  it('keeps the newest record of every key of a compacted topic, at its offset', async () => {
    const { store, clock, put } = await setUp({ ...plainTopic('t'), cleanup: 'compact' });
    for (let i = 0; i < 60; i += 1) await put(`k${i % 7}`, new Uint8Array(100_000).fill(i));
    await put('once', new Uint8Array(1));
    await maintain(store, clock, never);
    const keys = contents(store).map(([, key]) => key);
    expect([...keys].sort()).toEqual(['k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'once']);
    expect(contents(store).map(([offset]) => offset)).toEqual([53n, 54n, 55n, 56n, 57n, 58n, 59n, 60n]);
    expect(storedBytes(store)).toBeLessThan(900_000);
    // A little more is not worth another round.
    await put('once', new Uint8Array(1));
    clock.advance(60_000);
    await maintain(store, clock, never);
    expect(contents(store)).toHaveLength(9);
  });

  it('thins a chunk that holds several records of one key', async () => {
    const { store, clock } = await setUp({ ...plainTopic('t'), cleanup: 'compact' });
    for (let round = 0; round < 6; round += 1) {
      const records = Array.from({ length: 10 }, (_, i) => ({
        topic: 't',
        key: i === 0 ? `only-${round}` : `k${i % 2}`,
        value: new Uint8Array(90_000),
        headers: { round: String(round) },
      }));
      const batches = encodeBatches(store, records, clock.now());
      await store.write(() => append(store, batches, null));
    }
    await maintain(store, clock, never);
    expect(contents(store)).toEqual([
      [0n, 'only-0'],
      [10n, 'only-1'],
      [20n, 'only-2'],
      [30n, 'only-3'],
      [40n, 'only-4'],
      [50n, 'only-5'],
      [58n, 'k0'],
      [59n, 'k1'],
    ]);
  });
});

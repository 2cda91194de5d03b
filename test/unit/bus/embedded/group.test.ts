import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createMembership,
  hasMembers,
  holds,
  LEASE_MS,
  type Membership,
} from '../../../../src/bus/embedded/group.ts';
import type { Store } from '../../../../src/bus/embedded/store.ts';
import { temporaryDir, temporaryStore } from '../../../support/embedded.ts';
import { createManualClock } from '../../../support/manual-clock.ts';

const clock = createManualClock();
const here = { clock, pid: process.pid, place: 'here' };
const elsewhere = { clock, pid: 1, place: 'elsewhere' };

const member = (store: Store, id: string, me = here): Membership => createMembership(store, 'g', 't', id, me);
const shares = (members: readonly Membership[], partitions: number): number[][] =>
  members.map((one) => [...one.wanted(partitions)]);

describe('group', () => {
  it('shares every partition out, to one member each', async () => {
    const store = await temporaryStore();
    const members = [member(store, 'a'), member(store, 'b'), member(store, 'c')];
    expect(shares(members, 6)).toEqual([[], [], []]);
    for (const one of members) await one.beat();
    expect(shares(members, 6)).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(shares(members, 2)).toEqual([[0], [1], []]);
    await members[0]?.leave();
    expect(shares(members, 6)).toEqual([[], [0, 2, 4], [1, 3, 5]]);
  });

  it('hands a partition over only after its owner gave it up', async () => {
    const store = await temporaryStore();
    const [a, b] = [member(store, 'a'), member(store, 'b')];
    await a.beat();
    await b.beat();
    const first = await a.acquire(0, false);
    if (!first) throw new Error('a did not get the partition');
    expect(await b.acquire(0, false)).toBe(null);
    expect(holds(store, first)).toBe(true);
    await a.release(first);
    const second = await b.acquire(0, false);
    if (!second) throw new Error('b did not get the partition');
    store.fresh();
    expect(second.epoch).toBeGreaterThan(first.epoch);
    expect([holds(store, first), holds(store, second)]).toEqual([false, true]);
    await a.release(first);
    store.fresh();
    expect(holds(store, second)).toBe(true);
  });

  it('fences an owner that does not give up', async () => {
    const store = await temporaryStore();
    const [a, b] = [member(store, 'a'), member(store, 'b')];
    await a.beat();
    await b.beat();
    const first = await a.acquire(0, false);
    const second = await b.acquire(0, true);
    store.fresh();
    if (!first || !second) throw new Error('no claims');
    expect([holds(store, first), holds(store, second)]).toEqual([false, true]);
    const third = await a.acquire(0, true);
    store.fresh();
    if (!third) throw new Error('no claim');
    expect([holds(store, first), holds(store, second), holds(store, third)]).toEqual([false, false, true]);
  });

  it('gives nothing to one that is no member', async () => {
    const store = await temporaryStore();
    expect(await member(store, 'a').acquire(0, false)).toBe(null);
    expect(await member(store, 'a').acquire(0, true)).toBe(null);
  });

  it('puts out a member that was silent for a lease, and lets it come back', async () => {
    const store = await temporaryStore();
    const [a, b] = [member(store, 'a', elsewhere), member(store, 'b')];
    await a.beat();
    await b.beat();
    const claim = await a.acquire(0, false);
    clock.advance(LEASE_MS);
    await b.beat();
    await b.sweep();
    expect(shares([a, b], 2)).toEqual([[0], [1]]);
    clock.advance(1);
    await b.sweep();
    expect(shares([a, b], 2)).toEqual([[], [0, 1]]);
    const taken = await b.acquire(0, false);
    store.fresh();
    if (!claim || !taken) throw new Error('no claims');
    expect([holds(store, claim), holds(store, taken)]).toEqual([false, true]);
    await a.beat();
    expect(shares([b, a], 2)).toEqual([[0], [1]]);
  });

  it('puts out a member whose process is gone without waiting for the lease', async () => {
    const store = await temporaryStore();
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    const [a, b] = [member(store, 'a', { ...here, pid: gone }), member(store, 'b')];
    await a.beat();
    await b.beat();
    await b.sweep();
    expect(shares([a, b], 2)).toEqual([[], [0, 1]]);
  });

  it('does not judge a pid of another machine or namespace', async () => {
    const store = await temporaryStore();
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    const [a, b] = [member(store, 'a', { ...elsewhere, pid: gone }), member(store, 'b')];
    await a.beat();
    await b.beat();
    await b.sweep();
    expect(shares([a, b], 2)).toEqual([[0], [1]]);
  });

  it('never puts itself out', async () => {
    const store = await temporaryStore();
    const a = member(store, 'a', elsewhere);
    await a.beat();
    clock.advance(10 * LEASE_MS);
    await a.sweep();
    expect(shares([a], 1)).toEqual([[0]]);
  });

  it('knows from another connection whether anybody is there', async () => {
    const path = join(temporaryDir(), 'x.mdb');
    const [store, other] = [await temporaryStore(path), await temporaryStore(path)];
    const there = (): boolean => {
      other.fresh();
      return hasMembers(other, 'g', 't', here);
    };
    const a = member(store, 'a');
    expect(there()).toBe(false);
    await a.beat();
    expect(there()).toBe(true);
    await a.leave();
    expect(there()).toBe(false);
  });
});

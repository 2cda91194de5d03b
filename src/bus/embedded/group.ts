/**
 * Groups in the store: who is a member, who should have which partition, who owns it now.
 *
 * A member beats; one whose process is gone, or that was silent for a lease, is put out by the others. Every change
 * of the member list is a new generation, and partition p belongs to member p modulo their number. Ownership is a
 * row of its own with an epoch: the old owner gives it up after its slice, or is out of the group, before the new
 * one takes it. A commit must name the owner row as it stands, so a zombie can never commit.
 */

import { isAlive } from '../../base/alive.ts';
import type { Clock } from '../../base/clock.ts';
import type { Store } from './store.ts';

/** A member that is silent for so long is put out. */
export const LEASE_MS: number = 6_000;

/** The process that asks. */
export interface Self {
  readonly clock: Clock;
  readonly pid: number;
  /** Where its pid means something (place-of-pids.ts). */
  readonly place: string;
}

interface MemberRow {
  readonly pid: number;
  readonly place: string;
  /** Wall clock of the last beat; also told apart by it. */
  readonly seen: number;
}

interface GenerationRow {
  readonly number: number;
  /** In the order of joining. */
  readonly members: readonly string[];
}

interface OwnerRow {
  readonly member: string;
  readonly epoch: number;
}

/** The right to commit for a partition, until somebody else gets it. */
export interface Claim {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly member: string;
  readonly epoch: number;
}

const memberKey = (group: string, topic: string, member: string): string[] => [
  'member',
  group,
  topic,
  member,
];
const generationKey = (group: string, topic: string): string[] => ['generation', group, topic];
const ownerKey = (group: string, topic: string, partition: number): (string | number)[] => [
  'owner',
  group,
  topic,
  partition,
];

const generation = (store: Store, group: string, topic: string): GenerationRow =>
  (store.groups.get(generationKey(group, topic)) as GenerationRow | undefined) ?? { number: 0, members: [] };

/** Whether the claim still holds. Inside the commit's own write transaction this is the fence. */
export function holds(store: Store, claim: Claim): boolean {
  const row = store.groups.get(ownerKey(claim.group, claim.topic, claim.partition)) as OwnerRow | undefined;
  return row?.member === claim.member && row.epoch === claim.epoch;
}

/** Members that are really there: not gone, not silent for a lease. */
function living(store: Store, group: string, topic: string, me: Self): string[] {
  const now = me.clock.now();
  return generation(store, group, topic).members.filter((member) => {
    const row = store.groups.get(memberKey(group, topic, member)) as MemberRow | undefined;
    if (!row) return false;
    if (row.place === me.place && !isAlive(row.pid)) return false;
    return now - row.seen <= LEASE_MS;
  });
}

/** Whether anybody is consuming for the group. */
export function hasMembers(store: Store, group: string, topic: string, me: Self): boolean {
  return living(store, group, topic, me).length > 0;
}

export interface Membership {
  /** Joins, says that it is still there, or joins again after it was put out. */
  beat(): Promise<void>;
  /** Puts out members that are no longer there. */
  sweep(): Promise<void>;
  /** Partitions that it should have now. */
  wanted(partitions: number): Set<number>;
  /** Takes a partition, unless another member has it; `force` takes it from a living one too. */
  acquire(partition: number, force: boolean): Promise<Claim | null>;
  release(claim: Claim): Promise<void>;
  leave(): Promise<void>;
}

/** @param member an id that nobody else has. */
export function createMembership(
  store: Store,
  group: string,
  topic: string,
  member: string,
  me: Self,
): Membership {
  const change = (next: (members: readonly string[]) => readonly string[]): void => {
    const row = generation(store, group, topic);
    store.groups.put(generationKey(group, topic), { number: row.number + 1, members: next(row.members) });
  };
  const ownerOf = (partition: number): OwnerRow | undefined =>
    store.groups.get(ownerKey(group, topic, partition)) as OwnerRow | undefined;
  const free = (partition: number): boolean => {
    const owner = ownerOf(partition);
    return (
      !owner || owner.member === member || !generation(store, group, topic).members.includes(owner.member)
    );
  };
  return {
    async beat() {
      await store.write(() => {
        store.groups.put(memberKey(group, topic, member), {
          pid: me.pid,
          place: me.place,
          seen: me.clock.now(),
        });
        if (!generation(store, group, topic).members.includes(member))
          change((members) => [...members, member]);
      }, true);
    },
    async sweep() {
      store.fresh();
      const known = generation(store, group, topic).members;
      if (living(store, group, topic, me).length === known.length) return;
      await store.write(() => {
        const alive = new Set(living(store, group, topic, me));
        alive.add(member);
        const dead = generation(store, group, topic).members.filter((id) => !alive.has(id));
        if (dead.length === 0) return;
        for (const id of dead) store.groups.remove(memberKey(group, topic, id));
        change((members) => members.filter((id) => alive.has(id)));
      }, true);
      store.forgetDeadReaders();
    },
    wanted(partitions) {
      store.fresh();
      const { members } = generation(store, group, topic);
      const rank = members.indexOf(member);
      const mine = new Set<number>();
      if (rank >= 0) for (let p = rank; p < partitions; p += members.length) mine.add(p);
      return mine;
    },
    async acquire(partition, force) {
      store.fresh();
      if (!force && !free(partition)) return null;
      return store.write(() => {
        if (!force && !free(partition)) return null;
        if (!generation(store, group, topic).members.includes(member)) return null;
        const epoch = (ownerOf(partition)?.epoch ?? 0) + 1;
        store.groups.put(ownerKey(group, topic, partition), { member, epoch });
        return { group, topic, partition, member, epoch };
      }, true);
    },
    async release(claim) {
      await store.write(() => {
        // The epoch stays, so that an old claim can never become valid again.
        if (holds(store, claim))
          store.groups.put(ownerKey(group, topic, claim.partition), { member: '', epoch: claim.epoch });
      }, true);
    },
    async leave() {
      await store.write(() => {
        store.groups.remove(memberKey(group, topic, member));
        if (generation(store, group, topic).members.includes(member))
          change((members) => members.filter((id) => id !== member));
      }, true);
    },
  };
}

/**
 * Membership in a consumer group: join, heartbeat, rebalance, leave. Kafkajs' own consumer keeps working on partitions
 * that it is about to lose and has no hook for it (K7, K8); this one lets work come to rest before it joins again.
 */
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { fromKafka, isMembershipLost, isRebalancing, isTransient, kafkaType } from './errors.ts';
import { inner } from './internals.ts';
import type { Session } from './session.ts';

/** Heartbeats in a session timeout. */
const BEATS = 3.3;
/** Longer than a slice in hand may take (partition.ts); a member that dies while it joins holds the others up so long. */
const REBALANCE_TIMEOUT_MS = 25_000;
const PAUSE_MS = 200;
/** The name that kafkajs' consumers and the Java client's RoundRobinAssignor do not share: ours alone. */
const PROTOCOL = 'tocsin-round-robin';

export interface Generation {
  readonly generationId: number;
  readonly memberId: string;
}

export interface MembershipOptions {
  readonly session: Session;
  /** Physical names. */
  readonly group: string;
  readonly topic: string;
  /** A member that is silent for so long has its partitions taken away. */
  readonly sessionTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** A rebalance is coming, or membership is lost: bring work to rest. `lost`: what is in hand cannot be committed any more. */
  rest(lost: boolean): Promise<void>;
  /** The partitions of a new generation. */
  assign(partitions: readonly number[]): void;
  /** The coordinator answered. */
  alive(): void;
}

export interface Membership {
  /** Settles at the first assignment; rejects when joining can never succeed. */
  readonly joined: Promise<void>;
  /** Settles when membership has ended: null after `leave`, else why it can go on no longer. */
  readonly ended: Promise<Error | null>;
  /** Null between generations. */
  generation(): Generation | null;
  /** Asks the coordinator now whether we are still a member. Throws when we are not. */
  verify(): Promise<void>;
  leave(): Promise<void>;
}

/** Partition i goes to member i mod n, members in order of their ids. */
export function roundRobin(
  members: readonly string[],
  partitions: readonly number[],
): ReadonlyMap<string, readonly number[]> {
  const order = [...members].sort();
  const shares = new Map<string, number[]>(order.map((member) => [member, []]));
  for (const [i, partition] of [...partitions].sort((a, b) => a - b).entries())
    shares.get(order[i % order.length] as string)?.push(partition);
  return shares;
}

export function joinGroup(options: MembershipOptions): Membership {
  const { session, group, topic, clock, log } = options;
  const leaving = new AbortController();
  let memberId = '';
  let current: Generation | null = null;
  let settleJoined: (error?: Error) => void = () => {};
  const joined = new Promise<void>((resolve, reject) => {
    settleJoined = (error) => (error ? reject(error) : resolve());
  });
  joined.catch(() => {});
  let hurry = new AbortController();

  const join = async (): Promise<void> => {
    const { MemberMetadata, MemberAssignment } = inner().assigner;
    const coordinator = await session.groupCoordinator(group);
    const data = await coordinator.joinGroup({
      groupId: group,
      memberId,
      sessionTimeout: options.sessionTimeoutMs,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      groupProtocols: [{ name: PROTOCOL, metadata: MemberMetadata.encode({ version: 0, topics: [topic] }) }],
    });
    memberId = data.memberId;
    let groupAssignment: { memberId: string; memberAssignment: Buffer }[] = [];
    if (data.leaderId === data.memberId) {
      const partitions = (await session.partitions(topic)).map((p) => p.partitionId);
      const shares = roundRobin(
        data.members.map((member) => member.memberId),
        partitions,
      );
      groupAssignment = [...shares].map(([id, share]) => ({
        memberId: id,
        memberAssignment: MemberAssignment.encode({ version: 0, assignment: { [topic]: share } }),
      }));
    }
    const { generationId } = data;
    const synced = await coordinator.syncGroup({ groupId: group, generationId, memberId, groupAssignment });
    const mine = MemberAssignment.decode(synced.memberAssignment)?.assignment[topic] ?? [];
    current = { generationId, memberId };
    options.alive();
    log.info({ group, generationId, partitions: mine }, 'Joined the group.');
    options.assign(mine);
    settleJoined();
  };

  const beat = async (): Promise<void> => {
    if (!current) throw new Error('not a member');
    const coordinator = await session.groupCoordinator(group);
    await coordinator.heartbeat({
      groupId: group,
      groupGenerationId: current.generationId,
      memberId: current.memberId,
    });
    options.alive();
  };

  /** Returns when this generation is over. @returns whether what is in hand is lost with it. */
  const stay = async (): Promise<boolean> => {
    let lastBeat = clock.monotonic();
    while (!leaving.signal.aborted) {
      await clock.sleep(options.sessionTimeoutMs / BEATS, hurry.signal);
      hurry = new AbortController();
      if (leaving.signal.aborted) return false;
      try {
        await beat();
        lastBeat = clock.monotonic();
      } catch (thrown) {
        if (isRebalancing(thrown)) return false;
        if (isMembershipLost(thrown)) {
          if (kafkaType(thrown) !== 'ILLEGAL_GENERATION') memberId = '';
          return true;
        }
        if (!isTransient(thrown)) throw thrown;
        await session.recover(thrown);
        if (clock.monotonic() - lastBeat > options.sessionTimeoutMs) return true;
        await clock.sleep(PAUSE_MS, leaving.signal);
        hurry.abort();
      }
    }
    return false;
  };

  const run = async (): Promise<Error | null> => {
    while (!leaving.signal.aborted) {
      try {
        await join();
        const lost = await stay();
        current = null;
        if (!leaving.signal.aborted) log.info({ group, lost }, 'The group rebalances.');
        if (!leaving.signal.aborted) await options.rest(lost);
      } catch (thrown) {
        current = null;
        if (isMembershipLost(thrown)) memberId = '';
        else if (!isRebalancing(thrown) && !isTransient(thrown)) {
          const error = fromKafka(thrown, `joining ${group}`);
          settleJoined(error);
          return error;
        }
        log.debug({ group, error: kafkaType(thrown) }, 'Joining again.');
        await options.rest(true);
        if (!isRebalancing(thrown)) await session.recover(thrown);
        await clock.sleep(PAUSE_MS, leaving.signal);
      }
    }
    return null;
  };

  const running = run();
  return {
    joined,
    ended: running,
    generation: () => current,
    async verify() {
      try {
        await beat();
      } catch (thrown) {
        hurry.abort();
        throw thrown;
      }
    },
    async leave() {
      leaving.abort();
      hurry.abort();
      settleJoined();
      const member = memberId;
      await Promise.race([running, clock.sleep(2_000)]);
      if (member === '') return;
      try {
        const coordinator = await session.groupCoordinator(group);
        await Promise.race([
          coordinator.leaveGroup({ groupId: group, memberId: member }),
          clock.sleep(2_000),
        ]);
      } catch {
        // The session timeout will do it.
      }
    },
  };
}

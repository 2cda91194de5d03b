/** What a client is told next: everything since its cursor, or the newest and how much was left out. */
import type { BatchMessage, ClaimView, ResyncMessage, SnapshotMessage } from '../wire.ts';
import type { Memory } from './memory.ts';

export interface UpdateLimits {
  readonly snapshotPosts: number;
  readonly snapshotClaims: number;
  readonly snapshotAlerts: number;
  /** Claims in one batch; the largest win. */
  readonly batchClaims: number;
}

/** A message and the sequence number that its receiver then has. */
export interface Update {
  readonly payload: string;
  readonly upto: number;
  /** Posts that were left out. */
  readonly skipped: number;
}

export interface Updates {
  /** The sequence number in a cursor; null for none, for one of another server, and for one too old to go on from. */
  resume(cursor: string | null): number | null;
  /** The newest of everything. */
  snapshot(pulse: SnapshotMessage['pulse']): Update;
  /** What changed after `since`; at most `maxPosts` posts, else a resync. Null when nothing did. */
  after(since: number, maxPosts: number): Update | null;
}

/** @param instance names this memory: a cursor of another server is no cursor. */
export function createUpdates(memory: Memory, instance: string, limits: UpdateLimits): Updates {
  const cursorOf = (sequence: number): string => `${instance}.${sequence}`;

  const newest = (): Omit<SnapshotMessage, 'type' | 'pulse'> => ({
    cursor: cursorOf(memory.sequence()),
    posts: memory.newest(limits.snapshotPosts),
    claims: memory.claims('largest', limits.snapshotClaims),
    alerts: memory.alerts(limits.snapshotAlerts),
  });

  const update = (message: SnapshotMessage | BatchMessage | ResyncMessage, upto: number): Update => ({
    payload: JSON.stringify(message),
    upto,
    skipped: message.type === 'resync' ? message.skipped : 0,
  });

  return {
    resume(cursor) {
      const match = /^([\w-]{1,64})\.(\d{1,15})$/.exec(cursor ?? '');
      if (!match || match[1] !== instance) return null;
      const sequence = Number(match[2]);
      return memory.changes(sequence) === null ? null : sequence;
    },
    snapshot: (pulse) => update({ type: 'snapshot', ...newest(), pulse }, memory.sequence()),
    after(since, maxPosts) {
      if (since === memory.sequence()) return null;
      const changes = memory.changes(since);
      if (changes === null) {
        const fresh = newest();
        const skipped = Math.max(0, memory.sequence() - since - fresh.posts.length);
        return update({ type: 'resync', ...fresh, skipped }, memory.sequence());
      }
      const { upto, alerts } = changes;
      const rest = { cursor: cursorOf(upto), claims: largest(changes.claims, limits.batchClaims), alerts };
      const skipped = changes.posts.length - maxPosts;
      return skipped <= 0
        ? update({ type: 'batch', ...rest, posts: changes.posts }, upto)
        : update({ type: 'resync', ...rest, posts: changes.posts.slice(0, maxPosts), skipped }, upto);
    },
  };
}

const largest = (claims: readonly ClaimView[], limit: number): readonly ClaimView[] =>
  claims.length <= limit ? claims : [...claims].sort((a, b) => b.posts - a.posts).slice(0, limit);

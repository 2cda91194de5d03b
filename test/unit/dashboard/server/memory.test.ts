/** The bounded memory: order, revisions, changes, limits. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_LINEAGE } from '../../../../src/bus/messages.ts';
import { createMemory, MEMORY_LIMITS } from '../../../../src/dashboard/server/memory.ts';
import { alertView, claimView, revisionView } from '../../../../src/dashboard/server/views.ts';
import type { RevisionView } from '../../../../src/dashboard/wire.ts';
import { alert, claim, label } from '../../../support/dashboard.ts';

const revision = (postId: string, number: number, at: number, text?: string): RevisionView =>
  revisionView(label(postId, { revision: number, ...(text === undefined ? {} : { text }) }), at, NO_LINEAGE);

describe('posts', () => {
  it('are ordered by when they first appeared, whatever came when', () => {
    const memory = createMemory();
    for (const [id, at] of [
      ['b', 20],
      ['a', 10],
      ['d', 20],
      ['c', 30],
    ] as const)
      memory.putLabel(revision(id, 1, at));
    expect(memory.newest(10).map((p) => p.postId)).toEqual(['c', 'd', 'b', 'a']);
    expect(memory.newest(2, { arrivedAt: 20, postId: 'd' }).map((p) => p.postId)).toEqual(['b', 'a']);
  });

  it('keep their place when a higher revision comes, and show that one', () => {
    const memory = createMemory();
    memory.putLabel(revision('a', 1, 10));
    memory.putLabel(revision('b', 1, 20));
    expect(memory.putLabel(revision('a', 2, 30))).toBe(true);
    expect(memory.newest(10).map((p) => [p.postId, p.revision, p.arrivedAt])).toEqual([
      ['b', 1, 20],
      ['a', 2, 10],
    ]);
    expect(memory.revisions('a')?.map((r) => r.revision)).toEqual([1, 2]);
  });

  it('are not changed by what is known already or by a late lower revision', () => {
    const memory = createMemory();
    memory.putLabel(revision('a', 2, 10));
    expect(memory.putLabel(revision('a', 2, 11))).toBe(false);
    expect(memory.putLabel(revision('a', 1, 12))).toBe(true);
    expect(memory.newest(1)[0]?.revision).toBe(2);
    expect(memory.revisions('a')?.map((r) => r.revision)).toEqual([1, 2]);
  });

  it('are let go oldest first, by number and by the size of their texts', () => {
    const few = createMemory({ ...MEMORY_LIMITS, posts: 3 });
    for (let i = 0; i < 9; i += 1) few.putLabel(revision(`p${i}`, 1, i));
    expect(few.newest(10).map((p) => p.postId)).toEqual(['p8', 'p7', 'p6']);
    expect(few.putLabel(revision('old', 1, 0))).toBe(false);
    const small = createMemory({ ...MEMORY_LIMITS, characters: 2_500 });
    for (let i = 0; i < 9; i += 1) small.putLabel(revision(`p${i}`, 1, i, 'x'.repeat(1_000)));
    expect(small.size()).toBe(2);
  });

  it('are shown with 600 characters at most, never half a character', () => {
    const memory = createMemory();
    memory.putLabel(revision('a', 1, 1, `${'x'.repeat(599)}💙tail`));
    expect(memory.newest(1)[0]).toMatchObject({ text: 'x'.repeat(599), cut: true });
    expect(memory.revisions('a')?.[0]?.text).toHaveLength(605);
  });
});

describe('changes', () => {
  it('tell each thing once, as it is now, and nothing of what was before', () => {
    const memory = createMemory();
    memory.putLabel(revision('a', 1, 10));
    const since = memory.sequence();
    memory.putLabel(revision('b', 1, 20));
    memory.putLabel(revision('b', 2, 30));
    memory.putClaim(claimView(claim('c', { revision: 1 })));
    memory.putClaim(claimView(claim('c', { revision: 2, posts: 9 })));
    memory.putAlert(alertView(alert('x')));
    const changes = memory.changes(since);
    expect(changes?.posts.map((p) => [p.postId, p.revision])).toEqual([['b', 2]]);
    expect(changes?.claims.map((c) => c.posts)).toEqual([9]);
    expect(changes?.alerts).toHaveLength(1);
    expect(memory.changes(memory.sequence())).toMatchObject({ posts: [], claims: [], alerts: [] });
  });

  it('that are forgotten, or that have not happened, are not made up', () => {
    const memory = createMemory({ ...MEMORY_LIMITS, changes: 10 });
    for (let i = 0; i < 100; i += 1) memory.putLabel(revision(`p${i}`, 1, i));
    expect(memory.changes(0)).toBeNull();
    expect(memory.changes(101)).toBeNull();
    expect(memory.changes(95)?.posts).toHaveLength(5);
  });

  it('applied to what a client had give what the memory has, from wherever it went on', () => {
    const step = fc.record({ id: fc.integer({ min: 0, max: 15 }), revision: fc.integer({ min: 1, max: 4 }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.nat(60), (steps, cut) => {
        const memory = createMemory();
        const client = new Map<string, number>();
        let since = 0;
        const follow = (): void => {
          const changes = memory.changes(since);
          expect(changes).not.toBeNull();
          const ids = changes?.posts.map((p) => p.postId) ?? [];
          expect(new Set(ids).size).toBe(ids.length);
          for (const post of changes?.posts ?? []) client.set(post.postId, post.revision);
          since = changes?.upto ?? since;
        };
        for (const [at, { id, revision: number }] of steps.entries()) {
          memory.putLabel(revision(`p${id}`, number, at));
          if (at % (cut + 1) === 0) follow();
        }
        follow();
        expect(Object.fromEntries(client)).toEqual(
          Object.fromEntries(memory.newest(100).map((p) => [p.postId, p.revision])),
        );
      }),
    );
  });
});

describe('claims and alerts', () => {
  it('show the newest snapshot, the largest first, and none that was merged away', () => {
    const memory = createMemory();
    memory.putClaim(claimView(claim('a', { posts: 2, revision: 3 })));
    memory.putClaim(claimView(claim('a', { posts: 1, revision: 2 })));
    memory.putClaim(claimView(claim('b', { posts: 7 })));
    memory.putClaim(claimView(claim('c', { posts: 99, mergedInto: 'b' })));
    expect(memory.claims('largest', 10).map((c) => [c.claimId, c.posts])).toEqual([
      ['b', 7],
      ['a', 2],
    ]);
  });

  it('put firing alerts before those that are over', () => {
    const memory = createMemory();
    memory.putAlert(alertView(alert('a', { at: 1 })));
    memory.putAlert(alertView(alert('b', { at: 2 })));
    memory.putAlert(alertView(alert('b', { at: 3, state: 'resolved' })));
    memory.putAlert(alertView(alert('b', { at: 2 })));
    expect(memory.alerts(10).map((a) => [a.id, a.state])).toEqual([
      ['a', 'firing'],
      ['b', 'resolved'],
    ]);
  });

  it('are bounded', () => {
    const memory = createMemory({ ...MEMORY_LIMITS, claims: 10 });
    for (let i = 0; i < 100; i += 1) memory.putClaim(claimView(claim(`c${i}`, { lastSeen: i })));
    expect(memory.claims('newest', 1_000).length).toBeLessThanOrEqual(11);
    expect(memory.claims('newest', 1)[0]?.claimId).toBe('c99');
  });
});

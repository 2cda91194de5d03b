/** What the page knows and shows: nothing moves under a reader, nothing is shown twice, nothing goes backwards. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_LINEAGE } from '../../../../src/bus/messages.ts';
import { claimView, revisionView } from '../../../../src/dashboard/server/views.ts';
import {
  addOlder,
  createState,
  MAX_HELD,
  modeOf,
  NO_FILTERS,
  receive,
  type State,
  showWaiting,
  topClaims,
  visiblePosts,
  waitingCount,
} from '../../../../src/dashboard/ui/src/store.ts';
import type { PostView, Pulse, ServerMessage } from '../../../../src/dashboard/wire.ts';
import { claim, label, scored, told } from '../../../support/dashboard.ts';

const NOW = 1_000_000;
const PULSE: Pulse = {
  at: NOW,
  feed: 'following',
  problem: null,
  ledger: null,
  newestEventAt: NOW,
  newestLabelAt: NOW,
  behindMs: 0,
  perMinute: 3,
  informativeShare: 0.5,
  model: null,
  stream: 'live',
  replayId: null,
};
const post = (postId: string, arrivedAt: number, more: Parameters<typeof label>[1] = {}): PostView => ({
  ...revisionView(label(postId, more), arrivedAt, NO_LINEAGE),
  arrivedAt,
  cut: false,
});
const snapshot = (posts: readonly PostView[], cursor = 'i.1'): ServerMessage => ({
  type: 'snapshot',
  cursor,
  posts,
  claims: [],
  alerts: [],
  pulse: PULSE,
});
const batch = (posts: readonly PostView[], more: object = {}): ServerMessage =>
  ({ type: 'batch', cursor: 'i.2', posts, claims: [], alerts: [], ...more }) as ServerMessage;
const ids = (state: State): string[] => visiblePosts(state).map((p) => p.postId);
const started = (...posts: PostView[]): State => {
  const state = createState();
  state.connection = 'open';
  receive(state, snapshot(posts), NOW);
  return state;
};

describe('the feed', () => {
  it('shows a snapshot at once and lets what comes later wait', () => {
    const state = started(post('b', 2), post('a', 1));
    receive(state, batch([post('c', 3)]), NOW);
    expect(ids(state)).toEqual(['b', 'a']);
    expect(waitingCount(state)).toBe(1);
    showWaiting(state);
    expect(ids(state)).toEqual(['c', 'b', 'a']);
    expect(waitingCount(state)).toBe(0);
  });

  it('puts a higher revision in place and remembers when', () => {
    const state = started(post('b', 2), post('a', 1));
    receive(state, batch([post('a', 9, { revision: 2 })]), NOW + 5);
    expect(visiblePosts(state).map((p) => [p.postId, p.revision])).toEqual([
      ['b', 1],
      ['a', 2],
    ]);
    expect(state.upgraded.get('a')).toBe(NOW + 5);
    receive(state, batch([post('a', 1, { revision: 1 })]), NOW);
    expect(visiblePosts(state)[1]?.revision).toBe(2);
  });

  it('stays where it is when a server comes back with a snapshot of the same posts', () => {
    const state = started(post('b', 2), post('a', 1));
    receive(state, snapshot([post('c', 3), post('b', 2), post('a', 1)], 'other.7'), NOW);
    expect(ids(state)).toEqual(['b', 'a']);
    expect(waitingCount(state)).toBe(1);
    expect(state.cursor).toBe('other.7');
  });

  it('begins anew with a snapshot that has nothing in common with it', () => {
    const state = started(post('b', 2), post('a', 1));
    receive(state, snapshot([post('z', 9)]), NOW);
    expect(ids(state)).toEqual(['z']);
  });

  it('counts what the server left out until the reader is at the top', () => {
    const state = started(post('a', 1));
    receive(state, { ...batch([post('z', 9)]), type: 'resync', skipped: 840 } as ServerMessage, NOW);
    expect([waitingCount(state), state.skipped]).toEqual([1, 840]);
    showWaiting(state);
    expect(state.skipped).toBe(0);
  });

  it('takes older posts in under what is shown', () => {
    const state = started(post('c', 3));
    addOlder(state, [post('b', 2), post('c', 3), post('a', 1)], false, NOW);
    expect(ids(state)).toEqual(['c', 'b', 'a']);
    expect(state.older).toBe('end');
  });

  it('holds a bounded number of posts however many come', () => {
    const state = started(post('first', 0));
    for (let i = 0; i < 30; i += 1)
      receive(state, batch(Array.from({ length: 100 }, (_, k) => post(`p${i}-${k}`, i * 100 + k + 1))), NOW);
    expect(state.posts.size).toBeLessThanOrEqual(MAX_HELD + 1);
    expect(state.skipped).toBe(3_000 - MAX_HELD);
    expect(ids(state)).toEqual(['first']);
  });

  it('never shows a post twice and never shows a lower revision again, whatever comes', () => {
    const one = fc.record({ id: fc.nat(12), revision: fc.integer({ min: 1, max: 3 }) });
    const step = fc.oneof(
      fc.array(one, { maxLength: 8 }).map((posts) => ({ kind: 'batch' as const, posts })),
      fc.array(one, { maxLength: 8 }).map((posts) => ({ kind: 'snapshot' as const, posts })),
      fc.constant({ kind: 'show' as const, posts: [] }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const state = createState();
        for (const { kind, posts } of steps) {
          const before = new Map(state.posts);
          const views = posts.map((p) => post(`p${p.id}`, p.id, { revision: p.revision }));
          if (kind === 'show') showWaiting(state);
          else receive(state, kind === 'batch' ? batch(views) : snapshot(views), NOW);
          const all = [...state.shown, ...state.waiting];
          expect(new Set(all).size).toBe(all.length);
          for (const id of all) {
            const now = state.posts.get(id);
            expect(now).toBeDefined();
            const then = before.get(id);
            if (kind === 'batch' && then) expect(now?.revision).toBeGreaterThanOrEqual(then.revision);
          }
        }
      }),
    );
  });
});

describe('filters', () => {
  it('choose by decision, picture, collection and words', () => {
    const picture = {
      id: 'm',
      outcome: 'refused',
      reason: 'empty',
      storeKey: null,
      thumbhash: null,
    } as const;
    const state = started(
      post('a', 1, {
        text: 'Bridge CLOSED',
        tasks: [scored(0.91, 'yes'), told('aid', 0.7, 'yes')],
      }),
      post('b', 2, { tasks: [scored(0.1, 'no')], pictures: [picture] }),
      post('c', 3, {
        collection: 'fire',
        tasks: [scored(0.91, 'yes'), told('aid', 0.3, 'unsure')],
      }),
    );
    const filtered = (filters: object): string[] => {
      state.filters = { ...NO_FILTERS, ...filters };
      return ids(state).sort();
    };
    expect(filtered({ decision: 'informative' })).toEqual(['a', 'c']);
    expect(filtered({ picture: true })).toEqual(['b']);
    expect(filtered({ collection: 'fire' })).toEqual(['c']);
    expect(filtered({ tells: 'aid' })).toEqual(['a']);
    expect(filtered({ search: 'closed' })).toEqual(['a', 'b', 'c']);
    expect(filtered({ search: 'bridge closed' })).toEqual(['a']);
    expect(filtered({ search: 'b' })).toContain('b');
  });
});

describe('the mode', () => {
  const with_ = (change: Partial<State>, pulse: Partial<Pulse> = {}, later = 0): string => {
    const state = Object.assign(started(), change);
    state.pulse = { ...PULSE, ...pulse };
    return modeOf(state, NOW + later);
  };

  it('says the worst there is to say', () => {
    expect(with_({})).toBe('live');
    expect(with_({ paused: true })).toBe('paused');
    expect(with_({}, { stream: 'sample' })).toBe('sample');
    expect(with_({}, { behindMs: 31_000 })).toBe('behind');
    expect(with_({}, { feed: 'loading' })).toBe('loading');
    expect(with_({}, { feed: 'stalled' })).toBe('stale');
    expect(with_({}, {}, 10_001)).toBe('stale');
    expect(with_({ paused: true, connection: 'lost' }, { feed: 'stalled' })).toBe('disconnected');
    expect(with_({ connection: 'connecting' })).toBe('connecting');
  });
});

describe('claims', () => {
  it('are the newest of each, the largest first, without those merged away', () => {
    const state = started();
    const views = [claim('a', { posts: 2 }), claim('b', { posts: 5 })].map(claimView);
    receive(state, batch([], { claims: views }), NOW);
    receive(state, batch([], { claims: [claimView(claim('a', { posts: 9, revision: 2 }))] }), NOW);
    receive(state, batch([], { claims: [claimView(claim('b', { mergedInto: 'a', revision: 2 }))] }), NOW);
    expect(topClaims(state, 5).map((c) => [c.claimId, c.posts])).toEqual([['a', 9]]);
  });

  it('let the page’s own ruling go once the claim carries it', () => {
    const state = started();
    state.rulings.set('a', { ruling: 'false', state: 'sent', id: 'r1', problem: null });
    receive(state, batch([], { claims: [claimView(claim('a'))] }), NOW);
    expect(state.rulings.has('a')).toBe(true);
    const ruled = claim('a', {
      revision: 2,
      ruling: { id: 'r1', ruling: 'false', by: 'coordinator', at: NOW },
    });
    receive(state, batch([], { claims: [claimView(ruled)] }), NOW);
    expect(state.rulings.has('a')).toBe(false);
  });
});

/** The newest posts with all their revisions, the claims and the alerts: bounded, ordered, and with a log of changes. */
import type { AlertView, ClaimView, PostView, RevisionView } from '../wire.ts';

export interface MemoryLimits {
  readonly posts: number;
  /** Characters of text over all posts. */
  readonly characters: number;
  readonly claims: number;
  readonly alerts: number;
  /** Changes that a client may be behind and still go on without a gap. */
  readonly changes: number;
}

export const MEMORY_LIMITS: MemoryLimits = {
  posts: 5_000,
  characters: 32_000_000,
  claims: 2_000,
  alerts: 500,
  changes: 20_000,
};

/** What changed between two sequence numbers; each thing once, as it is now. */
export interface ChangeSet {
  readonly upto: number;
  /** Newest first. */
  readonly posts: readonly PostView[];
  readonly claims: readonly ClaimView[];
  readonly alerts: readonly AlertView[];
}

export interface Memory {
  /** False when it was known already, or is older than everything that is kept. */
  putLabel(revision: RevisionView): boolean;
  putClaim(claim: ClaimView): boolean;
  putAlert(alert: AlertView): boolean;
  /** Number of the newest change; grows by one with each. */
  sequence(): number;
  /** Null when the log does not reach back that far, or `since` lies ahead of it. */
  changes(since: number): ChangeSet | null;
  /** Newest posts first, from the one before `before` on. */
  newest(limit: number, before?: PlaceInFeed): readonly PostView[];
  /** Ascending; undefined for a post that is not held. */
  revisions(postId: string): readonly RevisionView[] | undefined;
  /** Where the post stands; undefined for one that is not held. */
  place(postId: string): PlaceInFeed | undefined;
  claim(claimId: string): ClaimView | undefined;
  /** Claims that stand for themselves, largest first or newest first. */
  claims(sort: 'largest' | 'newest', limit: number): readonly ClaimView[];
  /** Firing ones first, newest first. */
  alerts(limit: number): readonly AlertView[];
  size(): number;
}

/** Characters of a text that the feed shows; the rest is in the post's own answer. */
const SHOWN_TEXT = 600;

/** Where a post stands in the feed. */
export interface PlaceInFeed {
  readonly arrivedAt: number;
  readonly postId: string;
}

interface HeldPost extends PlaceInFeed {
  readonly revisions: RevisionView[];
  view: PostView;
  changed: number;
}

interface Held<T> {
  view: T;
  changed: number;
}

type Change = { readonly kind: 'post' | 'claim' | 'alert'; readonly id: string };

const isBefore = (a: PlaceInFeed, b: PlaceInFeed): boolean =>
  a.arrivedAt === b.arrivedAt ? a.postId < b.postId : a.arrivedAt < b.arrivedAt;

/** Number of places in the ascending list that come before `place`. */
function rank(list: readonly PlaceInFeed[], place: PlaceInFeed): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(list[middle] as PlaceInFeed, place)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function createMemory(limits: MemoryLimits = MEMORY_LIMITS): Memory {
  const posts = new Map<string, HeldPost>();
  /** Ascending by place. */
  const order: HeldPost[] = [];
  const claims = new Map<string, Held<ClaimView>>();
  const alerts = new Map<string, Held<AlertView>>();
  /** The change with sequence number `first + i` is at index i. */
  let log: Change[] = [];
  let first = 1;
  let characters = 0;

  const change = (kind: Change['kind'], id: string): number => {
    log.push({ kind, id });
    if (log.length > limits.changes * 2) {
      first += log.length - limits.changes;
      log = log.slice(-limits.changes);
    }
    return first + log.length - 1;
  };

  const evict = (): void => {
    let gone = 0;
    while (
      order.length - gone > limits.posts ||
      (characters > limits.characters && order.length - gone > 1)
    ) {
      const oldest = order[gone] as HeldPost;
      posts.delete(oldest.postId);
      characters -= textSize(oldest);
      gone += 1;
    }
    if (gone > 0) order.splice(0, gone);
  };

  return {
    putLabel(revision) {
      const held = posts.get(revision.postId);
      if (!held) {
        const place = { arrivedAt: revision.labelledAt, postId: revision.postId };
        const full = order.length >= limits.posts;
        if (full && isBefore(place, order[0] as HeldPost)) return false;
        const post: HeldPost = {
          ...place,
          revisions: [revision],
          view: viewOf(revision, place.arrivedAt),
          changed: change('post', revision.postId),
        };
        posts.set(post.postId, post);
        order.splice(rank(order, post), 0, post);
        characters += textSize(post);
        evict();
        return true;
      }
      if (held.revisions.some((known) => known.revision === revision.revision)) return false;
      characters -= textSize(held);
      // Nearly always the same text again: let both revisions share one string.
      const known = held.revisions.find((other) => other.text === revision.text);
      held.revisions.push(known ? { ...revision, text: known.text } : revision);
      held.revisions.sort((a, b) => a.revision - b.revision);
      held.view = viewOf(held.revisions.at(-1) as RevisionView, held.arrivedAt);
      held.changed = change('post', held.postId);
      characters += textSize(held);
      evict();
      return true;
    },
    putClaim(claim) {
      const held = claims.get(claim.claimId);
      if (held && held.view.revision >= claim.revision && held.view.mergedInto === claim.mergedInto)
        return false;
      claims.set(claim.claimId, { view: claim, changed: change('claim', claim.claimId) });
      if (claims.size > limits.claims * 1.1) forgetOldest(claims, limits.claims, (c) => c.lastSeen);
      return true;
    },
    putAlert(alert) {
      const held = alerts.get(alert.id);
      if (held && (held.view.at > alert.at || (held.view.at === alert.at && held.view.state === alert.state)))
        return false;
      alerts.set(alert.id, { view: alert, changed: change('alert', alert.id) });
      if (alerts.size > limits.alerts * 1.1) forgetOldest(alerts, limits.alerts, (a) => a.at);
      return true;
    },
    sequence: () => first + log.length - 1,
    changes(since) {
      const upto = first + log.length - 1;
      if (since < first - 1 || since > upto) return null;
      const changed = { posts: [] as HeldPost[], claims: [] as ClaimView[], alerts: [] as AlertView[] };
      for (let at = since + 1; at <= upto; at += 1) {
        const { kind, id } = log[at - first] as Change;
        // Only at its last change: whatever changed twice is told once.
        if (kind === 'post') {
          const held = posts.get(id);
          if (held?.changed === at) changed.posts.push(held);
        } else if (kind === 'claim') {
          const held = claims.get(id);
          if (held?.changed === at) changed.claims.push(held.view);
        } else {
          const held = alerts.get(id);
          if (held?.changed === at) changed.alerts.push(held.view);
        }
      }
      changed.posts.sort((a, b) => (isBefore(a, b) ? 1 : -1));
      return { ...changed, upto, posts: changed.posts.map((post) => post.view) };
    },
    newest(limit, before) {
      const end = before ? rank(order, before) : order.length;
      return order
        .slice(Math.max(0, end - limit), end)
        .reverse()
        .map((post) => post.view);
    },
    revisions: (postId) => posts.get(postId)?.revisions,
    place: (postId) => posts.get(postId),
    claim: (claimId) => claims.get(claimId)?.view,
    claims(sort, limit) {
      const standing = [...claims.values()].map((held) => held.view).filter((c) => c.mergedInto === null);
      standing.sort((a, b) =>
        sort === 'largest' ? b.posts - a.posts || b.lastSeen - a.lastSeen : b.lastSeen - a.lastSeen,
      );
      return standing.slice(0, limit);
    },
    alerts(limit) {
      const firing = (alert: AlertView): number => (alert.state === 'firing' ? 1 : 0);
      return [...alerts.values()]
        .map((held) => held.view)
        .sort((a, b) => firing(b) - firing(a) || b.at - a.at)
        .slice(0, limit);
    },
    size: () => order.length,
  };
}

function viewOf(revision: RevisionView, arrivedAt: number): PostView {
  const cut = revision.text.length > SHOWN_TEXT;
  // Not between the halves of a surrogate pair.
  const text = cut ? revision.text.slice(0, SHOWN_TEXT).replace(/[\ud800-\udbff]$/, '') : revision.text;
  return { ...revision, text, cut, arrivedAt };
}

const textSize = (post: HeldPost): number => {
  let size = 0;
  let previous = '';
  for (const { text } of post.revisions) {
    if (text !== previous) size += text.length;
    previous = text;
  }
  return size;
};

function forgetOldest<T>(held: Map<string, Held<T>>, keep: number, age: (view: T) => number): void {
  const oldestFirst = [...held].sort(([, a], [, b]) => age(a.view) - age(b.view));
  for (const [id] of oldestFirst.slice(0, held.size - keep)) held.delete(id);
}

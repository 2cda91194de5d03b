/** What one slice changes: collected while it is worked on, told and written down at its end. */
import type { Lineage } from '../bus/messages.ts';
import type { Alert, Claim, Feedback, Rumour, ScoreRequest } from '../event/records.ts';
import { type Cluster, type CollectionIndex, headOf, type Post } from './cluster.ts';
import { requestOf } from './contents.ts';
import type { Memory } from './memory.ts';
import { rumourOfClaim, rumourOfPost } from './rumour.ts';
import { aliasSnapshot, isTold, snapshot } from './snapshot.ts';
import { claimEntry, collectionEntry, encodeEntry, LEDGER_ENTRY, scoreEntry } from './state.ts';

/** A record to be sent, and the trace that it belongs to. */
export interface Told<R> {
  readonly record: R;
  readonly lineage: Lineage;
}

/** Everything that a slice's transaction carries. */
export interface SliceResult {
  readonly claims: readonly Told<Claim>[];
  readonly alerts: readonly Told<Alert>[];
  readonly feedback: readonly Told<Feedback>[];
  readonly rumours: readonly Told<Rumour>[];
  readonly requests: readonly Told<ScoreRequest>[];
  /** Entry → bytes, or null to forget it. Never empty: the ledger is always there. */
  readonly state: ReadonlyMap<string, Uint8Array | null>;
}

export interface Journal {
  changed(cluster: Cluster, lineage: Lineage): void;
  changedCollection(collection: CollectionIndex): void;
  alert(alert: Alert | null, lineage: Lineage): void;
  feedback(feedback: Feedback, lineage: Lineage): void;
  /** The post's own score is known, or has changed. */
  scored(post: Post, lineage: Lineage): void;
  put(entry: string, value: object): void;
  forget(entry: string): void;
  /** The cluster is about to be let go: tells what is still untold of it. */
  tellNow(cluster: Cluster): void;
  /** @param at time of the slice's newest input */
  finish(at: number): SliceResult;
}

/** Former ids that a snapshot names; older ones still have their own `mergedInto` snapshot. */
const ALIASES_KEPT = 100;

export function createJournal(memory: Memory): Journal {
  const clusters = new Map<Cluster, Lineage>();
  const collections = new Set<CollectionIndex>();
  const claims: Told<Claim>[] = [];
  const alerts: Told<Alert>[] = [];
  const feedback: Told<Feedback>[] = [];
  const scored = new Map<Post, Lineage>();
  const state = new Map<string, Uint8Array | null>();
  const put = (entry: string, value: object): void => {
    state.set(entry, encodeEntry(value));
  };
  const tell = (cluster: Cluster, lineage: Lineage): void => {
    if (cluster.members.length === 0 || !isTold(cluster)) return;
    const claim = snapshot(cluster, memory.ledger.tellings + 1, memory.rulings.holding(cluster.rulings));
    const former = new Set([...cluster.superseded, ...(cluster.emitted === null ? [] : [cluster.emitted])]);
    former.delete(claim.claimId);
    const aliases = [...cluster.aliases, ...former];
    cluster.aliases = aliases.slice(-ALIASES_KEPT);
    cluster.superseded = [];
    cluster.emitted = claim.claimId;
    claims.push({ record: { ...claim, aliases: cluster.aliases }, lineage });
    for (const alias of former) claims.push({ record: aliasSnapshot(alias, claim), lineage });
    put(claimEntry(cluster.n), {
      emitted: cluster.emitted,
      aliases: cluster.aliases,
      firing: cluster.firing,
      touched: cluster.touched,
    });
  };
  return {
    changed: (cluster, lineage) => {
      clusters.set(cluster, lineage);
    },
    changedCollection: (collection) => {
      collections.add(collection);
    },
    alert(alert, lineage) {
      if (alert) alerts.push({ record: alert, lineage });
    },
    feedback: (record, lineage) => {
      feedback.push({ record, lineage });
    },
    scored: (post, lineage) => {
      scored.set(post, lineage);
    },
    put,
    forget: (entry) => {
      state.set(entry, null);
    },
    tellNow(cluster) {
      const lineage = clusters.get(cluster);
      if (!lineage) return;
      clusters.delete(cluster);
      tell(cluster, lineage);
    },
    finish(at) {
      const rumours = [...scored].map(([post, lineage]) => ({ record: rumourRecord(memory, post), lineage }));
      for (const [cluster, lineage] of clusters) tell(cluster, lineage);
      for (const collection of collections) {
        const { name, watermark, usual } = collection;
        // It may have been let go, and even begun anew, in this very slice.
        if (memory.collections.get(name) === collection)
          put(collectionEntry(name), { name, watermark, usual });
      }
      const requests = memory.contents.ask(at).map((content) => {
        put(scoreEntry(content.id), { askedAt: at });
        return { record: requestOf(content), lineage: content.lineage };
      });
      if (claims.length + rumours.length > 0)
        memory.ledger = { ...memory.ledger, tellings: memory.ledger.tellings + 1 };
      put(LEDGER_ENTRY, memory.ledger);
      return { claims, alerts, feedback, rumours, requests, state };
    },
  };
}

function rumourRecord(memory: Memory, post: Post): Rumour {
  const { cluster } = post;
  return {
    kind: 'Rumour',
    postId: post.id,
    revision: memory.ledger.tellings + 1,
    collection: cluster.collection.name,
    claimId: headOf(cluster).id,
    own: rumourOfPost(post),
    claim: rumourOfClaim(cluster),
  };
}

/**
 * Which posts belong together. Two posts are related when their texts or their pictures have near hashes and they were
 * written at most `silentMs` apart; a claim is a connected component of that relation, so the order in which posts
 * arrive makes no difference to the claims that come out (docs/claims.md).
 */
import type { Lineage } from '../bus/messages.ts';
import type { Score } from '../event/records.ts';
import {
  addPost,
  addPreviews,
  createTally,
  isEarlier,
  type Member,
  mergeTally,
  type Tally,
} from './accumulate.ts';
import { createNearIndex, type Hash64, type NearIndex, type NearNode } from './near.ts';
import type { AppliedRuling } from './rulings.ts';

/** Bits in which the texts of one claim may differ; calibrated on MediaEval posts (docs/claims.md). */
export const TEXT_DISTANCE: number = 5;
/** Bits in which the pictures of one claim may differ. */
export const PICTURE_DISTANCE: number = 4;

/** Posts with one hash, each at most `silentMs` after the one before: all of one claim. */
export interface Span {
  first: number;
  last: number;
  cluster: Cluster;
}

export type HashNode = NearNode<Span[]>;

/** The answer to a request, as it is remembered. */
export type Answer = Omit<Score, 'kind' | 'requestId' | 'collection' | 'challenger'>;

/** A text with its pictures. */
export interface Content {
  /** Also the request id. */
  readonly id: string;
  readonly collection: string;
  readonly text: string;
  readonly perceptualHashes: readonly string[];
  /** Sorted. */
  readonly storeKeys: readonly string[];
  readonly lineage: Lineage;
  /** Posts with this content; never empty while it is remembered. */
  readonly posts: Set<Post>;
  /** A post with it was judged informative. */
  informative: boolean;
  /** Time of the slice in which it was asked for; null when it is not pending. */
  askedAt: number | null;
  answer: Answer | null;
}

/** A post as the index remembers it. */
export interface Post extends Member {
  cluster: Cluster;
  text: HashNode | null;
  pictures: readonly HashNode[];
  storeKeys: Member['storeKeys'];
  /** What it says and shows; null only while it is being made or let go. */
  content: Content | null;
}

export interface Firing {
  readonly id: string;
  readonly since: number;
  /** Posts in ten minutes that set it off. */
  readonly threshold: number;
}

/** A claim as the index holds it. A post alone is a cluster of one that nobody is told of. */
export interface Cluster {
  /** Internal number; the claim's public id is that of its earliest post. */
  readonly n: number;
  readonly collection: CollectionIndex;
  /** The earliest post stands first, the others as they came. Empty only in a cluster that was merged away. */
  members: Post[];
  headline: string;
  /** Null while there is only one post. */
  tally: Tally | null;
  /** Received count when it last changed. */
  touched: number;
  /** Claim id under which it was last told. */
  emitted: string | null;
  /** Ids under which parts of it were told before. */
  aliases: readonly string[];
  /** Ids that became aliases since the last snapshot. */
  superseded: string[];
  /** Numbers of the clusters that were merged into this one; the state may still name them. */
  forwards: number[];
  rulings: AppliedRuling[];
  firing: Firing | null;
}

/** Everything known of one collection. */
export interface CollectionIndex {
  readonly name: string;
  readonly texts: NearIndex<Span[]>;
  readonly pictures: NearIndex<Span[]>;
  clusters: number;
  /** Newest event time seen. */
  watermark: number;
  /** [ten-minute window since the epoch, posts in claims, claims with such a post], in order. */
  usual: readonly (readonly [number, number, number])[];
  readonly firing: Set<Cluster>;
}

export function createCollection(name: string): CollectionIndex {
  return {
    name,
    texts: createNearIndex(TEXT_DISTANCE),
    pictures: createNearIndex(PICTURE_DISTANCE),
    clusters: 0,
    watermark: Number.NEGATIVE_INFINITY,
    usual: [],
    firing: new Set(),
  };
}

/** A hash that a new post or a new revision brings. */
export interface NewHash {
  readonly index: NearIndex<Span[]>;
  readonly key: string;
  readonly hashes: readonly Hash64[];
}

/** The post that gives the claim its id and its headline. */
export function headOf(cluster: Cluster): Post {
  return cluster.members[0] as Post;
}

/** Adds a post to the members; true when it is the earliest now. */
function push(cluster: Cluster, post: Post): boolean {
  const { members } = cluster;
  if (members.length === 0) {
    // Most posts stay alone: a literal takes no room for members to come, as a push would.
    cluster.members = [post];
    return true;
  }
  members.push(post);
  if (!isEarlier(post, headOf(cluster))) return false;
  members[members.length - 1] = headOf(cluster);
  members[0] = post;
  return true;
}

export function lastSeen(cluster: Cluster): number {
  return cluster.tally?.lastSeen ?? headOf(cluster).createdAt;
}

/** The cluster's sums, made when they are first needed. */
export function tallyOf(cluster: Cluster): Tally {
  if (cluster.tally) return cluster.tally;
  const tally = createTally();
  for (const post of cluster.members) addPost(tally, post);
  return tally;
}

/** Clusters that hold a post related to one of that time with these hashes. */
export function relatedClusters(hashes: readonly NewHash[], time: number, silentMs: number): Set<Cluster> {
  const related = new Set<Cluster>();
  for (const { index, hashes: values } of hashes)
    index.near(values, (node) => {
      for (const span of node.value)
        if (time >= span.first - silentMs && time <= span.last + silentMs) related.add(span.cluster);
    });
  return related;
}

/** The cluster that swallows the others: the one with most posts, then the oldest. Bounds the work of many merges. */
export function largest(clusters: Iterable<Cluster>): Cluster | null {
  let best: Cluster | null = null;
  for (const cluster of clusters)
    if (
      !best ||
      cluster.members.length > best.members.length ||
      (cluster.members.length === best.members.length && cluster.n < best.n)
    )
      best = cluster;
  return best;
}

/** Enters a hash of a post, whose related clusters have been merged into its own, and gives its node. */
export function enterHash(hash: NewHash, time: number, cluster: Cluster, silentMs: number): HashNode {
  const joined: Span = { first: time, last: time, cluster };
  const node = hash.index.get(hash.key);
  if (!node) return hash.index.add(hash.key, hash.hashes, [joined]);
  const spans = node.value;
  for (let i = spans.length - 1; i >= 0; i -= 1) {
    const span = spans[i] as Span;
    if (time < span.first - silentMs || time > span.last + silentMs) continue;
    joined.first = Math.min(joined.first, span.first);
    joined.last = Math.max(joined.last, span.last);
    spans.splice(i, 1);
  }
  spans.push(joined);
  return node;
}

const nodesOf = (post: Post): readonly HashNode[] =>
  post.text ? [post.text, ...post.pictures] : post.pictures;

/** Makes the post a member. Its `cluster` must already be this one. */
export function join(cluster: Cluster, post: Post, text: string): void {
  if (push(cluster, post)) cluster.headline = text;
  if (cluster.tally) addPost(cluster.tally, post);
  else if (cluster.members.length > 1) cluster.tally = tallyOf(cluster);
}

/** Adds the previews that a later revision of a member brought. */
export function addStoreKeys(post: Post, storeKeys: readonly string[]): void {
  post.storeKeys = [...post.storeKeys, ...storeKeys];
  if (post.cluster.tally) addPreviews(post.cluster.tally, post, storeKeys);
}

/** Moves everything of `from` into `into`; `from` is dead afterwards. */
export function merge(into: Cluster, from: Cluster): void {
  const tally = tallyOf(into);
  mergeTally(tally, tallyOf(from));
  into.tally = tally;
  for (const post of from.members) {
    post.cluster = into;
    for (const node of nodesOf(post))
      for (const span of node.value) if (span.cluster === from) span.cluster = into;
    // Only the first of them, the head, can be earlier than the head here.
    if (push(into, post)) into.headline = from.headline;
  }
  into.forwards.push(from.n, ...from.forwards);
  into.rulings.push(...from.rulings);
  into.superseded.push(...from.superseded, ...(from.emitted === null ? [] : [from.emitted]));
  into.aliases = [...into.aliases, ...from.aliases];
  from.members = [];
  into.touched = Math.max(into.touched, from.touched);
  into.collection.clusters -= 1;
}

/** Takes the cluster's hashes out of the index. */
export function forgetHashes(cluster: Cluster): void {
  const { texts, pictures } = cluster.collection;
  for (const post of cluster.members)
    for (const node of nodesOf(post)) {
      const rest = node.value.filter((span) => span.cluster !== cluster);
      node.value.splice(0, node.value.length, ...rest);
      if (rest.length > 0) continue;
      if (node === post.text) texts.remove(node.key);
      else pictures.remove(node.key);
    }
  cluster.collection.clusters -= 1;
}

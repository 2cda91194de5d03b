/** Everything that the claim worker remembers of one partition, and how it is rebuilt from the state. */
import { NO_LINEAGE } from '../bus/messages.ts';
import type { RestoredState } from '../bus/port.ts';
import {
  type Cluster,
  type CollectionIndex,
  createCollection,
  enterHash,
  type HashNode,
  join,
  type NewHash,
  type Post,
} from './cluster.ts';
import { type Contents, createContents } from './contents.ts';
import { hashOfPicture, hashOfText } from './hashes.ts';
import { createRulings, type Rulings } from './rulings.ts';
import { type ClaimEntry, type ClaimLedger, type PostEntry, type Remembered, readState } from './state.ts';

/** How much is remembered. Defaults are LIMITS; tests use smaller ones. */
export interface Limits {
  /** Posts further apart in event time are never related; a claim silent for longer may be let go. */
  readonly silentMs: number;
  /** A claim is not let go before so many more records came: a replay runs through weeks in seconds. */
  readonly keepRecords: number;
  /** Posts in memory; above, posts that are alone go first, oldest arrival first. */
  readonly maxPosts: number;
  /** Records between two looks for what can go. */
  readonly sweepEvery: number;
  /** Most posts let go at one look (they are deletions in one transaction). */
  readonly sweepPosts: number;
  /** Rulings kept whose post has not come. */
  readonly maxWaiting: number;
}

export const LIMITS: Limits = {
  silentMs: 7 * 86_400_000,
  keepRecords: 100_000,
  maxPosts: 200_000,
  sweepEvery: 1_000,
  sweepPosts: 5_000,
  maxWaiting: 10_000,
};

export interface Memory {
  readonly limits: Limits;
  readonly posts: Map<string, Post>;
  /** In order of their numbers, which is the order of creation. */
  readonly clusters: Map<number, Cluster>;
  readonly collections: Map<string, CollectionIndex>;
  readonly rulings: Rulings;
  readonly contents: Contents;
  ledger: ClaimLedger;
}

export function collectionOf(memory: Memory, name: string): CollectionIndex {
  const known = memory.collections.get(name);
  if (known) return known;
  const made = createCollection(name);
  memory.collections.set(name, made);
  return made;
}

/** An empty cluster; its first post must be joined at once. */
export function createCluster(n: number, collection: CollectionIndex, touched: number): Cluster {
  collection.clusters += 1;
  return {
    n,
    collection,
    members: [],
    headline: '',
    tally: null,
    touched,
    emitted: null,
    aliases: [],
    superseded: [],
    forwards: [],
    rulings: [],
    firing: null,
  };
}

function finalNumber(n: number, forwards: ReadonlyMap<number, number>): number {
  let at = n;
  for (let next = forwards.get(at); next !== undefined; next = forwards.get(at)) at = next;
  return at;
}

function restorePost(memory: Memory, name: string, entry: PostEntry, n: number): void {
  const collection = collectionOf(memory, entry.c);
  const cluster = memory.clusters.get(n) ?? createCluster(n, collection, entry.q);
  const enter = (hash: NewHash): HashNode => enterHash(hash, entry.t, cluster, memory.limits.silentMs);
  const post: Post = {
    name,
    id: entry.i,
    createdAt: entry.t,
    author: entry.a,
    storeKeys: entry.k,
    content: null,
    cluster,
    text: entry.s === '' ? null : enter(hashOfText(collection, entry.s)),
    pictures: entry.p
      .map(([hash, flipped]) => hashOfPicture(collection, { hash, flipped }))
      .filter((hash) => hash !== null)
      .map(enter),
  };
  join(cluster, post, entry.x);
  memory.contents.give(post, {
    collection: entry.c,
    text: entry.x,
    perceptualHashes: entry.p.map(([hash]) => hash),
    storeKeys: [...entry.k].sort(),
    lineage: NO_LINEAGE,
    informative: entry.f ?? false,
  });
  memory.posts.set(name, post);
  memory.clusters.set(n, cluster);
}

function restoreClaim(cluster: Cluster, entry: ClaimEntry): void {
  cluster.touched = entry.touched;
  cluster.emitted = entry.emitted;
  cluster.aliases = entry.aliases;
  cluster.firing = entry.firing;
  if (entry.firing) cluster.collection.firing.add(cluster);
}

function restorePosts(memory: Memory, remembered: Remembered): void {
  const numbered = remembered.posts
    .map(([name, entry]) => ({ name, entry, n: finalNumber(entry.n, remembered.forwards) }))
    .sort((a, b) => a.n - b.n);
  for (const { name, entry, n } of numbered) restorePost(memory, name, entry, n);
  for (const [n, entry] of remembered.claims) {
    const cluster = memory.clusters.get(n);
    if (cluster) restoreClaim(cluster, entry);
  }
  for (const n of remembered.forwards.keys())
    memory.clusters.get(finalNumber(n, remembered.forwards))?.forwards.push(n);
}

/** The memory as it was when the state was written. */
export function restoreMemory(restored: RestoredState, limits: Limits): Memory {
  const remembered = readState(restored);
  const memory: Memory = {
    limits,
    posts: new Map(),
    clusters: new Map(),
    collections: new Map(),
    rulings: createRulings(limits.maxWaiting),
    contents: createContents(),
    ledger: remembered.ledger,
  };
  restorePosts(memory, remembered);
  for (const [id, entry] of remembered.scores) {
    const content = memory.contents.get(id);
    if (!content) continue;
    if ('answer' in entry) memory.contents.answered(content, entry.answer);
    else memory.contents.pending(content, entry.askedAt);
  }
  for (const post of memory.posts.values()) memory.contents.promote(post);
  for (const { name, watermark, usual } of remembered.collections) {
    const collection = collectionOf(memory, name);
    collection.watermark = watermark;
    collection.usual = usual;
  }
  for (const entry of remembered.rulings) {
    memory.rulings.add({ ...entry });
    const applied = memory.rulings.get(entry.ruling.collection, entry.ruling.id);
    if (applied?.applied && applied.target !== null)
      memory.posts.get(applied.target)?.cluster.rulings.push(applied);
  }
  return memory;
}

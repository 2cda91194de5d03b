/** Lets go of what is over, so that memory and state stay bounded: claims silent for long, then posts above the cap. */
import { type Lineage, NO_LINEAGE } from '../bus/messages.ts';
import { resolve } from './alert.ts';
import { type Cluster, forgetHashes, lastSeen } from './cluster.ts';
import type { Journal } from './journal.ts';
import type { Memory } from './memory.ts';
import type { AppliedRuling } from './rulings.ts';
import { claimEntry, collectionEntry, postEntry, rulingEntry, scoreEntry } from './state.ts';

/** One look through the memory; claims go whole, in the order of their creation. */
export function sweep(memory: Memory, journal: Journal, lineage: Lineage | null): void {
  const { limits, clusters, posts, ledger } = memory;
  let gone = 0;
  const goes = (cluster: Cluster): void => {
    gone += cluster.members.length;
    letGo(memory, journal, cluster, lineage ?? NO_LINEAGE);
  };
  for (const cluster of clusters.values()) {
    if (gone >= limits.sweepPosts) break;
    const silent = cluster.collection.watermark - lastSeen(cluster) > limits.silentMs;
    if (silent && ledger.received - cluster.touched > limits.keepRecords) goes(cluster);
  }
  for (const mayGo of [(c: Cluster) => c.members.length === 1, () => true]) {
    if (posts.size <= limits.maxPosts) break;
    for (const cluster of clusters.values()) {
      if (posts.size <= limits.maxPosts) break;
      if (mayGo(cluster)) goes(cluster);
    }
  }
  if (gone > 0) memory.ledger = { ...memory.ledger, letGo: memory.ledger.letGo + gone };
}

function letGo(memory: Memory, journal: Journal, cluster: Cluster, lineage: Lineage): void {
  const { collection } = cluster;
  journal.tellNow(cluster);
  journal.alert(resolve(cluster, collection.watermark, 'Let go.'), lineage);
  forgetHashes(cluster);
  for (const entry of cluster.rulings) forgetRuling(memory, journal, entry);
  for (const post of cluster.members) {
    memory.posts.delete(post.name);
    journal.forget(postEntry(post.name));
    for (const id of memory.contents.take(post)) journal.forget(scoreEntry(id));
  }
  if (cluster.members.length > 1 || cluster.emitted !== null) journal.forget(claimEntry(cluster.n));
  for (const n of cluster.forwards) journal.forget(claimEntry(n));
  memory.clusters.delete(cluster.n);
  if (collection.clusters > 0) return;
  memory.collections.delete(collection.name);
  journal.forget(collectionEntry(collection.name));
}

function forgetRuling(memory: Memory, journal: Journal, entry: AppliedRuling): void {
  const { collection, id } = entry.ruling;
  if (!memory.rulings.get(collection, id)) return;
  const undoers = memory.rulings.undoersOf(entry);
  memory.rulings.remove(entry);
  journal.forget(rulingEntry(collection, id));
  for (const undoer of undoers) forgetRuling(memory, journal, undoer);
}

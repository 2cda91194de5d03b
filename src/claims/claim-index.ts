/**
 * The claims of one partition: takes evidence and rulings in, and gives per slice what has to be told and remembered.
 * A function of its inputs and of the restored state alone: no clock, no chance.
 */
import type { Lineage } from '../bus/messages.ts';
import type { RestoredState } from '../bus/port.ts';
import type { Evidence, Ruling, Score } from '../event/records.ts';
import { judgePost, judgeTime, mergeFiring } from './alert.ts';
import { authorNumber } from './authors.ts';
import {
  type Answer,
  addStoreKeys,
  type Cluster,
  type CollectionIndex,
  enterHash,
  join,
  largest,
  merge,
  type NewHash,
  type Post,
  relatedClusters,
} from './cluster.ts';
import { hashOfPicture, hashOfText, pictureOf } from './hashes.ts';
import { createJournal, type Journal, type SliceResult } from './journal.ts';
import { sweep } from './let-go.ts';
import { collectionOf, createCluster, LIMITS, type Limits, type Memory, restoreMemory } from './memory.ts';
import { minuteOf } from './minutes.ts';
import type { AppliedRuling } from './rulings.ts';
import { feedbackOf } from './snapshot.ts';
import {
  type ClaimLedger,
  claimEntry,
  nameOf,
  type PostEntry,
  postEntry,
  rulingEntry,
  scoreEntry,
} from './state.ts';

/** What became of one record; the ledger's counts. */
export type ClaimOutcome = 'posts' | 'revisions' | 'known' | 'late' | 'rulings' | 'scores' | 'dead';

export interface ClaimIndex {
  evidence(evidence: Evidence, lineage: Lineage): ClaimOutcome;
  ruling(ruling: Ruling, lineage: Lineage): ClaimOutcome;
  score(score: Score, lineage: Lineage): ClaimOutcome;
  /** Counts a record that could not be worked on. */
  dead(): ClaimOutcome;
  /**
   * Ends the slice.
   * @param at time of its newest input, for the requests that go out
   */
  finish(at: number): SliceResult;
  ledger(): ClaimLedger;
  /** Clusters that the outside knows of, or could: all with two posts or more. */
  size(): number;
}

/** Headlines and stored texts are cut here (UTF-16 units, never within a pair). */
const MAX_TEXT = 500;

function cut(text: string): string {
  if (text.length <= MAX_TEXT) return text;
  const unit = text.charCodeAt(MAX_TEXT - 1);
  return text.slice(0, unit >= 0xd800 && unit <= 0xdbff ? MAX_TEXT - 1 : MAX_TEXT);
}

export function openClaimIndex(restored: RestoredState, limits: Limits = LIMITS): ClaimIndex {
  const memory = restoreMemory(restored, limits);
  let journal = createJournal(memory);
  const settle = (outcome: ClaimOutcome, lineage: Lineage | null): ClaimOutcome => {
    const { ledger } = memory;
    memory.ledger = { ...ledger, received: ledger.received + 1, [outcome]: ledger[outcome] + 1 };
    if (memory.ledger.received % limits.sweepEvery === 0) sweep(memory, journal, lineage);
    return outcome;
  };
  return {
    evidence: (evidence, lineage) => settle(takeEvidence(memory, journal, evidence, lineage), lineage),
    ruling: (ruling, lineage) => settle(takeRuling(memory, journal, ruling, lineage), lineage),
    score: (score, lineage) => settle(takeScore(memory, journal, score, lineage), lineage),
    dead: () => settle('dead', null),
    finish(at) {
      const result = journal.finish(at);
      journal = createJournal(memory);
      return result;
    },
    ledger: () => memory.ledger,
    size: () => memory.clusters.size,
  };
}

function newHashes(collection: CollectionIndex, evidence: Evidence, post: Post | undefined): NewHash[] {
  const hashes: NewHash[] = [];
  if (evidence.simhash !== '' && !post?.text) hashes.push(hashOfText(collection, evidence.simhash));
  for (const picture of evidence.perceptualHashes) {
    const hash = hashOfPicture(collection, picture);
    const isKnown = (key: string): boolean =>
      hashes.some((other) => other.key === key) || (post?.pictures.some((node) => node.key === key) ?? false);
    if (hash && !isKnown(hash.key)) hashes.push(hash);
  }
  return hashes;
}

function takeEvidence(memory: Memory, journal: Journal, evidence: Evidence, lineage: Lineage): ClaimOutcome {
  const { silentMs } = memory.limits;
  const name = nameOf(evidence.collection, evidence.postId);
  const collection = collectionOf(memory, evidence.collection);
  const known = memory.posts.get(name);
  const isGone = memory.ledger.letGo > 0 && evidence.createdAt < collection.watermark - silentMs;
  if (!known && evidence.revision > 1 && isGone) return 'late';
  const hashes = newHashes(collection, evidence, known);
  const storeKeys = [...new Set(evidence.storeKeys)].filter((key) => !known?.storeKeys.includes(key));
  if (known && hashes.length === 0 && storeKeys.length === 0) return 'known';

  const createdAt = known?.createdAt ?? evidence.createdAt;
  const related = relatedClusters(hashes, createdAt, silentMs);
  if (known) related.add(known.cluster);
  const cluster = largest(related) ?? newCluster(memory, collection);
  for (const other of related) if (other !== cluster) mergeInto(memory, journal, cluster, other, lineage);
  const text = cut(evidence.text);
  const post = known ?? newPost(name, evidence, cluster);
  for (const hash of hashes) {
    const node = enterHash(hash, createdAt, cluster, silentMs);
    if (hash.index === collection.texts) post.text = node;
    else post.pictures = [...post.pictures, node];
  }
  cluster.touched = memory.ledger.received;
  if (known) addStoreKeys(post, storeKeys);
  else {
    memory.posts.set(name, post);
    join(cluster, post, text);
  }
  giveContent(memory, journal, post, { evidence, text, lineage });
  journal.put(postEntry(name), entryOf(post, text, cluster.touched));
  journal.changed(cluster, lineage);
  if (known) return 'revisions';
  for (const entry of memory.rulings.waitingFor(name)) applyRuling(memory, journal, entry, lineage);
  watch(journal, cluster, createdAt, lineage);
  return 'posts';
}

function newPost(name: string, evidence: Evidence, cluster: Cluster): Post {
  const { postId, createdAt, authorHash, storeKeys } = evidence;
  return {
    name,
    id: postId,
    createdAt,
    author: authorHash === null ? null : authorNumber(authorHash),
    cluster,
    text: null,
    pictures: [],
    storeKeys: [...new Set(storeKeys)],
    content: null,
  };
}

function newCluster(memory: Memory, collection: CollectionIndex): Cluster {
  const { ledger } = memory;
  const cluster = createCluster(ledger.nextCluster, collection, ledger.received);
  memory.ledger = { ...ledger, nextCluster: ledger.nextCluster + 1 };
  memory.clusters.set(cluster.n, cluster);
  return cluster;
}

function mergeInto(memory: Memory, journal: Journal, into: Cluster, from: Cluster, lineage: Lineage): void {
  journal.alert(mergeFiring(into, from), lineage);
  const grown = [into, from].filter(({ members }) => members.length === 1).flatMap(({ members }) => members);
  merge(into, from);
  for (const post of grown) memory.contents.promote(post);
  memory.clusters.delete(from.n);
  journal.put(claimEntry(from.n), { into: into.n });
}

function entryOf(post: Post, text: string, touched: number): PostEntry {
  return {
    c: post.cluster.collection.name,
    i: post.id,
    t: post.createdAt,
    a: post.author,
    x: text,
    s: post.text?.key ?? '',
    p: post.pictures.map(pictureOf),
    k: post.storeKeys,
    n: post.cluster.n,
    q: touched,
    ...(post.content?.informative ? { f: true } : {}),
  };
}

/** From here on a post counts as informative when it comes to whose score is asked for first. */
const INFORMATIVE = 0.5;

/** What the post says and shows now; a score that is known already is the post's at once. */
function giveContent(
  memory: Memory,
  journal: Journal,
  post: Post,
  {
    evidence,
    text,
    lineage,
  }: { readonly evidence: Evidence; readonly text: string; readonly lineage: Lineage },
): void {
  const before = post.content;
  const gone = memory.contents.give(post, {
    collection: evidence.collection,
    text,
    perceptualHashes: post.pictures.map((node) => pictureOf(node)[0]),
    storeKeys: [...post.storeKeys].sort(),
    lineage,
    informative: (evidence.informative ?? 0) >= INFORMATIVE,
  });
  for (const id of gone) journal.forget(scoreEntry(id));
  // The second post makes the first one's content a spreading one.
  const { members } = post.cluster;
  if (members.length === 2) for (const member of members) memory.contents.promote(member);
  if (post.content !== before && post.content?.answer) journal.scored(post, lineage);
}

function takeScore(memory: Memory, journal: Journal, score: Score, lineage: Lineage): ClaimOutcome {
  const content = memory.contents.get(score.requestId);
  if (!content || content.collection !== score.collection) return 'late';
  if (content.answer) return 'known';
  if (content.askedAt === null) return 'late';
  const { outcome, probability, byModality, evidence, yes, no, model } = score;
  const answer: Answer = { outcome, probability, byModality, evidence, yes, no, model };
  memory.contents.answered(content, answer);
  journal.put(scoreEntry(content.id), { answer });
  for (const post of content.posts) {
    journal.scored(post, lineage);
    journal.changed(post.cluster, lineage);
  }
  return 'scores';
}

/** Moves the collection's time and looks for surges, and for surges that are over. */
function watch(journal: Journal, cluster: Cluster, createdAt: number, lineage: Lineage): void {
  const { collection } = cluster;
  const before = minuteOf(collection.watermark);
  collection.watermark = Math.max(collection.watermark, createdAt);
  journal.changedCollection(collection);
  journal.alert(judgePost(cluster, createdAt), lineage);
  if (minuteOf(collection.watermark) === before) return;
  judgeTime(collection, (alert, calm) => {
    journal.alert(alert, lineage);
    journal.changed(calm, lineage);
  });
}

function takeRuling(memory: Memory, journal: Journal, ruling: Ruling, lineage: Lineage): ClaimOutcome {
  if (memory.rulings.get(ruling.collection, ruling.id)) return 'known';
  const about = ruling.undoes === null ? (ruling.postId ?? ruling.claimId) : null;
  const entry: AppliedRuling = {
    ruling,
    target: about === null ? null : nameOf(ruling.collection, about),
    seq: memory.ledger.received,
    applied: false,
  };
  journal.put(rulingEntry(ruling.collection, ruling.id), entry);
  for (const dropped of memory.rulings.add(entry))
    journal.forget(rulingEntry(dropped.ruling.collection, dropped.ruling.id));
  applyRuling(memory, journal, entry, lineage);
  return 'rulings';
}

/** The ruling that a chain of take-backs is about in the end; null while a link is missing (or the chain bites its tail). */
function rootOf(memory: Memory, entry: AppliedRuling): AppliedRuling | null {
  let at: AppliedRuling | undefined = entry;
  for (let links = 0; at && links < 64; links += 1) {
    if (at.ruling.undoes === null) return at;
    at = memory.rulings.get(at.ruling.collection, at.ruling.undoes);
  }
  return null;
}

/** Applies a ruling, and the take-backs that waited for it, once its post is there. */
function applyRuling(memory: Memory, journal: Journal, entry: AppliedRuling, lineage: Lineage): void {
  const root = rootOf(memory, entry);
  const post = root?.target ? memory.posts.get(root.target) : undefined;
  if (!root || !post || entry.applied) return;
  memory.rulings.settle(entry);
  if (entry === root) post.cluster.rulings.push(entry);
  journal.put(rulingEntry(entry.ruling.collection, entry.ruling.id), entry);
  journal.feedback(feedbackOf(entry.ruling, root.ruling, post), lineage);
  journal.changed(post.cluster, lineage);
  for (const undoer of memory.rulings.undoersOf(entry)) applyRuling(memory, journal, undoer, lineage);
}

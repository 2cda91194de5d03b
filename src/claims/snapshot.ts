/** A cluster as the outside sees it: the Claim record, and what a ruling covers. */
import type { Claim, Feedback, Ruling, RulingMark } from '../event/records.ts';
import { digestHex, isEarlier } from './accumulate.ts';
import { type Cluster, headOf, type Post, tallyOf } from './cluster.ts';
import { rumourOfClaim } from './rumour.ts';

/** Posts that a feedback record names. */
const MAX_COVERED = 1_000;

/** Whether the world is told of it: two posts or more, or a ruling on its truth (standing or not). */
export function isTold(cluster: Cluster): boolean {
  return cluster.members.length > 1 || cluster.rulings.some(({ ruling }) => ruling.task === 'rumour');
}

/** The claim as it stands. */
export function snapshot(cluster: Cluster, revision: number, ruling: RulingMark | null): Claim {
  const tally = tallyOf(cluster);
  return {
    kind: 'Claim',
    claimId: headOf(cluster).id,
    revision,
    collection: cluster.collection.name,
    posts: cluster.members.length,
    authors: tally.authors.count(),
    firstSeen: headOf(cluster).createdAt,
    lastSeen: tally.lastSeen,
    headline: cluster.headline,
    membersDigest: digestHex(tally),
    storeKeys: tally.previews.map(({ storeKey }) => storeKey),
    rumour: rumourOfClaim(cluster),
    ruling,
    aliases: cluster.aliases,
    mergedInto: null,
  };
}

/** The last word on an id that is only an alias now. Its posts are counted where they are. */
export function aliasSnapshot(alias: string, claim: Claim): Claim {
  return { ...claim, claimId: alias, posts: 0, authors: 0, aliases: [], mergedInto: claim.claimId };
}

function coveredPosts(ruling: Ruling, cluster: Cluster, post: Post): readonly string[] {
  if (ruling.task === 'informative' && ruling.postId !== null) return [post.id];
  return [...cluster.members]
    .sort((a, b) => (isEarlier(a, b) ? -1 : 1))
    .slice(0, MAX_COVERED)
    .map(({ id }) => id);
}

/**
 * A ruling as it is applied now. What is about truth covers the whole claim; what is about information covers the
 * post that was named, or the claim where a claim was named.
 * @param about the ruling whose scope holds: `ruling` itself, or the one that it takes back
 */
export function feedbackOf(ruling: Ruling, about: Ruling, post: Post): Feedback {
  return {
    kind: 'Feedback',
    rulingId: ruling.id,
    collection: ruling.collection,
    claimId: headOf(post.cluster).id,
    postIds: coveredPosts(about, post.cluster, post),
    task: ruling.task,
    ruling: ruling.ruling,
    by: ruling.by,
    at: ruling.at,
    undoes: ruling.undoes,
  };
}

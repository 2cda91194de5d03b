/**
 * The rule `claim_surge`: a claim gets far more posts in ten minutes than claims of its collection usually do.
 * Judged after every post by event time alone, so that a replay raises the alerts that the live stream raised.
 */
import type { Alert } from '../event/records.ts';
import type { Cluster, CollectionIndex, Firing } from './cluster.ts';
import { headOf, lastSeen } from './cluster.ts';
import { type Minutes, minuteOf, postsWithin } from './minutes.ts';

export const CLAIM_SURGE = 'claim_surge';

export const ALERT_STATES: readonly Alert['state'][] = ['firing', 'resolved'];

/** Length of the window, and of one step of the collection's history. */
const WINDOW_MINUTES = 10;
/** A surge has at least so many posts in the window … */
const FEWEST_POSTS = 10;
/** … and so many times the collection's usual. */
const TIMES_USUAL = 4;
/** History that makes up the usual: a day. */
const HISTORY_WINDOWS = 144;

const windowOf = (time: number): number => Math.floor(time / 60_000 / WINDOW_MINUTES);

/** Posts that a claim with posts gets in ten minutes, on average over the day before this window; 0 without history. */
function usualPosts(collection: CollectionIndex, window: number): number {
  let posts = 0;
  let claims = 0;
  for (const [at, p, c] of collection.usual)
    if (at < window && at >= window - HISTORY_WINDOWS) {
      posts += p;
      claims += c;
    }
  return claims === 0 ? 0 : posts / claims;
}

function note(collection: CollectionIndex, time: number, isFirstOfClaim: boolean): void {
  const window = windowOf(time);
  const newest = Math.max(window, windowOf(collection.watermark));
  const usual = collection.usual.filter(([at]) => at >= newest - HISTORY_WINDOWS);
  if (window < newest - HISTORY_WINDOWS) return;
  const at = usual.findIndex(([w]) => w >= window);
  const claim = isFirstOfClaim ? 1 : 0;
  const found = at < 0 ? undefined : usual[at];
  if (found?.[0] === window) usual[at] = [window, found[1] + 1, found[2] + claim];
  else usual.splice(at < 0 ? usual.length : at, 0, [window, 1, claim]);
  collection.usual = usual;
}

/** Whether the claim had a post in the same step of history before `time`'s own. */
function hadPostInWindow(minutes: Minutes, time: number): boolean {
  const start = windowOf(time) * WINDOW_MINUTES;
  return postsWithin(minutes, start + WINDOW_MINUTES - 1, WINDOW_MINUTES) > 1;
}

function alertOf(
  cluster: Cluster,
  firing: Firing,
  state: Alert['state'],
  at: number,
  summary: string,
): Alert {
  return {
    kind: 'Alert',
    id: firing.id,
    rule: CLAIM_SURGE,
    collection: cluster.collection.name,
    claimIds: [headOf(cluster).id],
    since: firing.since,
    at,
    severity: 'warning',
    state,
    summary,
  };
}

const shortened = (text: string): string => (text.length > 80 ? `${[...text].slice(0, 79).join('')}…` : text);

/** A member has joined: counts it into the usual and fires when the claim surges now. */
export function judgePost(cluster: Cluster, time: number): Alert | null {
  const { collection, tally } = cluster;
  if (!tally) return null;
  note(collection, time, !hadPostInWindow(tally.minutes, time));
  if (cluster.firing) return null;
  const now = lastSeen(cluster);
  // What is long past for the collection is no news, whatever order it arrives in.
  if (now < collection.watermark - WINDOW_MINUTES * 60_000) return null;
  const posts = postsWithin(tally.minutes, minuteOf(now), WINDOW_MINUTES);
  if (posts < FEWEST_POSTS) return null;
  const usual = usualPosts(collection, windowOf(now));
  const threshold = Math.max(FEWEST_POSTS, TIMES_USUAL * usual);
  if (posts < threshold) return null;
  const firing: Firing = { id: `${CLAIM_SURGE}:${headOf(cluster).id}:${now}`, since: now, threshold };
  cluster.firing = firing;
  collection.firing.add(cluster);
  const rate = `${posts} posts in ${WINDOW_MINUTES} minutes (usual ${usual.toFixed(1)})`;
  return alertOf(cluster, firing, 'firing', now, `${rate}: ${shortened(cluster.headline)}`);
}

/** The collection's time has moved on: resolves what has calmed down to half of what set it off. */
export function judgeTime(collection: CollectionIndex, calm: (alert: Alert, cluster: Cluster) => void): void {
  const minute = minuteOf(collection.watermark);
  for (const cluster of collection.firing) {
    const posts = postsWithin(cluster.tally?.minutes ?? [], minute, WINDOW_MINUTES);
    const threshold = cluster.firing?.threshold ?? 0;
    if (posts * 2 >= threshold) continue;
    const alert = resolve(
      cluster,
      collection.watermark,
      `Calm again: ${posts} posts in ${WINDOW_MINUTES} minutes.`,
    );
    if (alert) calm(alert, cluster);
  }
}

/** Ends the cluster's alert, if it has one. */
export function resolve(cluster: Cluster, at: number, summary: string): Alert | null {
  const { firing, collection } = cluster;
  if (!firing) return null;
  cluster.firing = null;
  collection.firing.delete(cluster);
  return alertOf(cluster, firing, 'resolved', at, summary);
}

/** Two firing claims are one from now on: the alert that began first goes on, the other ends. */
export function mergeFiring(into: Cluster, from: Cluster): Alert | null {
  if (!from.firing) return null;
  const { collection } = into;
  collection.firing.delete(from);
  if (!into.firing) {
    into.firing = from.firing;
    from.firing = null;
    collection.firing.add(into);
    return null;
  }
  const [first, second] =
    from.firing.since < into.firing.since ||
    (from.firing.since === into.firing.since && from.firing.id < into.firing.id)
      ? [from.firing, into.firing]
      : [into.firing, from.firing];
  into.firing = first;
  from.firing = null;
  return alertOf(into, second, 'resolved', collection.watermark, 'Now part of another claim.');
}

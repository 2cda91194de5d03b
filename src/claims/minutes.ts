/** Posts per minute of event time, kept for the minutes around the newest post only. */

/** Minutes kept before the newest one: a window of ten, and ten more so that it may look back. */
const KEPT_MINUTES = 20;

/** [minute since the epoch, posts], in order. */
export type Minutes = readonly (readonly [number, number])[];

export const minuteOf = (time: number): number => Math.floor(time / 60_000);

/** The sum of both, without what is too old beside the newest minute. */
export function mergeMinutes(a: Minutes, b: Minutes): Minutes {
  const sums = new Map<number, number>();
  let newest = Number.NEGATIVE_INFINITY;
  for (const list of [a, b])
    for (const [minute, posts] of list) {
      sums.set(minute, (sums.get(minute) ?? 0) + posts);
      newest = Math.max(newest, minute);
    }
  return [...sums].filter(([minute]) => minute > newest - KEPT_MINUTES).sort((x, y) => x[0] - y[0]);
}

export function countMinute(minutes: Minutes, time: number): Minutes {
  const minute = minuteOf(time);
  const last = minutes[minutes.length - 1];
  // The usual case, without building maps: the newest minute again.
  if (last?.[0] === minute) return [...minutes.slice(0, -1), [minute, last[1] + 1]];
  return mergeMinutes(minutes, [[minute, 1]]);
}

/** Posts in the `length` minutes that end with `end` (inclusive). */
export function postsWithin(minutes: Minutes, end: number, length: number): number {
  let posts = 0;
  for (const [minute, count] of minutes) if (minute > end - length && minute <= end) posts += count;
  return posts;
}

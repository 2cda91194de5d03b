/** Checks of single fields that every archive has: ids, times, texts. */

/** Tweets begin in 2006; archives of earlier crises exist, but none before the web. */
const EARLIEST = Date.UTC(1995, 0, 1);
/** Clocks differ; an archive cannot come from tomorrow. */
const AHEAD_MS = 86_400_000;

const TWITTER_EPOCH = 1_288_834_974_657n;

/** Milliseconds of a date as archives write it (ISO 8601, or a number of ms), or null. */
export function archiveTime(value: string | number, now: number): number | null {
  const ms = typeof value === 'number' ? value : isoTime(value.trim());
  if (!Number.isFinite(ms) || ms < EARLIEST || ms > now + AHEAD_MS) return null;
  return Math.round(ms);
}

/** Only the ISO form: `Date.parse` alone would read "1" or "May" as a date, and a bare time as local time. */
function isoTime(value: string): number {
  if (!/^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(value))
    return Number.NaN;
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(value.slice(10)) ? value : value.length > 10 ? `${value}Z` : value;
  return Date.parse(zoned.replace(' ', 'T'));
}

/** When a tweet was written, from its id; null when the id is no snowflake. */
export function snowflakeTime(id: string, now: number): number | null {
  if (!/^\d{15,19}$/.test(id)) return null;
  return archiveTime(Number((BigInt(id) >> 22n) + TWITTER_EPOCH), now);
}

/** An id that can be a key: 1 to 256 characters, no blanks, no control characters. */
export function usableId(id: string): boolean {
  return id.length > 0 && id.length <= 256 && /^[^\s\p{C}]+$/u.test(id);
}

/** A collection's name as it can stand in keys and addresses; the archive's own where possible. */
export function collectionName(name: string, fallback: string): string {
  const clean = name
    .trim()
    .replace(/[^\p{L}\p{N}_.-]+/gu, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 64);
  return clean || fallback;
}

/** Lone surrogates cannot be written as UTF-8; they become U+FFFD. */
export const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\uFFFD');

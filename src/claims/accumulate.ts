/** What a claim adds up over its posts. Every sum is commutative, so that the order of arrival makes no difference. */
import { type Authors, createAuthors } from './authors.ts';
import { countMinute, type Minutes, mergeMinutes } from './minutes.ts';

/** Previews that a claim shows. */
const MAX_PREVIEWS = 4;

/** What is added up of a post. */
export interface Member {
  /** Hash of collection and id, 32 hex digits. */
  readonly name: string;
  readonly id: string;
  readonly createdAt: number;
  readonly author: number | null;
  readonly storeKeys: readonly string[];
}

interface Preview {
  readonly createdAt: number;
  readonly postId: string;
  readonly storeKey: string;
}

export interface Tally {
  readonly authors: Authors;
  /** Sum of the posts' 128-bit id hashes, as four 32-bit words each modulo 2^32. */
  readonly digest: [number, number, number, number];
  /** Of the earliest posts that have one, each key once, in order. */
  previews: readonly Preview[];
  /** Posts per minute of event time, near the newest. */
  minutes: Minutes;
  lastSeen: number;
}

export function createTally(): Tally {
  return {
    authors: createAuthors(),
    digest: [0, 0, 0, 0],
    previews: [],
    minutes: [],
    lastSeen: Number.NEGATIVE_INFINITY,
  };
}

/** (createdAt, post id): who came first. Ids are compared by UTF-16 unit. */
export function isEarlier(
  a: { readonly createdAt: number; readonly id: string },
  b: { readonly createdAt: number; readonly id: string },
): boolean {
  return a.createdAt === b.createdAt ? a.id < b.id : a.createdAt < b.createdAt;
}

function previewOrder(a: Preview, b: Preview): number {
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
  if (a.postId !== b.postId) return a.postId < b.postId ? -1 : 1;
  return a.storeKey < b.storeKey ? -1 : a.storeKey > b.storeKey ? 1 : 0;
}

/** The earliest four with different keys. A key may only move forward, so dropping the rest loses nothing. */
function firstPreviews(previews: Preview[]): readonly Preview[] {
  const seen = new Set<string>();
  return previews
    .sort(previewOrder)
    .filter(({ storeKey }) => !seen.has(storeKey) && seen.add(storeKey))
    .slice(0, MAX_PREVIEWS);
}

export function addPreviews(tally: Tally, post: Member, storeKeys: readonly string[]): void {
  if (storeKeys.length === 0) return;
  const { createdAt, id } = post;
  tally.previews = firstPreviews([
    ...tally.previews,
    ...storeKeys.map((storeKey) => ({ createdAt, postId: id, storeKey })),
  ]);
}

export function addPost(tally: Tally, post: Member): void {
  if (post.author !== null) tally.authors.add(post.author);
  for (let word = 0; word < 4; word += 1)
    tally.digest[word] =
      ((tally.digest[word] as number) + Number.parseInt(post.name.slice(word * 8, word * 8 + 8), 16)) >>> 0;
  addPreviews(tally, post, post.storeKeys);
  tally.lastSeen = Math.max(tally.lastSeen, post.createdAt);
  tally.minutes = countMinute(tally.minutes, post.createdAt);
}

/** Adds `other` to `tally`; their posts must be different ones. */
export function mergeTally(tally: Tally, other: Tally): void {
  tally.authors.merge(other.authors);
  for (let word = 0; word < 4; word += 1)
    tally.digest[word] = ((tally.digest[word] as number) + (other.digest[word] as number)) >>> 0;
  tally.previews = firstPreviews([...tally.previews, ...other.previews]);
  tally.lastSeen = Math.max(tally.lastSeen, other.lastSeen);
  tally.minutes = mergeMinutes(tally.minutes, other.minutes);
}

export function digestHex(tally: Tally): string {
  return tally.digest.map((word) => word.toString(16).padStart(8, '0')).join('');
}

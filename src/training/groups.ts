/** Finds posts that are the same in some way, so that a split never has one thing on both sides. */
import { popcount32 } from '../base/simhash.ts';
import type { PerceptualHashes } from '../media/perceptual-hash.ts';
import type { Example } from './dataset.ts';
import { type DisjointSets, disjointSets } from './disjoint-sets.ts';
import { wordsOf } from './words-of.ts';

/** Consecutive words that make one shingle. */
const SHINGLE = 3;
/** Share of common shingles (Jaccard) from which two texts are one message. */
const SAME = 0.5;
/** A shingle proposes at most so many texts: the first that had it. */
const MOST_PROPOSED = 200;
/** Bits in which the hashes of one picture may differ; the claim worker's distance. */
const PICTURE_DISTANCE = 4;

/** Picture key → fingerprint. Keys without one are told apart by key alone. */
export type PictureHashes = ReadonlyMap<string, PerceptualHashes>;

export type Tied = Pick<Example, 'text' | 'post' | 'media' | 'claim'>;

/**
 * The group of every example: equal number = one post, one message, one picture or video, or linked by a chain of such.
 * @param hashes pictures that look the same, mirrored or not, are one picture
 */
export function groupSame(examples: readonly Tied[], hashes: PictureHashes = new Map()): Int32Array {
  const sets = disjointSets(examples.length);
  joinMessages(examples, sets);
  joinEqual(examples, ({ post }) => [`post ${post}`], sets);
  joinMedia(examples, hashes, sets);
  return sets.groups();
}

/** As `groupSame`, by text alone. */
export function groupNearDuplicates(examples: readonly Pick<Example, 'text'>[]): Int32Array {
  const sets = disjointSets(examples.length);
  joinMessages(examples, sets);
  return sets.groups();
}

/** The members of every group by their index, groups in the order of their first member. */
export function membersOf(groups: Int32Array): number[][] {
  const members = new Map<number, number[]>();
  groups.forEach((group, i) => {
    const before = members.get(group);
    if (before) before.push(i);
    else members.set(group, [i]);
  });
  return [...members.values()];
}

/** Joins examples that carry one picture or video, or that their collection counts to one claim. */
export function joinMedia(
  examples: readonly Pick<Example, 'media' | 'claim'>[],
  hashes: PictureHashes,
  sets: DisjointSets,
): void {
  const lookAlike = groupPictures(hashes);
  joinEqual(
    examples,
    ({ media, claim }) => [
      ...media.map((key) => `media ${lookAlike.get(key) ?? key}`),
      ...(claim === null ? [] : [`claim ${claim}`]),
    ],
    sets,
  );
}

function joinEqual<T>(items: readonly T[], keysOf: (item: T) => readonly string[], sets: DisjointSets): void {
  const first = new Map<string, number>();
  items.forEach((item, i) => {
    for (const key of keysOf(item)) {
      const before = first.get(key);
      if (before === undefined) first.set(key, i);
      else sets.join(before, i);
    }
  });
}

/** For each picture the key of the first that looks like it, by chains. */
function groupPictures(hashes: PictureHashes): Map<string, string> {
  const keys = [...hashes.keys()];
  const words = (of: (hash: PerceptualHashes) => string): Int32Array =>
    Int32Array.from(
      [...hashes.values()].flatMap((hash) => [
        Number.parseInt(of(hash).slice(0, 8), 16) | 0,
        Number.parseInt(of(hash).slice(8), 16) | 0,
      ]),
    );
  const [upright, mirrored] = [words(({ hash }) => hash), words(({ flipped }) => flipped)];
  const distance = (a: Int32Array, i: number, j: number): number =>
    popcount32((a[2 * i] as number) ^ (upright[2 * j] as number)) +
    popcount32((a[2 * i + 1] as number) ^ (upright[2 * j + 1] as number));
  const sets = disjointSets(keys.length);
  for (let i = 0; i < keys.length; i += 1)
    for (let j = 0; j < i; j += 1)
      if (distance(upright, i, j) <= PICTURE_DISTANCE || distance(mirrored, i, j) <= PICTURE_DISTANCE)
        sets.join(i, j);
  const groups = sets.groups();
  return new Map(keys.map((key, i) => [key, keys[groups[i] as number] as string]));
}

/**
 * Joins texts whose words are equal, or of whose 3-word shingles at least half are common. Texts without a word (links
 * only) say nothing and are joined to none.
 */
export function joinMessages(examples: readonly Pick<Example, 'text'>[], sets: DisjointSets): void {
  const byText = new Map<string, number>();
  const postings = new Map<string, number[]>();
  const sizes = new Int32Array(examples.length);
  examples.forEach(({ text }, i) => {
    const words = wordsOf(text);
    if (words.length === 0) return;
    const whole = words.join(' ');
    const twin = byText.get(whole);
    if (twin !== undefined) {
      sets.join(twin, i);
      return;
    }
    byText.set(whole, i);
    const mine = shingles(words);
    sizes[i] = mine.size;
    const shared = new Map<number, number>();
    for (const shingle of mine) {
      const others = postings.get(shingle) ?? [];
      for (const other of others) shared.set(other, (shared.get(other) ?? 0) + 1);
      if (others.length < MOST_PROPOSED) others.push(i);
      postings.set(shingle, others);
    }
    for (const [other, common] of shared)
      if (common >= SAME * (mine.size + (sizes[other] as number) - common)) sets.join(other, i);
  });
}

function shingles(words: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (let i = 0; i + SHINGLE <= words.length; i += 1) found.add(words.slice(i, i + SHINGLE).join(' '));
  return found;
}

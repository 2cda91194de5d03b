/**
 * Finds 64-bit hashes that differ in few bits. A hash is cut into one band more than bits may differ, so that two near
 * hashes agree in at least one band (pigeonhole): no near pair is ever missed, the bands only save comparisons.
 */
import { popcount32 } from '../base/simhash.ts';

/** A 64-bit hash as two 32-bit words. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

/** One thing that is compared: the hash of a text, or the two hashes (as is, mirrored) of a picture. */
export interface NearNode<T> {
  readonly key: string;
  readonly hashes: readonly Hash64[];
  readonly value: T;
  /** Mark of the last search that saw it. */
  seen: number;
}

export interface NearIndex<T> {
  /** The node of these hashes, or undefined. */
  get(key: string): NearNode<T> | undefined;
  add(key: string, hashes: readonly Hash64[], value: T): NearNode<T>;
  remove(key: string): void;
  /** Calls for every node that has a hash near one of these, each once; the node itself where it is in the index. */
  near(hashes: readonly Hash64[], found: (node: NearNode<T>) => void): void;
  size(): number;
}

const HEX64 = /^[0-9a-f]{16}$/;

export function isHash64(hex: string): boolean {
  return HEX64.test(hex);
}

/** @param hex 16 hex digits */
export function parseHash64(hex: string): Hash64 {
  return { high: Number.parseInt(hex.slice(0, 8), 16) | 0, low: Number.parseInt(hex.slice(8), 16) | 0 };
}

export function distance(a: Hash64, b: Hash64): number {
  return popcount32(a.high ^ b.high) + popcount32(a.low ^ b.low);
}

/** Bit ranges [from, to) of the bands, 64 bits shared out as evenly as they go. */
function bandsOf(count: number): readonly (readonly [number, number])[] {
  return Array.from(
    { length: count },
    (_, i) => [Math.floor((64 * i) / count), Math.floor((64 * (i + 1)) / count)] as const,
  );
}

/** Bits [from, to) of the hash, at most 31 of them. */
function bitsOf(hash: Hash64, from: number, to: number): number {
  const mask = (1 << (to - from)) - 1;
  if (to <= 32) return (hash.low >>> from) & mask;
  if (from >= 32) return (hash.high >>> (from - 32)) & mask;
  return ((hash.low >>> from) | (hash.high << (32 - from))) & mask;
}

/** Hashes that agree in one band, as parallel lists: the search runs through nothing but numbers. */
interface Bucket<T> {
  readonly highs: number[];
  readonly lows: number[];
  readonly nodes: NearNode<T>[];
}

/** Swaps the node's entry out of the bucket; true when it is empty then. */
function dropFrom<T>(bucket: Bucket<T>, node: NearNode<T>): boolean {
  const at = bucket.nodes.indexOf(node);
  const last = bucket.nodes.length - 1;
  if (at < 0) return false;
  bucket.nodes[at] = bucket.nodes[last] as NearNode<T>;
  bucket.highs[at] = bucket.highs[last] as number;
  bucket.lows[at] = bucket.lows[last] as number;
  bucket.nodes.pop();
  bucket.highs.pop();
  bucket.lows.pop();
  return last === 0;
}

/** An empty index that calls two hashes near when they differ in at most `maxDistance` bits (2 to 31). */
export function createNearIndex<T>(maxDistance: number): NearIndex<T> {
  const bands = bandsOf(maxDistance + 1);
  const nodes = new Map<string, NearNode<T>>();
  const buckets = bands.map(() => new Map<number, Bucket<T>>());
  let search = 0;
  const eachBand = (hash: Hash64, visit: (buckets: Map<number, Bucket<T>>, bits: number) => void): void => {
    for (let b = 0; b < bands.length; b += 1) {
      const [from, to] = bands[b] as readonly [number, number];
      visit(buckets[b] as Map<number, Bucket<T>>, bitsOf(hash, from, to));
    }
  };
  const scan = (bucket: Bucket<T>, { high, low }: Hash64, found: (node: NearNode<T>) => void): void => {
    const { highs, lows } = bucket;
    for (let i = 0; i < highs.length; i += 1) {
      const bits = popcount32((highs[i] as number) ^ high);
      if (bits > maxDistance || bits + popcount32((lows[i] as number) ^ low) > maxDistance) continue;
      const node = bucket.nodes[i] as NearNode<T>;
      if (node.seen === search) continue;
      node.seen = search;
      found(node);
    }
  };
  return {
    get: (key) => nodes.get(key),
    add(key, hashes, value) {
      const node: NearNode<T> = { key, hashes, value, seen: 0 };
      nodes.set(key, node);
      for (const hash of hashes)
        eachBand(hash, (band, bits) => {
          const bucket = band.get(bits) ?? { highs: [], lows: [], nodes: [] };
          band.set(bits, bucket);
          bucket.highs.push(hash.high);
          bucket.lows.push(hash.low);
          bucket.nodes.push(node);
        });
      return node;
    },
    remove(key) {
      const node = nodes.get(key);
      if (!node) return;
      nodes.delete(key);
      for (const hash of node.hashes)
        eachBand(hash, (band, bits) => {
          const bucket = band.get(bits);
          if (bucket && dropFrom(bucket, node)) band.delete(bits);
        });
    },
    near(hashes, found) {
      search += 1;
      for (const hash of hashes)
        eachBand(hash, (band, bits) => {
          const bucket = band.get(bits);
          if (bucket) scan(bucket, hash, found);
        });
    },
    size: () => nodes.size,
  };
}

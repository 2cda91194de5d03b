/** The hashes of a post's text and pictures, as the indexes of its collection compare them. */

import { popcount32 } from '../base/simhash.ts';
import type { PictureHash } from '../event/records.ts';
import type { CollectionIndex, HashNode, NewHash } from './cluster.ts';
import { type Hash64, parseHash64 } from './near.ts';

/** A picture hash with so few bits set, or unset, is that of a blank picture: it is like every other blank one. */
const FEWEST_BITS = 4;

export function hashOfText(collection: CollectionIndex, simhash: string): NewHash {
  return { index: collection.texts, key: simhash, hashes: [parseHash64(simhash)] };
}

function saysSomething(hash: Hash64): boolean {
  const set = popcount32(hash.high) + popcount32(hash.low);
  return set >= FEWEST_BITS && set <= 64 - FEWEST_BITS;
}

/** Null for a blank picture. A picture is near another when any of the two's hashes, as is or mirrored, are. */
export function hashOfPicture(collection: CollectionIndex, { hash, flipped }: PictureHash): NewHash | null {
  const hashes = [parseHash64(hash), parseHash64(flipped)];
  return hashes.every(saysSomething)
    ? { index: collection.pictures, key: `${hash}:${flipped}`, hashes }
    : null;
}

/** The two hashes of a picture's node, as the state keeps them. */
export function pictureOf(node: HashNode): readonly [string, string] {
  const [hash = '', flipped = ''] = node.key.split(':');
  return [hash, flipped];
}

/** Picture files that an archive's rows name: only inside the archive's folder, only files that are there. */
import { realpathSync, statSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { MAX_PICTURE_BYTES } from '../media/store.ts';
import type { PictureProblem } from './problems.ts';

/** Most pictures that a post keeps. */
export const MAX_PICTURES: number = 16;

export type FoundPicture =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'problem'; readonly reason: PictureProblem };

/** Finds pictures of one archive folder; remembers what it found, since archives name the same file many times. */
export function pictureFinder(root: string): (name: string) => FoundPicture {
  const known = new Map<string, FoundPicture>();
  const base = realpathSync(root);
  return (name) => {
    const before = known.get(name);
    if (before) return before;
    const found = find(base, name);
    known.set(name, found);
    return found;
  };
}

function find(base: string, name: string): FoundPicture {
  const problem = (reason: PictureProblem): FoundPicture => ({ kind: 'problem', reason });
  if (name.includes('\0') || isAbsolute(name) || !isInside(base, resolve(base, name)))
    return problem('picture_outside');
  let path: string;
  let size: number;
  try {
    // A link may point anywhere; what counts is where it ends.
    path = realpathSync(resolve(base, name));
    const stat = statSync(path);
    if (!stat.isFile()) return problem('picture_missing');
    size = stat.size;
  } catch {
    return problem('picture_missing');
  }
  if (size === 0) return problem('picture_empty');
  if (!isInside(base, path)) return problem('picture_outside');
  return size > MAX_PICTURE_BYTES ? problem('picture_too_large') : { kind: 'file', path };
}

function isInside(base: string, path: string): boolean {
  const way = relative(base, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Finds the reader of an archive, and lays several archives on one time axis. */
import { stat } from 'node:fs/promises';
import { TocsinError } from '../../base/errors.ts';
import type { Archive, ArchivePost, ArchiveReader, ReaderDeps } from './contract.ts';
import { crisisLex } from './crisislex.ts';
import { crisisMmd } from './crisismmd.ts';
import { jsonLines } from './jsonl.ts';
import { mediaEval } from './mediaeval.ts';

/** Every reader. Their marks do not overlap, so the order says nothing. */
export const READERS: readonly ArchiveReader[] = [crisisMmd, crisisLex, mediaEval, jsonLines];

/** Opens a folder or file with the reader that knows it. Throws ARCHIVE_UNREADABLE saying what is known. */
export async function openArchive(path: string, deps: ReaderDeps): Promise<Archive> {
  try {
    await stat(path);
  } catch (cause) {
    throw new TocsinError('ARCHIVE_UNREADABLE', `there is no archive at ${path}`, { cause });
  }
  for (const reader of READERS) if (await reader.detect(path)) return reader.open(path, deps);
  throw new TocsinError(
    'ARCHIVE_UNREADABLE',
    `no reader knows ${path}. Known are:\n${READERS.map((reader) => `  ${reader.takes}`).join('\n')}`,
  );
}

/** The posts of several archives in event-time order; at one instant the archive named first comes first. */
export async function* mergedItems(archives: readonly Archive[]): AsyncGenerator<ArchivePost> {
  const heads: { readonly items: AsyncIterator<ArchivePost>; next: ArchivePost }[] = [];
  for (const archive of archives) {
    const items = archive.items()[Symbol.asyncIterator]();
    const first = await items.next();
    if (!first.done) heads.push({ items, next: first.value });
  }
  try {
    while (heads.length > 0) {
      let earliest = 0;
      heads.forEach((head, i) => {
        if (head.next.post.createdAt < (heads[earliest]?.next.post.createdAt ?? 0)) earliest = i;
      });
      const head = heads[earliest] as (typeof heads)[number];
      yield head.next;
      const following = await head.items.next();
      if (following.done) heads.splice(earliest, 1);
      else head.next = following.value;
    }
  } finally {
    for (const head of heads) await head.items.return?.();
  }
}

/** Turns a stream of rows into an Archive: one look for counts, span and order, then the posts as often as asked. */
import type { PictureProblem, Unreadable, UnreadableReason } from '../../archive/problems.ts';
import { TocsinError } from '../../base/errors.ts';
import type { Archive, ArchivePost } from './contract.ts';

/** What a reader makes of one row (or of the rows of one post). */
export type Row =
  | {
      readonly kind: 'post';
      readonly item: ArchivePost;
      readonly problems: readonly PictureProblem[];
    }
  | Unreadable;

/** An archive that is not in order is sorted in memory, up to this many characters of text. */
const MAX_SORTED_CHARS = 200_000_000;

/**
 * @param rows starts a fresh pass over the archive; called once for the survey and once for each `items()`.
 * Archives that are in event-time order (all the usual ones) are streamed, others are sorted in memory.
 */
export async function surveyed(
  reader: string,
  path: string,
  rows: () => AsyncIterable<Row>,
): Promise<Archive> {
  const unreadable = new Map<UnreadableReason, number>();
  const pictureProblems = new Map<PictureProblem, number>();
  let posts = 0;
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  let sorted = true;
  let chars = 0;
  for await (const row of rows()) {
    if (row.kind === 'unreadable') {
      unreadable.set(row.reason, (unreadable.get(row.reason) ?? 0) + 1);
      continue;
    }
    for (const problem of row.problems) pictureProblems.set(problem, (pictureProblems.get(problem) ?? 0) + 1);
    const { createdAt, text } = row.item.post;
    posts += 1;
    chars += text.length + 500;
    if (createdAt < to) sorted = false;
    from = Math.min(from, createdAt);
    to = Math.max(to, createdAt);
  }
  if (!sorted && chars > MAX_SORTED_CHARS)
    throw new TocsinError(
      'ARCHIVE_UNREADABLE',
      `${path} is too large to be sorted here; sort it by time first`,
    );

  async function* inFileOrder(): AsyncGenerator<ArchivePost> {
    for await (const row of rows()) if (row.kind === 'post') yield row.item;
  }
  async function* inTimeOrder(): AsyncGenerator<ArchivePost> {
    const all: ArchivePost[] = [];
    for await (const item of inFileOrder()) all.push(item);
    // Array.prototype.sort is stable: posts of one instant keep the archive's order.
    yield* all.sort((a, b) => a.post.createdAt - b.post.createdAt);
  }
  return {
    reader,
    path,
    posts,
    span: posts === 0 ? null : { from, to },
    unreadable,
    pictureProblems,
    items: sorted ? inFileOrder : inTimeOrder,
  };
}

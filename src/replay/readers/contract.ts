/** The contract of an archive reader: a folder or file as its authors publish it → posts in event-time order. */
import type { PictureProblem, UnreadableReason } from '../../archive/problems.ts';
import type { Clock } from '../../base/clock.ts';
import type { PostEvent } from '../../event/records.ts';

/** A picture of the archive: the absolute path of its file, or its bytes. */
export type PictureSource = string | Uint8Array;

/** A post, and where the bytes of its `archive:` media are. Media with a URL have no entry in `pictures`. */
export interface ArchivePost {
  readonly post: PostEvent;
  readonly pictures: ReadonlyMap<string, PictureSource>;
}

/** An opened archive: looked through once, so its counts are known before the first post is taken. */
export interface Archive {
  /** Name of the reader. */
  readonly reader: string;
  readonly path: string;
  readonly posts: number;
  /** Event time of the first and the last post; null for an archive without readable posts. */
  readonly span: { readonly from: number; readonly to: number } | null;
  /** Rows that gave no post, by reason. */
  readonly unreadable: ReadonlyMap<UnreadableReason, number>;
  /** Pictures that were left out, by reason. */
  readonly pictureProblems: ReadonlyMap<PictureProblem, number>;
  /** Posts in event-time order; posts of one instant stay in the archive's order. May be called again. */
  items(): AsyncIterable<ArchivePost>;
}

export interface ReaderDeps {
  readonly clock: Clock;
  /** Makes the hash that stands for an author. */
  readonly hashAuthor: (source: string, author: string) => string;
}

/** One kind of archive. */
export interface ArchiveReader {
  readonly name: string;
  /** What the reader takes, in words, for help and error messages. */
  readonly takes: string;
  /** Whether this reader knows the folder or file. Looks at names and header lines only. */
  detect(path: string): Promise<boolean>;
  /** Throws ARCHIVE_UNREADABLE when a file cannot be read at all. */
  open(path: string, deps: ReaderDeps): Promise<Archive>;
}

/** Puts a post together from the fields that an archive gives. */
import { wellFormed } from '../../archive/fields.ts';
import type { LinePicture } from '../../archive/jsonl.ts';
import { type FoundPicture, MAX_PICTURES } from '../../archive/pictures.ts';
import type { PictureProblem } from '../../archive/problems.ts';
import type { Media, PostEvent } from '../../event/records.ts';
import type { ArchivePost, PictureSource, ReaderDeps } from './contract.ts';
import type { Row } from './survey.ts';

export interface RowPost {
  readonly id: string;
  readonly collection: string;
  readonly source: string;
  readonly text: string;
  readonly createdAt: number;
  readonly language: string | null;
  /** The author as the archive names them; hashed here. */
  readonly author: string | null;
  readonly synthetic: boolean;
  readonly pictures: readonly LinePicture[];
}

/** The row of a readable post. Pictures that cannot be had are left out and counted; the post stays. */
export function postRow(row: RowPost, find: (name: string) => FoundPicture, deps: ReaderDeps): Row {
  const media: Media[] = [];
  const pictures = new Map<string, PictureSource>();
  const problems: PictureProblem[] = [];
  const ids = new Set<string>();
  for (const picture of row.pictures) {
    if (media.length === MAX_PICTURES) {
      problems.push('too_many_pictures');
      continue;
    }
    let id = picture.id;
    for (let n = 2; ids.has(id); n += 1) id = `${picture.id}-${n}`;
    if ('url' in picture) {
      media.push({ id, ref: picture.url });
    } else {
      const found = find(picture.file);
      if (found.kind === 'problem') {
        problems.push(found.reason);
        continue;
      }
      media.push({ id, ref: `archive:${picture.file}` });
      pictures.set(id, found.path);
    }
    ids.add(id);
  }
  const post: PostEvent = {
    kind: 'PostEvent',
    id: row.id,
    collection: row.collection,
    source: row.source,
    text: wellFormed(row.text),
    createdAt: row.createdAt,
    receivedAt: deps.clock.now(),
    language: row.language,
    authorHash: row.author === null ? null : deps.hashAuthor(row.source, row.author),
    place: null,
    media,
    picturesApart: false,
    synthetic: row.synthetic,
  };
  const item: ArchivePost = { post, pictures };
  return { kind: 'post', item, problems };
}

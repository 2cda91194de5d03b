/** MediaEval 2015 "Verifying Multimedia Use" (Boididou et al., 2018): posts.tsv, and pictures that many posts share. */
import { basename, dirname, extname, join, posix } from 'node:path';
import { collectionName } from '../../archive/fields.ts';
import type { LinePicture } from '../../archive/jsonl.ts';
import { type FoundPicture, pictureFinder } from '../../archive/pictures.ts';
import { type PostRow, postRows } from '../../archive/post-rows.ts';
import { hasColumns } from '../../archive/tsv.ts';
import { postRow } from './build-post.ts';
import type { ArchiveReader } from './contract.ts';
import { type Row, surveyed } from './survey.ts';

const SOURCE = 'mediaeval';
const COLUMNS = ['post_id', 'created_at', 'user_hash', 'event', 'image_file', 'text'];

export const mediaEval: ArchiveReader = {
  name: SOURCE,
  takes: 'MediaEval verification corpus: a folder with posts.tsv and images/, or its posts.tsv',
  async detect(path) {
    return hasColumns(postsFile(path), COLUMNS);
  },
  async open(path, deps) {
    const file = postsFile(path);
    const find = pictureFinder(dirname(file));
    return surveyed(SOURCE, path, async function* (): AsyncGenerator<Row> {
      for await (const row of postRows(file, 'post_id', deps.clock.now())) {
        if (row.kind === 'unreadable') {
          yield row;
          continue;
        }
        yield postRow(
          {
            id: row.id,
            collection: collectionName(row.get('event'), SOURCE),
            source: SOURCE,
            text: row.get('text'),
            createdAt: row.createdAt,
            language: null,
            author: row.get('user_hash') || null,
            synthetic: false,
            pictures: picturesOf(row, find),
          },
          find,
          deps,
        );
      }
    });
  },
};

/**
 * The file that the row names, then those beside it of the row's other ids; an id without a file is a video or was never
 * obtained.
 */
function picturesOf({ get }: PostRow, find: (name: string) => FoundPicture): LinePicture[] {
  const first = get('image_file');
  if (first === '') return [];
  const others = get('image_ids')
    .split(',')
    .map((id) => posix.join(posix.dirname(first), id + extname(first)))
    .filter((file) => file !== first && find(file).kind === 'file');
  return [first, ...others].map((file) => ({ id: basename(file, extname(file)), file }));
}

const postsFile = (path: string): string => (basename(path) === 'posts.tsv' ? path : join(path, 'posts.tsv'));

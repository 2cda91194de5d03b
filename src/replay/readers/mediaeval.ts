/** MediaEval 2015 "Verifying Multimedia Use" (Boididou et al., 2018): posts.tsv, and pictures that many posts share. */
import { basename, dirname, extname, join } from 'node:path';
import { collectionName } from '../../archive/fields.ts';
import { pictureFinder } from '../../archive/pictures.ts';
import { postRows } from '../../archive/post-rows.ts';
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
        const image = row.get('image_file');
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
            pictures: image === '' ? [] : [{ id: basename(image, extname(image)), file: image }],
          },
          find,
          deps,
        );
      }
    });
  },
};

const postsFile = (path: string): string => (basename(path) === 'posts.tsv' ? path : join(path, 'posts.tsv'));

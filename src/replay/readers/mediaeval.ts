/** MediaEval 2015 "Verifying Multimedia Use" (Boididou et al., 2018): posts.tsv, and pictures that many posts share. */
import { basename, dirname, extname, join } from 'node:path';
import { postRow } from './build-post.ts';
import type { ArchiveReader } from './contract.ts';
import { archiveTime, collectionName, usableId } from './fields.ts';
import { pictureFinder } from './pictures.ts';
import { type Row, surveyed } from './survey.ts';
import { hasColumns, tsvRows } from './tsv.ts';

const SOURCE = 'mediaeval';
const COLUMNS = ['post_id', 'created_at', 'user_hash', 'event', 'image_file', 'text'];

export const mediaEval: ArchiveReader = {
  name: SOURCE,
  takes: 'MediaEval verification corpus: a folder with posts.tsv and images/, or its posts.tsv',
  async detect(path) {
    return hasColumns(await postsFile(path), COLUMNS);
  },
  async open(path, deps) {
    const file = await postsFile(path);
    const find = pictureFinder(dirname(file));
    return surveyed(SOURCE, path, async function* (): AsyncGenerator<Row> {
      const now = deps.clock.now();
      for await (const row of tsvRows(file)) {
        if (row.kind === 'unreadable') {
          yield row;
          continue;
        }
        const id = row.get('post_id');
        const createdAt = archiveTime(row.get('created_at'), now);
        const image = row.get('image_file');
        if (!usableId(id)) yield { kind: 'unreadable', reason: 'missing_id' };
        else if (createdAt === null) yield { kind: 'unreadable', reason: 'bad_date' };
        else
          yield postRow(
            {
              id,
              collection: collectionName(row.get('event'), SOURCE),
              source: SOURCE,
              text: row.get('text'),
              createdAt,
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

async function postsFile(path: string): Promise<string> {
  return basename(path) === 'posts.tsv' ? path : join(path, 'posts.tsv');
}

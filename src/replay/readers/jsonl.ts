/** JSON lines as `archive/jsonl.ts` describes them, one post a line. */
import { collectionName } from '../../archive/fields.ts';
import { jsonLineRows, jsonLinesFiles } from '../../archive/jsonl.ts';
import { pictureFinder } from '../../archive/pictures.ts';
import { postRow } from './build-post.ts';
import type { ArchiveReader } from './contract.ts';
import { type Row, surveyed } from './survey.ts';

const SOURCE = 'jsonl';

export const jsonLines: ArchiveReader = {
  name: SOURCE,
  takes: 'JSON lines: a .jsonl or .ndjson file (also .gz), or a folder of them',
  async detect(path) {
    return (await jsonLinesFiles(path)).files.length > 0;
  },
  async open(path, deps) {
    const { root, files } = await jsonLinesFiles(path);
    const find = pictureFinder(root);
    return surveyed(SOURCE, path, async function* (): AsyncGenerator<Row> {
      const now = deps.clock.now();
      for (const file of files)
        for await (const row of jsonLineRows(file, now)) {
          if (row.kind === 'unreadable') yield row;
          else
            yield postRow(
              {
                ...row,
                collection: collectionName(row.collection ?? '', 'default'),
                source: row.source ?? SOURCE,
                pictures: row.media,
              },
              find,
              deps,
            );
        }
    });
  },
};

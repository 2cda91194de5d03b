/** CrisisLexT26 and T6 (Olteanu et al., 2014 and 2015) as TSV, gzipped or not: one labelled tweet a row, no pictures. */
import { collectionName } from '../../archive/fields.ts';
import type { FoundPicture } from '../../archive/pictures.ts';
import { postRows, tablesWith } from '../../archive/post-rows.ts';
import { postRow } from './build-post.ts';
import type { ArchiveReader } from './contract.ts';
import { type Row, surveyed } from './survey.ts';

const SOURCE = 'crisislex';
const COLUMNS = ['event', 'tweet_id', 'created_at', 'text'];

const noPictures = (): FoundPicture => ({ kind: 'problem', reason: 'picture_missing' });

export const crisisLex: ArchiveReader = {
  name: SOURCE,
  takes:
    'CrisisLexT26 or T6: a .tsv or .tsv.gz with event, tweet_id, created_at and text, or a folder of them',
  async detect(path) {
    return (await tablesWith(path, COLUMNS)).length > 0;
  },
  async open(path, deps) {
    const files = await tablesWith(path, COLUMNS);
    return surveyed(SOURCE, path, async function* (): AsyncGenerator<Row> {
      const now = deps.clock.now();
      for (const file of files)
        for await (const row of postRows(file, 'tweet_id', now)) {
          if (row.kind === 'unreadable') yield row;
          else
            yield postRow(
              {
                id: row.id,
                collection: collectionName(row.get('event'), SOURCE),
                source: SOURCE,
                text: row.get('text'),
                createdAt: row.createdAt,
                language: null,
                author: null,
                synthetic: false,
                pictures: [],
              },
              noPictures,
              deps,
            );
        }
    });
  },
};

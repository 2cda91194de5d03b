/** CrisisLexT26 and T6 (Olteanu et al., 2014 and 2015) as TSV, gzipped or not: one labelled tweet a row, no pictures. */
import { postRow } from './build-post.ts';
import type { ArchiveReader } from './contract.ts';
import { archiveTime, collectionName, usableId } from './fields.ts';
import { filesEnding } from './files.ts';
import type { FoundPicture } from './pictures.ts';
import { type Row, surveyed } from './survey.ts';
import { hasColumns, tsvRows } from './tsv.ts';

const SOURCE = 'crisislex';
const COLUMNS = ['event', 'tweet_id', 'created_at', 'text'];

const noPictures = (): FoundPicture => ({ kind: 'problem', reason: 'picture_missing' });

export const crisisLex: ArchiveReader = {
  name: SOURCE,
  takes:
    'CrisisLexT26 or T6: a .tsv or .tsv.gz with event, tweet_id, created_at and text, or a folder of them',
  async detect(path) {
    return (await labelledFiles(path)).length > 0;
  },
  async open(path, deps) {
    const files = await labelledFiles(path);
    return surveyed(SOURCE, path, async function* (): AsyncGenerator<Row> {
      const now = deps.clock.now();
      for (const file of files)
        for await (const row of tsvRows(file)) {
          if (row.kind === 'unreadable') {
            yield row;
            continue;
          }
          const id = row.get('tweet_id');
          const createdAt = archiveTime(row.get('created_at'), now);
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

async function labelledFiles(path: string): Promise<string[]> {
  const { files } = await filesEnding(path, ['.tsv', '.tsv.gz']);
  const fitting: string[] = [];
  for (const file of files) if (await hasColumns(file, COLUMNS)) fitting.push(file);
  return fitting;
}

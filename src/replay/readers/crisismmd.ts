/**
 * CrisisMMD v2.0 (Alam, Ofli, Imran, ICWSM 2018): the folder as officially published (annotations/*.tsv and
 * data_image/), or plain TSVs with the same core columns. Rows are pictures; a post is all rows of one tweet.
 */
import { basename, dirname, join } from 'node:path';
import { postRow, type RowPicture } from './build-post.ts';
import type { ArchiveReader, ReaderDeps } from './contract.ts';
import { archiveTime, collectionName, snowflakeTime, usableId } from './fields.ts';
import { type ArchiveFiles, filesEnding } from './files.ts';
import { pictureFinder } from './pictures.ts';
import { type Row, surveyed } from './survey.ts';
import { hasColumns, tsvHeader, tsvRows } from './tsv.ts';

const SOURCE = 'crisismmd';
const COLUMNS = ['tweet_id', 'image_id', 'tweet_text', 'image_path'];
const ENDINGS = ['.tsv', '.tsv.gz'];

export const crisisMmd: ArchiveReader = {
  name: SOURCE,
  takes: 'CrisisMMD v2.0: its folder with annotations/ and data_image/, one annotation file, or plain TSVs',
  async detect(path) {
    return (await annotationFiles(path)).files.length > 0;
  },
  async open(path, deps) {
    const { root, files } = await annotationFiles(path);
    const find = pictureFinder(root);
    return surveyed(SOURCE, path, async function* () {
      for (const file of files) yield* tweetsOf(file, find, deps);
    });
  },
};

/** The TSVs with the right columns, and the folder that `image_path` counts from. */
async function annotationFiles(path: string): Promise<ArchiveFiles> {
  const official = await filesEnding(join(path, 'annotations'), ENDINGS);
  const found = official.files.length > 0 ? { ...official, root: path } : await filesEnding(path, ENDINGS);
  const files: string[] = [];
  for (const file of found.files) if (await hasColumns(file, COLUMNS)) files.push(file);
  // One annotation file of the official folder was named: its pictures lie beside annotations/.
  const root = basename(found.root) === 'annotations' ? dirname(found.root) : found.root;
  return { root, files };
}

interface Tweet {
  readonly id: string;
  readonly collection: string;
  readonly text: string;
  readonly createdAt: number;
  readonly pictures: Map<string, string>;
}

/** Groups the rows of a file by tweet; one file is at most some 10 MB. */
async function* tweetsOf(
  file: string,
  find: ReturnType<typeof pictureFinder>,
  deps: ReaderDeps,
): AsyncGenerator<Row> {
  const columns = new Set(await tsvHeader(file));
  const event = basename(file).replace(/(_final_data)?\.tsv(\.gz)?$/i, '');
  const tweets = new Map<string, Tweet>();
  const now = deps.clock.now();
  for await (const row of tsvRows(file)) {
    if (row.kind === 'unreadable') {
      yield row;
      continue;
    }
    const id = row.get('tweet_id');
    if (!usableId(id)) {
      yield { kind: 'unreadable', reason: 'missing_id' };
      continue;
    }
    // The official files have no date; a tweet's id says when it was written.
    const createdAt = columns.has('created_at')
      ? archiveTime(row.get('created_at'), now)
      : snowflakeTime(id, now);
    if (createdAt === null) {
      yield { kind: 'unreadable', reason: 'bad_date' };
      continue;
    }
    let tweet = tweets.get(id);
    if (!tweet) {
      tweet = {
        id,
        collection: collectionName(columns.has('event_name') ? row.get('event_name') : event, SOURCE),
        text: row.get('tweet_text'),
        createdAt,
        pictures: new Map(),
      };
      tweets.set(id, tweet);
    }
    const image = row.get('image_id');
    if (image !== '' && row.get('image_path') !== '') tweet.pictures.set(image, row.get('image_path'));
  }
  for (const tweet of tweets.values()) {
    const pictures: RowPicture[] = [...tweet.pictures].map(([image, path]) => ({ id: image, file: path }));
    yield postRow(
      { ...tweet, source: SOURCE, language: null, author: null, synthetic: false, pictures },
      find,
      deps,
    );
  }
}

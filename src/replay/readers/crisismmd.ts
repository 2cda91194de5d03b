/**
 * CrisisMMD v2.0 (Alam, Ofli, Imran, ICWSM 2018): the folder as officially published (annotations/*.tsv and
 * data_image/), or plain TSVs with the same core columns. Rows are pictures; a post is all rows of one tweet.
 */
import { crisisMmdEvent, crisisMmdFiles } from '../../archive/crisismmd.ts';
import { collectionName } from '../../archive/fields.ts';
import type { LinePicture } from '../../archive/jsonl.ts';
import { pictureFinder } from '../../archive/pictures.ts';
import { postRows } from '../../archive/post-rows.ts';
import { postRow } from './build-post.ts';
import type { ArchiveReader, ReaderDeps } from './contract.ts';
import { type Row, surveyed } from './survey.ts';

const SOURCE = 'crisismmd';

export const crisisMmd: ArchiveReader = {
  name: SOURCE,
  takes: 'CrisisMMD v2.0: its folder with annotations/ and data_image/, one annotation file, or plain TSVs',
  async detect(path) {
    return (await crisisMmdFiles(path)).files.length > 0;
  },
  async open(path, deps) {
    const { root, files } = await crisisMmdFiles(path);
    const find = pictureFinder(root);
    return surveyed(SOURCE, path, async function* () {
      for (const file of files) yield* tweetsOf(file, find, deps);
    });
  },
};

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
  const tweets = new Map<string, Tweet>();
  for await (const row of postRows(file, 'tweet_id', deps.clock.now())) {
    if (row.kind === 'unreadable') {
      yield row;
      continue;
    }
    const { id, createdAt, get } = row;
    let tweet = tweets.get(id);
    if (!tweet) {
      tweet = {
        id,
        collection: collectionName(crisisMmdEvent(file, row), SOURCE),
        text: get('tweet_text'),
        createdAt,
        pictures: new Map(),
      };
      tweets.set(id, tweet);
    }
    const image = get('image_id');
    if (image !== '' && get('image_path') !== '') tweet.pictures.set(image, get('image_path'));
  }
  for (const tweet of tweets.values()) {
    const pictures: LinePicture[] = [...tweet.pictures].map(([image, path]) => ({ id: image, file: path }));
    yield postRow(
      { ...tweet, source: SOURCE, language: null, author: null, synthetic: false, pictures },
      find,
      deps,
    );
  }
}

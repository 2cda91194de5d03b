/**
 * Rumour collections, as their authors publish them or in one posts.tsv: MediaEval "Verifying Multimedia Use" (Boididou et al., IJMIR 2018) and Weibo (Jin
 * et al., ACM MM 2017). Many posts share a picture or a video; `image_ids` names all, `image_file` the one at hand.
 */
import { basename, dirname, extname, join } from 'node:path';
import { type PostRow, postRows } from '../../archive/post-rows.ts';
import { hasColumns } from '../../archive/tsv.ts';
import { TASKS } from '../tasks.ts';
import { type Collection, type DatasetReader, left, NOTHING_MORE, publishedIn } from './contract.ts';
import { mediaEvalAsPublished } from './mediaeval-published.ts';
import { weiboAsPublished } from './weibo-published.ts';

const COLUMNS = ['post_id', 'created_at', 'user_hash', 'label', 'image_file', 'text'];

type Verdict = 0 | 1 | 'humour';

/** posts.tsv at a path when it has the columns and, or not, a column of events. */
async function collectionAt(
  path: string,
  hasEvents: boolean,
  event: (row: PostRow) => string,
  verdicts: Readonly<Record<string, Verdict>>,
): Promise<Collection | null> {
  const file = basename(path) === 'posts.tsv' ? path : join(path, 'posts.tsv');
  if (!(await hasColumns(file, COLUMNS))) return null;
  if ((await hasColumns(file, ['event'])) !== hasEvents) return null;
  return {
    root: dirname(file),
    files: [file],
    async *rows(_unit, now) {
      for await (const row of postRows(file, 'post_id', now)) {
        if (row.kind === 'unreadable') {
          yield left(row.reason);
          continue;
        }
        const { id, createdAt, get } = row;
        const verdict = verdicts[get('label')];
        if (verdict === undefined) {
          yield left('unknown_label');
          continue;
        }
        const image = get('image_file');
        const key = basename(image, extname(image));
        yield {
          kind: 'example',
          ...NOTHING_MORE,
          id,
          post: id,
          event: event(row),
          createdAt,
          text: get('text'),
          author: get('user_hash') || null,
          picture: image === '' ? null : { key, file: image },
          media: [...new Set([...get('image_ids').split(','), key])].filter((name) => name !== ''),
          // MediaEval calls the part that trains "dev".
          published: publishedIn('official', get('split').replace(/^dev$/, 'train')),
          ...(verdict === 'humour' ? { labels: {}, unlabelled: verdict } : { labels: { rumour: verdict } }),
        };
      }
    },
  };
}

const tasks: DatasetReader['tasks'] = { rumour: { classes: TASKS.rumour.classes, weak: null } };

const MEDIAEVAL_VERDICTS = { fake: 1, real: 0, humor: 'humour', humour: 'humour' } as const;

export const mediaEval: DatasetReader = {
  name: 'MediaEval verification corpus',
  licence: 'Apache-2.0',
  takes:
    'MediaEval verification corpus: a folder with devset/ and testset/, or with posts.tsv (with event) and images/, or its posts.tsv',
  tasks,
  find: async (path) =>
    (await collectionAt(path, true, (row) => row.get('event'), MEDIAEVAL_VERDICTS)) ??
    mediaEvalAsPublished(path, MEDIAEVAL_VERDICTS),
};

/** No events are given. */
export const weibo: DatasetReader = {
  name: 'Weibo (Jin 2017)',
  licence: 'not stated',
  takes:
    'Weibo rumours (Jin 2017): a folder with train_rumor.txt and so on, in tweets/ or not, or with posts.tsv (without event), or its posts.tsv',
  tasks,
  find: async (path) =>
    (await collectionAt(path, false, () => 'weibo', { rumor: 1, nonrumor: 0 })) ?? weiboAsPublished(path),
};

/**
 * HumAID (Alam et al., ICWSM 2021): tweets with one of ten humanitarian classes, as published (EVENT_train.tsv, _dev,
 * _test, in folders of events or not), or in one table with event and split.
 */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type PostRow, postRows, tablesWith } from '../../archive/post-rows.ts';
import { HUMAID_CLASSES, labelsOf, mapped } from '../humanitarian.ts';
import { TASKS } from '../tasks.ts';
import { type DatasetReader, left, NOTHING_MORE, publishedIn, type RowExample } from './contract.ts';

const COMBINED = ['event', 'tweet_id', 'split', 'label', 'text'];
const PUBLISHED = ['tweet_id', 'tweet_text', 'class_label'];

export const humAid: DatasetReader = {
  name: 'HumAID',
  licence: 'research use only',
  takes:
    'HumAID: EVENT_train.tsv, EVENT_dev.tsv and EVENT_test.tsv, in folders of events or not, or one table',
  tasks: {
    informative: {
      classes: TASKS.informative.classes,
      weak: 'not_humanitarian against all other classes stands for informativeness, which nobody was asked',
    },
    humanitarian: { classes: labelsOf(HUMAID_CLASSES), weak: null },
  },
  async find(path) {
    const files = await tables(path);
    if (files.length === 0) return null;
    return {
      root: path,
      files,
      async *rows(_unit, now) {
        for (const file of files)
          for await (const row of postRows(file, 'tweet_id', now)) {
            if (row.kind === 'unreadable') {
              yield left(row.reason);
              continue;
            }
            const humanitarian = mapped(HUMAID_CLASSES, [row.get('label') || row.get('class_label')]);
            if (humanitarian === null) yield left('unknown_label');
            else
              yield {
                ...exampleOf(file, row),
                labels: { informative: humanitarian.length > 0 ? 1 : 0, humanitarian },
              };
          }
      },
    };
  },
};

async function tables(path: string): Promise<string[]> {
  const of = async (folder: string): Promise<string[]> => [
    ...(await tablesWith(folder, COMBINED)),
    ...(await tablesWith(folder, PUBLISHED)),
  ];
  const here = await of(path);
  if (here.length > 0) return here;
  const folders = await readdir(path, { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const folder of folders
    .filter((entry) => entry.isDirectory())
    .sort((a, b) => (a.name < b.name ? -1 : 1)))
    found.push(...(await of(join(path, folder.name))));
  return found;
}

function exampleOf(file: string, { id, createdAt, get }: PostRow): Omit<RowExample, 'labels'> {
  const named = /^(.+)_(train|dev|test)\.tsv(\.gz)?$/.exec(basename(file));
  return {
    kind: 'example',
    ...NOTHING_MORE,
    id,
    post: id,
    event: get('event') || (named?.[1] ?? 'humaid'),
    createdAt,
    text: get('text') || get('tweet_text'),
    published: publishedIn('official', get('split') || (named?.[2] ?? '')),
  };
}

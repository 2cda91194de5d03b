/** Collections in one CSV: Kaggle's "Disaster Tweets" and the humanitarian picture-text pairs of whuscity. */
import { basename } from 'node:path';
import { csvHeader, csvRows } from '../../archive/csv.ts';
import { snowflakeTime, usableId } from '../../archive/fields.ts';
import { filesEnding } from '../../archive/files.ts';
import { labelsOf, mapped, PAIRS_CLASSES } from '../humanitarian.ts';
import { TASKS } from '../tasks.ts';
import {
  type Collection,
  type DatasetReader,
  left,
  NOTHING_MORE,
  type RowExample,
  type RowLeft,
  type Unit,
} from './contract.ts';

type Get = (column: string) => string;

/** The CSVs at a path with these columns, each row made into an example by `exampleOf`. */
async function csvCollection(
  path: string,
  columns: readonly string[],
  exampleOf: (get: Get, unit: Unit, now: number) => RowExample | RowLeft,
): Promise<Collection | null> {
  const { root, files } = await filesEnding(path, ['.csv']);
  const fitting: string[] = [];
  for (const file of files) {
    const header = await csvHeader(file);
    if (columns.every((column) => header?.includes(column))) fitting.push(file);
  }
  if (fitting.length === 0) return null;
  return {
    root,
    files: fitting,
    async *rows(unit, now) {
      for (const file of fitting)
        for await (const row of csvRows(file))
          yield row.kind === 'row' ? exampleOf(row.get, unit, now) : left(row.reason);
    },
  };
}

const KAGGLE_LABELS: Readonly<Record<string, 0 | 1>> = { '1': 1, '0': 0 };

/** No times, no events: all rows are one event. */
export const kaggle: DatasetReader = {
  name: 'Kaggle disaster tweets',
  licence: 'not stated',
  takes: 'Kaggle "Natural Language Processing with Disaster Tweets": train.csv or its folder',
  tasks: {
    informative: {
      classes: TASKS.informative.classes,
      weak: 'about a real disaster stands for informative',
    },
  },
  find: (path) =>
    csvCollection(path, ['id', 'keyword', 'location', 'text', 'target'], (get) => {
      const id = get('id');
      const informative = KAGGLE_LABELS[get('target')];
      if (!usableId(id)) return left('missing_id');
      if (informative === undefined) return left('unknown_label');
      return {
        kind: 'example',
        ...NOTHING_MORE,
        id,
        post: id,
        event: 'kaggle',
        createdAt: null,
        text: get('text'),
        labels: { informative },
      };
    }),
};

/** The pictures' files carry the tweet's id and a number; `;` stands between several labels. */
export const humanitarianPairs: DatasetReader = {
  name: 'Humanitarian pairs (whuscity)',
  licence: 'not stated',
  takes:
    'Humanitarian picture-text pairs: annotation.csv with tweet_text, image_path and label, or its folder',
  tasks: {
    informative: {
      classes: TASKS.informative.classes,
      weak: '"Not humanitarian" against all other labels stands for informativeness, which nobody was asked',
    },
    humanitarian: { classes: labelsOf(PAIRS_CLASSES), weak: null },
  },
  find: (path) =>
    csvCollection(path, ['tweet_id', 'tweet_text', 'image_path', 'label'], (get, unit, now) => {
      const post = get('tweet_id');
      const file = get('image_path');
      const text = get('tweet_text');
      if (!usableId(post)) return left('missing_id');
      const humanitarian = mapped(
        PAIRS_CLASSES,
        get('label')
          .split(';')
          .map((name) => name.trim()),
      );
      if (humanitarian === null) return left('unknown_label');
      const key = basename(file).replace(/\.[a-z]+$/i, '');
      return {
        kind: 'example',
        ...NOTHING_MORE,
        id: key || post,
        post,
        event: 'humanitarian-pairs',
        createdAt: snowflakeTime(post, now),
        text,
        picture: unit === 'pair' && file !== '' ? { key, file } : null,
        media: file === '' ? [] : [key],
        labels: { informative: humanitarian.length > 0 ? 1 : 0, humanitarian },
      };
    }),
};

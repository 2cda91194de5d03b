/**
 * The MediaEval verification corpus (Boididou et al., IJMIR 2018) as its authors publish it: devset/ and testset/, each with
 * a table of tweets or posts, a table of pictures with their events or not, and the pictures in folders of any depth.
 */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { basename, extname, join, relative } from 'node:path';
import { type PostRow, postRows } from '../../archive/post-rows.ts';
import { hasColumns, tsvRows } from '../../archive/tsv.ts';
import type { Part } from '../dataset.ts';
import { type Collection, left, NOTHING_MORE, type RowExample, type RowLeft } from './contract.ts';

/** Column names of 2015 and of 2016. */
const TABLES = [
  { id: 'tweetId', text: 'tweetText', user: 'userId', images: 'imageId(s)' },
  { id: 'post_id', text: 'post_text', user: 'user_id', images: 'image_id(s)' },
] as const;
type Table = (typeof TABLES)[number];
const NAMES = ['tweets.txt', 'posts.txt', 'posts_groundtruth.txt'];
const PARTS: readonly (readonly [folder: string, part: Part])[] = [
  ['devset', 'train'],
  ['testset', 'test'],
];

interface Source {
  readonly file: string;
  readonly table: Table;
  readonly part: Part;
  readonly folder: string;
}

/** @param verdicts what each label means */
export async function mediaEvalAsPublished(
  path: string,
  verdicts: Readonly<Record<string, 0 | 1 | 'humour'>>,
): Promise<Collection | null> {
  const sources: Source[] = [];
  for (const [name, part] of PARTS) sources.push(...(await sourcesIn(join(path, name), part)));
  if (sources.length === 0) return null;
  const events = sources.map(({ folder }) => join(folder, 'images.txt'));
  const known: string[] = [];
  for (const file of new Set(events)) if (await hasColumns(file, ['image_id', 'event'])) known.push(file);
  return {
    root: path,
    files: [...sources.map(({ file }) => file), ...known],
    async *rows(_unit, now) {
      const eventOf = await eventsIn(known);
      for (const source of sources) {
        const pictures = await picturesIn(path, source.folder);
        for await (const row of postRows(source.file, source.table.id, now))
          yield row.kind === 'unreadable'
            ? left(row.reason)
            : exampleOf(row, source, { eventOf, pictures, verdicts });
      }
    },
  };
}

/** One table a folder: the one that has labels. */
async function sourcesIn(folder: string, part: Part): Promise<Source[]> {
  for (const name of NAMES)
    for (const table of TABLES) {
      const file = join(folder, name);
      if (await hasColumns(file, [...Object.values(table), 'label'])) return [{ file, table, part, folder }];
    }
  return [];
}

async function eventsIn(files: readonly string[]): Promise<Map<string, string>> {
  const events = new Map<string, string>();
  for (const file of files)
    for await (const row of tsvRows(file))
      if (row.kind === 'row') events.set(row.get('image_id'), row.get('event'));
  return events;
}

/** Name of a picture without its ending → its file, counted from the root. */
async function picturesIn(root: string, folder: string): Promise<Map<string, string>> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  return new Map(
    files
      .filter((entry) => entry.isFile() && /\.(?:jpe?g|png|gif)$/i.test(entry.name))
      .map((entry) => [
        basename(entry.name, extname(entry.name)),
        relative(root, join(entry.parentPath, entry.name)),
      ]),
  );
}

/** "sandyA_fake_29" and "sandyB_real_02" → "sandy", "syrianboy_1" → "syrianboy". */
const eventByName = (image: string): string =>
  image
    .replace(/_\d+$/, '')
    .replace(/_(?:fake|real|humou?r)$/, '')
    .replace(/(?<=[a-z])[A-Z]$/, '');

interface Around {
  readonly eventOf: ReadonlyMap<string, string>;
  readonly pictures: ReadonlyMap<string, string>;
  readonly verdicts: Readonly<Record<string, 0 | 1 | 'humour'>>;
}

function exampleOf(
  { id, createdAt, get }: PostRow,
  { table, part }: Source,
  { eventOf, pictures, verdicts }: Around,
): RowExample | RowLeft {
  const verdict = verdicts[get('label').trim()];
  if (verdict === undefined) return left('unknown_label');
  const media = [
    ...new Set(
      get(table.images)
        .split(',')
        .map((name) => name.trim()),
    ),
  ].filter(Boolean);
  const [first = ''] = media;
  const shown = media.find((name) => pictures.has(name));
  const user = get(table.user);
  return {
    kind: 'example',
    ...NOTHING_MORE,
    id,
    post: id,
    event: eventOf.get(first) || eventByName(first) || 'mediaeval',
    createdAt,
    text: get(table.text),
    author: user === '' ? null : createHash('sha256').update(user).digest('hex').slice(0, 12),
    picture: shown === undefined ? null : { key: shown, file: pictures.get(shown) as string },
    media,
    published: { official: part },
    ...(verdict === 'humour' ? { labels: {}, unlabelled: verdict } : { labels: { rumour: verdict } }),
  };
}

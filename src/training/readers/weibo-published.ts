/**
 * Weibo (Jin et al., ACM MM 2017) as its authors publish it: four files, in the folder or in its tweets/, of three lines a
 * post (15 fields with bars between them; the pictures' addresses, ended by `null`; the text), with rumor_images/ and
 * nonrumor_images/ beside.
 */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { archiveTime, usableId } from '../../archive/fields.ts';
import { textLines } from '../../archive/lines.ts';
import type { Part } from '../dataset.ts';
import { type Collection, left, NOTHING_MORE, type RowExample, type RowLeft } from './contract.ts';

interface Source {
  readonly file: string;
  readonly rumour: 0 | 1;
  readonly part: Part;
}

const FILES: Readonly<Record<string, Pick<Source, 'rumour' | 'part'>>> = {
  'train_rumor.txt': { rumour: 1, part: 'train' },
  'train_nonrumor.txt': { rumour: 0, part: 'train' },
  'test_rumor.txt': { rumour: 1, part: 'test' },
  'test_nonrumor.txt': { rumour: 0, part: 'test' },
};
const PICTURE_FOLDERS = ['rumor_images', 'nonrumor_images'];

/** The first line of a post begins with its id. */
const META = /^\d{10,20}\|/;
const META_FIELDS = 15;
/** Places of what is read of them. */
const [ID, TIME, USER] = [0, 4, 9];

/** The collection at its folder or at its tweets/. Null when none of the four files is there. */
export async function weiboAsPublished(path: string): Promise<Collection | null> {
  const inTweets = await sourcesIn(join(path, 'tweets'));
  const sources = inTweets.length > 0 ? inTweets : await sourcesIn(path);
  if (sources.length === 0) return null;
  const root = inTweets.length === 0 && basename(path) === 'tweets' ? dirname(path) : path;
  return {
    root,
    files: sources.map(({ file }) => file),
    async *rows(_unit, now) {
      const pictures = await picturesIn(root);
      for (const source of sources) yield* postsOf(source, pictures, now);
    },
  };
}

async function sourcesIn(folder: string): Promise<Source[]> {
  const names: string[] = await readdir(folder).catch(() => []);
  return Object.entries(FILES)
    .filter(([name]) => names.includes(name))
    .map(([name, what]) => ({ file: join(folder, name), ...what }));
}

/** Key of a picture → its file, counted from the root. */
async function picturesIn(root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const folder of PICTURE_FOLDERS)
    for (const name of (await readdir(join(root, folder)).catch(() => [])).sort())
      if (!found.has(keyOf(name))) found.set(keyOf(name), join(folder, name));
  return found;
}

/** "http://ww2.sinaimg.cn/large/6bbb.jpg" → "6bbb" */
const keyOf = (address: string): string => basename(address).replace(/\.\w+$/, '');

async function* postsOf(
  source: Source,
  pictures: ReadonlyMap<string, string>,
  now: number,
): AsyncGenerator<RowExample | RowLeft> {
  let post: string[] = [];
  for await (const line of textLines(source.file)) {
    if (line === null) {
      yield left('row_too_long');
      post = [];
    } else if (META.test(line)) {
      if (post.length > 0) yield exampleOf(post, source, pictures, now);
      post = [line];
    } else if (post.length > 0 && post.length < 3) post.push(line);
    else if (line.trim() !== '') yield left('column_count');
  }
  if (post.length > 0) yield exampleOf(post, source, pictures, now);
}

/** @param post its lines; the text is missing where it is empty and stands last */
function exampleOf(
  [meta = '', addresses, text = '']: readonly string[],
  { rumour, part }: Source,
  pictures: ReadonlyMap<string, string>,
  now: number,
): RowExample | RowLeft {
  const fields = meta.split('|').map((field) => field.trim());
  if (fields.length < META_FIELDS || addresses === undefined) return left('column_count');
  const [id, time, user] = [ID, TIME, USER].map((place) => fields[place] as string) as [
    string,
    string,
    string,
  ];
  const createdAt = timeOf(time, now);
  if (!usableId(id)) return left('missing_id');
  if (createdAt === null) return left('bad_date');
  const media = [...new Set(addresses.split('|').map((address) => keyOf(address.trim())))].filter(
    (key) => key !== '' && key !== 'null',
  );
  const shown = media.find((key) => pictures.has(key));
  return {
    kind: 'example',
    ...NOTHING_MORE,
    id,
    post: id,
    event: 'weibo',
    createdAt,
    text,
    author:
      user === '' || user === 'null' ? null : createHash('sha256').update(user).digest('hex').slice(0, 12),
    picture: shown === undefined ? null : { key: shown, file: pictures.get(shown) as string },
    media,
    published: { official: part },
    labels: { rumour },
  };
}

/** Non-rumours have milliseconds, rumours minutes of China's clock. */
function timeOf(value: string, now: number): number | null {
  if (/^\d{13}$/.test(value)) return archiveTime(Number(value), now);
  return archiveTime(/^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?$/.test(value) ? `${value}+08:00` : value, now);
}

/**
 * PHEME (Zubiaga et al., 2016; Kochkina et al., 2018) as published: EVENT/{rumours,non-rumours}/THREAD with the source
 * tweet, its reactions and, in the second release, annotation.json. The examples are the source tweets.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { snowflakeTime, usableId } from '../../archive/fields.ts';
import type { LeftReason } from '../dataset.ts';
import { TASKS } from '../tasks.ts';
import { type DatasetReader, left, NOTHING_MORE, type RowExample, type RowLeft } from './contract.ts';

const KINDS = ['rumours', 'non-rumours'] as const;

interface Thread {
  readonly id: string;
  readonly event: string;
  readonly kind: (typeof KINDS)[number];
  /** The source tweet; null where it is missing. */
  readonly tweet: string | null;
  /** Null in the first release. */
  readonly annotation: string | null;
}

export const pheme: DatasetReader = {
  name: 'PHEME',
  licence: 'CC BY 4.0',
  takes: 'PHEME: the folder of its events, each with rumours/ and non-rumours/',
  tasks: {
    rumour: {
      classes: TASKS.rumour.classes,
      weak: 'true stories and threads that were no rumour count as real; in the release without annotation.json every rumour counts as fake',
    },
  },
  async find(path) {
    const threads = await threadsAt(path);
    if (threads.length === 0) return null;
    return {
      root: path,
      files: threads.flatMap(({ tweet, annotation }) => [tweet, annotation]).filter((file) => file !== null),
      async *rows(_unit, now) {
        for (const thread of threads) yield await exampleOf(thread, now);
      },
    };
  },
};

const tweetSchema = z.object({
  id_str: z.string(),
  text: z.string().optional(),
  full_text: z.string().optional(),
  lang: z.string().nullish(),
  user: z.object({ id_str: z.string() }).nullish(),
  entities: z.object({ media: z.array(z.object({ media_url: z.string() })).optional() }).nullish(),
});

async function exampleOf(thread: Thread, now: number): Promise<RowExample | RowLeft> {
  if (thread.tweet === null) return left('missing_id');
  const tweet = tweetSchema.safeParse(await json(thread.tweet));
  if (!tweet.success) return left('bad_json');
  const { id_str: id, lang, user, entities } = tweet.data;
  const createdAt = snowflakeTime(id, now);
  if (!usableId(id)) return left('missing_id');
  if (createdAt === null) return left('bad_date');
  const verdict = await verdictOf(thread);
  return {
    kind: 'example',
    ...NOTHING_MORE,
    id,
    post: id,
    event: thread.event,
    createdAt,
    text: tweet.data.full_text ?? tweet.data.text ?? '',
    language: lang && /^[a-z]{2}$/.test(lang) ? lang : null,
    author: user?.id_str ?? null,
    media: (entities?.media ?? []).map(({ media_url }) => media_url),
    ...(typeof verdict === 'number' ? { labels: { rumour: verdict } } : { labels: {}, unlabelled: verdict }),
  };
}

const flag = z.union([z.string(), z.number()]).transform(Number).optional();
const annotationSchema = z.object({ misinformation: flag, true: flag });

/** As the corpus' own convert_veracity_annotations.py reads it: false, true, or not settled. */
async function verdictOf({ kind, annotation }: Thread): Promise<0 | 1 | LeftReason> {
  if (kind === 'non-rumours') return 0;
  if (annotation === null) return 1;
  const read = annotationSchema.safeParse(await json(annotation));
  if (!read.success) return 'unknown_label';
  const { misinformation, true: isTrue = 0 } = read.data;
  if (misinformation === undefined || (misinformation === 1 && isTrue === 1)) return 'unknown_label';
  if (misinformation === 1) return 1;
  return isTrue === 1 ? 0 : 'unverified';
}

async function json(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return null;
  }
}

/** Folders and files of a folder, sorted, without the ._shadows of a Mac; empty when it is none. */
async function entries(path: string): Promise<string[]> {
  const names = await readdir(path).catch(() => []);
  return names.filter((name) => !name.startsWith('.')).sort();
}

async function threadsAt(path: string): Promise<Thread[]> {
  // The second release puts its events into a folder of their own.
  const inner = join(path, 'all-rnr-annotated-threads');
  const root = (await entries(inner)).length > 0 ? inner : path;
  const threads: Thread[] = [];
  for (const folder of await entries(root))
    for (const kind of KINDS)
      for (const id of await entries(join(root, folder, kind))) {
        const at = join(root, folder, kind, id);
        const inside = await entries(at);
        const source = inside.find((name) => name === 'source-tweet' || name === 'source-tweets');
        const tweet = source
          ? (await entries(join(at, source))).find((name) => name.endsWith('.json'))
          : null;
        threads.push({
          id,
          event: folder.replace(/-all-rnr-threads$/, ''),
          kind,
          tweet: source && tweet ? join(at, source, tweet) : null,
          annotation: inside.includes('annotation.json') ? join(at, 'annotation.json') : null,
        });
      }
  return threads;
}

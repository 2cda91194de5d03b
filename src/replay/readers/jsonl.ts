/**
 * JSON lines, gzipped or not: `{id, text, createdAt, author?, lang?, collection?, source?, synthetic?,
 * media?: [{id?, url? | path?}]}`, one post a line; `path` counts from the file's folder.
 */
import { z } from 'zod';
import { postRow, type RowPicture } from './build-post.ts';
import type { ArchiveReader } from './contract.ts';
import { archiveTime, collectionName, usableId } from './fields.ts';
import { type ArchiveFiles, filesEnding } from './files.ts';
import { textLines } from './lines.ts';
import { pictureFinder } from './pictures.ts';
import { type Row, surveyed } from './survey.ts';

const ENDINGS = ['.jsonl', '.ndjson', '.jsonl.gz', '.ndjson.gz'];
const SOURCE = 'jsonl';

const schema = z.object({
  id: z.union([z.string(), z.int().transform(String)]),
  text: z.string(),
  createdAt: z.union([z.string(), z.number()]),
  author: z.string().max(1_000).nullish(),
  lang: z.string().max(35).nullish(),
  collection: z.string().max(1_000).nullish(),
  source: z.string().min(1).max(64).nullish(),
  synthetic: z.boolean().nullish(),
  media: z
    .array(
      z.object({
        id: z.string().min(1).max(256).nullish(),
        url: z.string().max(4_000).nullish(),
        path: z.string().min(1).max(4_000).nullish(),
      }),
    )
    .nullish(),
});

export const jsonLines: ArchiveReader = {
  name: SOURCE,
  takes: 'JSON lines: a .jsonl or .ndjson file (also .gz), or a folder of them',
  async detect(path) {
    return (await filesEnding(path, ENDINGS)).files.length > 0;
  },
  async open(path, deps) {
    const { root, files }: ArchiveFiles = await filesEnding(path, ENDINGS);
    const find = pictureFinder(root);
    return surveyed(SOURCE, path, async function* (): AsyncGenerator<Row> {
      const now = deps.clock.now();
      for (const file of files)
        for await (const line of textLines(file)) {
          if (line === null) yield { kind: 'unreadable', reason: 'row_too_long' };
          else if (line.trim() !== '') {
            const row = parsed(line, now);
            if (row.kind === 'unreadable') yield row;
            else yield postRow(row.post, find, deps);
          }
        }
    });
  },
};

type Parsed =
  | { readonly kind: 'post'; readonly post: Parameters<typeof postRow>[0] }
  | Extract<Row, { readonly kind: 'unreadable' }>;

function parsed(line: string, now: number): Parsed {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return { kind: 'unreadable', reason: 'bad_json' };
  }
  const checked = schema.safeParse(json);
  if (!checked.success) {
    const wrong = checked.error.issues[0]?.path[0];
    if (wrong === 'id') return { kind: 'unreadable', reason: 'missing_id' };
    return { kind: 'unreadable', reason: wrong === 'createdAt' ? 'bad_date' : 'bad_field' };
  }
  const { id, text, lang, author, collection, source, synthetic, media } = checked.data;
  if (!usableId(id)) return { kind: 'unreadable', reason: 'missing_id' };
  const createdAt = archiveTime(checked.data.createdAt, now);
  if (createdAt === null) return { kind: 'unreadable', reason: 'bad_date' };
  const pictures: RowPicture[] = [];
  for (const [i, item] of (media ?? []).entries()) {
    const mediaId = item.id ?? `m${i + 1}`;
    if (item.path) pictures.push({ id: mediaId, file: item.path });
    else if (item.url && /^https?:\/\//i.test(item.url)) pictures.push({ id: mediaId, url: item.url });
    else return { kind: 'unreadable', reason: 'bad_field' };
  }
  return {
    kind: 'post',
    post: {
      id,
      collection: collectionName(collection ?? '', 'default'),
      source: source ?? SOURCE,
      text,
      createdAt,
      language: lang && /^[a-z]{2}\b/i.test(lang) ? lang.slice(0, 2).toLowerCase() : null,
      author: author || null,
      synthetic: synthetic ?? false,
      pictures,
    },
  };
}

/**
 * Posts as JSON lines, gzipped or not: `{id, text, createdAt, author?, lang?, collection?, source?, synthetic?,
 * media?: [{id?, url? | path?}], labels?}`, one post a line; `path` counts from the file's folder.
 */
import { z } from 'zod';
import { archiveTime, usableId } from './fields.ts';
import { type ArchiveFiles, filesEnding } from './files.ts';
import { textLines } from './lines.ts';
import { type Unreadable, unreadable } from './problems.ts';

const ENDINGS = ['.jsonl', '.ndjson', '.jsonl.gz', '.ndjson.gz'];

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
  labels: z.record(z.string(), z.unknown()).nullish(),
});

/** A picture as a line names it: a file beside the archive, or an address elsewhere. */
export type LinePicture =
  | { readonly id: string; readonly file: string }
  | { readonly id: string; readonly url: string };

export interface JsonLine {
  readonly kind: 'row';
  readonly id: string;
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly author: string | null;
  /** ISO 639-1. */
  readonly language: string | null;
  readonly collection: string | null;
  readonly source: string | null;
  readonly synthetic: boolean;
  readonly media: readonly LinePicture[];
  /** What people said of the post, by task; not looked into here. */
  readonly labels: Readonly<Record<string, unknown>> | null;
}

/** The files of such lines at `path`. */
export const jsonLinesFiles = (path: string): Promise<ArchiveFiles> => filesEnding(path, ENDINGS);

/** @param now nothing is younger than that (ms) */
export async function* jsonLineRows(file: string, now: number): AsyncGenerator<JsonLine | Unreadable> {
  for await (const line of textLines(file)) {
    if (line === null) yield unreadable('row_too_long');
    else if (line.trim() !== '') yield parsed(line, now);
  }
}

function parsed(line: string, now: number): JsonLine | Unreadable {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return unreadable('bad_json');
  }
  const checked = schema.safeParse(json);
  if (!checked.success) {
    const wrong = checked.error.issues[0]?.path[0];
    if (wrong === 'id') return unreadable('missing_id');
    return unreadable(wrong === 'createdAt' ? 'bad_date' : 'bad_field');
  }
  const { id, text, lang, author, collection, source, synthetic, labels } = checked.data;
  if (!usableId(id)) return unreadable('missing_id');
  const createdAt = archiveTime(checked.data.createdAt, now);
  if (createdAt === null) return unreadable('bad_date');
  const media: LinePicture[] = [];
  for (const [i, item] of (checked.data.media ?? []).entries()) {
    const mediaId = item.id ?? `m${i + 1}`;
    if (item.path) media.push({ id: mediaId, file: item.path });
    else if (item.url && /^https?:\/\//i.test(item.url)) media.push({ id: mediaId, url: item.url });
    else return unreadable('bad_field');
  }
  return {
    kind: 'row',
    id,
    text,
    createdAt,
    author: author || null,
    language: lang && /^[a-z]{2}\b/i.test(lang) ? lang.slice(0, 2).toLowerCase() : null,
    collection: collection ?? null,
    source: source ?? null,
    synthetic: synthetic ?? false,
    media,
    labels: labels ?? null,
  };
}

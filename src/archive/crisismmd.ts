/** Where CrisisMMD v2.0 keeps things: the folder as officially published, or plain TSVs with the same core columns. */
import { basename, dirname, join } from 'node:path';
import type { ArchiveFiles } from './files.ts';
import { filesEnding } from './files.ts';
import type { PostRow } from './post-rows.ts';
import { tablesWith } from './post-rows.ts';

const COLUMNS = ['tweet_id', 'image_id', 'tweet_text', 'image_path'];

/** The TSVs with the right columns, and the folder that `image_path` counts from. */
export async function crisisMmdFiles(path: string): Promise<ArchiveFiles> {
  const official = await tablesWith(join(path, 'annotations'), COLUMNS);
  if (official.length > 0) return { root: path, files: official };
  const { root } = await filesEnding(path, ['.tsv', '.tsv.gz']);
  const files = await tablesWith(path, COLUMNS);
  // One annotation file of the official folder was named: its pictures lie beside annotations/.
  return { root: basename(root) === 'annotations' ? dirname(root) : root, files };
}

/** The event of a row: its own column, else the name of its file. */
export function crisisMmdEvent(file: string, row: PostRow): string {
  return row.get('event_name') || basename(file).replace(/(_final_data)?\.tsv(\.gz)?$/i, '');
}

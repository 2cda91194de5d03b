/**
 * CrisisMMD's split files (crisismmd_datasplit_all/, crisismmd_datasplit_agreed_label/; Ofli, Alam, Imran, ISCRAM 2020):
 * one TSV for each task and part. A picture stands in several of them; it is one example with the labels of all.
 */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type PostRow, postRows } from '../../archive/post-rows.ts';
import type { UnreadableReason } from '../../archive/problems.ts';
import { hasColumns } from '../../archive/tsv.ts';
import { partOf } from './contract.ts';

const COLUMNS = ['event_name', 'tweet_id', 'image_id', 'tweet_text', 'image', 'label'];
const NAME = /^task_(informative|humanitarian|damage)_text_img_(agreed_lab_)?(train|dev|test)\.tsv(?:\.gz)?$/;
const FOLDERS = ['crisismmd_datasplit_all', 'crisismmd_datasplit_agreed_label'];

export interface SplitFile {
  readonly file: string;
  readonly task: 'informative' | 'humanitarian' | 'damage';
  readonly agreed: boolean;
  readonly part: 'train' | 'dev' | 'test';
}

/**
 * The split files of a folder, of its folders of splits, and of folders of the same name in these, and the folder that
 * pictures count from. Files of all labels first: theirs are kept where the agreed ones repeat them.
 */
export async function crisisMmdSplits(path: string): Promise<{ root: string; files: SplitFile[] }> {
  const folders = [path, ...FOLDERS.flatMap((name) => [join(path, name), join(path, name, name)])];
  const files: SplitFile[] = [];
  for (const folder of folders)
    for (const name of (await readdir(folder).catch(() => [])).sort()) {
      const [, task, agreed, part] = NAME.exec(name) ?? [];
      const file = join(folder, name);
      if (task && partOf(part ?? '') && (await hasColumns(file, COLUMNS)))
        files.push({
          file,
          task: task as SplitFile['task'],
          agreed: agreed !== undefined,
          part: part as SplitFile['part'],
        });
    }
  files.sort((a, b) => Number(a.agreed) - Number(b.agreed) || ORDER.indexOf(a.task) - ORDER.indexOf(b.task));
  return { root: FOLDERS.includes(basename(path)) ? dirname(path) : path, files };
}

/** Where tasks were split apart, a picture's part is that of the first that has it. */
const ORDER: readonly SplitFile['task'][] = ['informative', 'humanitarian', 'damage'];

/**
 * Every picture once, in the order of its first file, under the column names of the one table of all (crisismmd.ts).
 * @param problem called for every row that cannot be read
 */
export async function mergedRows(
  files: readonly SplitFile[],
  now: number,
  problem: (reason: UnreadableReason) => void,
): Promise<PostRow[]> {
  const rows = new Map<string, Merged>();
  for (const { file, task, agreed, part } of files)
    for await (const row of postRows(file, 'tweet_id', now)) {
      if (row.kind === 'unreadable') {
        problem(row.reason);
        continue;
      }
      const image = row.get('image_id');
      const merged = rows.get(image) ?? started(row);
      rows.set(image, merged);
      const set = (column: string, value: string): void => {
        if (value !== '' && !merged.cells.get(column)) merged.cells.set(column, value);
      };
      set(agreed ? 'agreed_split' : 'split', part);
      if (task === 'damage') set('damage_image', row.get('label'));
      else {
        const [text, picture] = COLUMNS_OF[task];
        set(text, row.get('label_text') || row.get('label'));
        set(picture, row.get('label_image') || row.get('label'));
      }
    }
  return [...rows.values()].map(({ row, cells }) => ({ ...row, get: (column) => cells.get(column) ?? '' }));
}

const COLUMNS_OF = {
  informative: ['label_text', 'label_image'],
  humanitarian: ['humanitarian_text', 'humanitarian_image'],
} as const;

/** A row as it was met first, and what the files say of its picture. */
interface Merged {
  readonly row: PostRow;
  readonly cells: Map<string, string>;
}

const started = (row: PostRow): Merged => ({
  row,
  cells: new Map([
    ['event_name', row.get('event_name')],
    ['image_id', row.get('image_id')],
    ['tweet_text', row.get('tweet_text')],
    ['image_path', row.get('image')],
  ]),
});

/** Tables of posts: which files of a folder are such, and their rows with id and time checked. */
import { archiveTime, snowflakeTime, usableId } from './fields.ts';
import { filesEnding } from './files.ts';
import { type Unreadable, unreadable } from './problems.ts';
import { hasColumns, tsvHeader, tsvRows } from './tsv.ts';

const ENDINGS = ['.tsv', '.tsv.gz'];

/** A row that has an id and a time; the rest by column name, '' for a column that the file lacks. */
export interface PostRow {
  readonly kind: 'row';
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly get: (column: string) => string;
}

/** The TSVs at `path` (a file or a folder) that have every one of the columns, in name order. */
export async function tablesWith(path: string, columns: readonly string[]): Promise<string[]> {
  const { files } = await filesEnding(path, ENDINGS);
  const fitting: string[] = [];
  for (const file of files) if (await hasColumns(file, columns)) fitting.push(file);
  return fitting;
}

/**
 * Rows of one table. The time is that of `created_at`; in a table without such a column it is read from the tweet's id.
 * @param now nothing is younger than that (ms)
 */
export async function* postRows(
  file: string,
  idColumn: string,
  now: number,
): AsyncGenerator<PostRow | Unreadable> {
  const dated = (await tsvHeader(file))?.includes('created_at') ?? false;
  for await (const row of tsvRows(file)) {
    if (row.kind === 'unreadable') {
      yield row;
      continue;
    }
    const id = row.get(idColumn);
    const createdAt = dated ? archiveTime(row.get('created_at'), now) : snowflakeTime(id, now);
    if (!usableId(id)) yield unreadable('missing_id');
    else if (createdAt === null) yield unreadable('bad_date');
    else yield { kind: 'row', id, createdAt, get: row.get };
  }
}

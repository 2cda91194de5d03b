/** Tab-separated files with a header line, as tweet archives are published: unquoted, or quoted here and there. */

import { textLines } from './lines.ts';
import { type Unreadable, unreadable } from './problems.ts';

/** A row by column name, or why there is none. */
export type TsvRow = { readonly kind: 'row'; readonly get: (column: string) => string } | Unreadable;

/** The column names of a file, or null when it has no header line. */
export async function tsvHeader(path: string): Promise<readonly string[] | null> {
  for await (const line of textLines(path)) return line === null ? null : line.split('\t').map(unquoted);
  return null;
}

/** Whether the file's header has every one of the columns. False for what is not there or not readable. */
export async function hasColumns(path: string, columns: readonly string[]): Promise<boolean> {
  try {
    const header = await tsvHeader(path);
    return header !== null && columns.every((column) => header.includes(column));
  } catch {
    return false;
  }
}

/** Every row after the header. Empty lines are no rows; a row with another number of cells is unreadable. */
export async function* tsvRows(path: string): AsyncGenerator<TsvRow> {
  let columns: ReadonlyMap<string, number> | null = null;
  for await (const line of textLines(path)) {
    if (columns === null) {
      columns = new Map((line ?? '').split('\t').map((name, i) => [unquoted(name), i]));
      continue;
    }
    if (line === null) {
      yield unreadable('row_too_long');
      continue;
    }
    if (line.trim() === '') continue;
    const cells = line.split('\t');
    if (cells.length !== columns.size) {
      yield unreadable('column_count');
      continue;
    }
    const index = columns;
    yield { kind: 'row', get: (column) => unquoted(cells[index.get(column) ?? -1] ?? '') };
  }
}

/**
 * Takes CSV quoting off a cell that certainly has it: quotes around, and every quote inside doubled, at least one.
 * A text that merely starts and ends with a quotation mark stays as it was written.
 */
function unquoted(cell: string): string {
  if (cell.length < 4 || !cell.startsWith('"') || !cell.endsWith('"')) return cell;
  const inner = cell.slice(1, -1);
  const bare = inner.replaceAll('""', '');
  return inner.includes('""') && !bare.includes('"') ? inner.replaceAll('""', '"') : cell;
}

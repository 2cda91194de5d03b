/** Comma-separated files with a header line and quoted cells that may hold line breaks. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { parse } from 'csv-parse';
import { TocsinError } from '../base/errors.ts';
import { MAX_LINE } from './lines.ts';
import { unreadable } from './problems.ts';
import type { TsvRow } from './tsv.ts';

/** The column names of a file, or null when there is no such file or no header. */
export async function csvHeader(path: string): Promise<readonly string[] | null> {
  try {
    for await (const cells of records(path)) return cells;
  } catch {
    // Not there or no such file: the caller asks whether it is one.
  }
  return null;
}

/** Every row after the header; one with another number of cells is unreadable. Throws ARCHIVE_UNREADABLE. */
export async function* csvRows(path: string): AsyncGenerator<TsvRow> {
  let columns: ReadonlyMap<string, number> | null = null;
  try {
    for await (const cells of records(path)) {
      if (columns === null) {
        columns = new Map(cells.map((name, i) => [name, i]));
        continue;
      }
      if (cells.length !== columns.size) yield unreadable('column_count');
      else if (cells.some((cell) => cell.length > MAX_LINE)) yield unreadable('row_too_long');
      else {
        const index = columns;
        yield { kind: 'row', get: (column) => cells[index.get(column) ?? -1] ?? '' };
      }
    }
  } catch (cause) {
    throw new TocsinError('ARCHIVE_UNREADABLE', `cannot read ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** RFC 4180, with quotation marks inside bare cells taken as they are. */
function records(path: string): AsyncIterable<string[]> {
  const parser = parse({ bom: true, relaxColumnCount: true, relaxQuotes: true, skipEmptyLines: true });
  // The callback is owed; the error itself arrives through the iteration.
  return pipeline(createReadStream(path), parser, () => {});
}

/** A text file, gzipped or not, as lines: LF or CRLF, without a byte-order mark, none longer than a cap. */
import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TocsinError } from '../base/errors.ts';

/** Longest line in bytes. Kafka takes records of 1 MB; what is longer is no post. */
export const MAX_LINE: number = 900_000;

/** A UTF-16 unit takes at most three bytes; only long lines are measured. */
const isTooLong = (line: string): boolean =>
  line.length > MAX_LINE || (line.length > MAX_LINE / 3 && Buffer.byteLength(line) > MAX_LINE);

/** A line, or null for one that is longer than the cap (its text is not kept). */
export type Line = string | null;

/**
 * Reads `path` piece by piece; memory does not depend on its size. Splits at line feeds only: U+2028 and a lone
 * carriage return are text, which is why `node:readline` is not used. Throws ARCHIVE_UNREADABLE naming the file.
 */
export async function* textLines(path: string): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: false });
  let rest = '';
  let tooLong = false;
  try {
    for await (const chunk of bytesOf(path)) {
      const pieces = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n');
      rest = pieces.pop() ?? '';
      for (const piece of pieces) {
        yield tooLong || isTooLong(piece) ? null : withoutReturn(piece);
        tooLong = false;
      }
      if (rest.length > MAX_LINE) {
        tooLong = true;
        rest = '';
      }
    }
  } catch (cause) {
    throw new TocsinError('ARCHIVE_UNREADABLE', `cannot read ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
  rest += decoder.decode();
  if (tooLong || isTooLong(rest)) yield null;
  else if (rest !== '') yield withoutReturn(rest);
}

function bytesOf(path: string): Readable {
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  if (!path.endsWith('.gz')) return file;
  // The callback is owed; the error itself arrives through the iteration.
  return pipeline(file, createGunzip(), () => {});
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line);

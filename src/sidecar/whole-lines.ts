/** Files of JSON lines that are only ever added to: after a kill the last line may be torn. */
import { readFile, truncate } from 'node:fs/promises';

/** The whole lines of a file, parsed; what a kill has torn is cut off, so that the next line begins a line. None where no file is. */
export async function readWholeLines(path: string): Promise<unknown[]> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end < bytes.length) await truncate(path, end);
  return bytes
    .subarray(0, end)
    .toString('utf8')
    .split('\n')
    .slice(0, -1)
    .map((line): unknown => JSON.parse(line));
}

/** How far a replay came, in a small file, so that a restart goes on instead of beginning again. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { TocsinError } from '../base/errors.ts';

/** `sent` posts, counted in event-time order over all archives, are on the bus. */
export interface ResumePoint {
  replayId: string;
  sent: number;
  done: boolean;
}

const schema: z.ZodType<ResumePoint> = z.strictObject({
  replayId: z.string().min(1),
  sent: z.int().min(0),
  done: z.boolean(),
});

/** The point of an earlier run, or null. Throws BAD_USAGE for a file that is something else. */
export function readResumePoint(path: string): ResumePoint | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new TocsinError('BAD_USAGE', `cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new TocsinError('BAD_USAGE', `${path} is not the resume file of a replay`, { cause });
  }
}

/** Written aside and renamed, so that a kill leaves the old point or the new one. */
export function writeResumePoint(path: string, point: ResumePoint): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify(point));
  renameSync(`${path}.new`, path);
}

/** Which candidates wait for the gate. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSegment } from '../layout.ts';

export interface CandidatePlace {
  readonly task: string;
  readonly version: string;
}

/** Folders below candidates/, oldest name first. What has no plain name is no candidate: it is being written, or a trick. */
export async function listCandidates(dir: string): Promise<readonly CandidatePlace[]> {
  const places: CandidatePlace[] = [];
  for (const task of await namesIn(dir))
    for (const version of await namesIn(join(dir, task))) places.push({ task, version });
  return places;
}

async function namesIn(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isFile() && isSegment(entry.name))
    .map(({ name }) => name)
    .sort();
}

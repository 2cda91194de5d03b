/** Reads any folder or file that a reader knows into a data set of one task. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type FoundPicture, pictureFinder } from '../archive/pictures.ts';
import type { PictureProblem } from '../archive/problems.ts';
import { TocsinError } from '../base/errors.ts';
import { sha256Of } from '../models/artefact.ts';
import { createLanguageId } from '../normalise/language.ts';
import { normaliseText } from '../normalise/text.ts';
import type { Dataset, Example, LeftReason, Picture } from './dataset.ts';
import type { Collection, DatasetReader, RowExample, Unit } from './readers/contract.ts';
import { crisisLexT6, crisisLexT26 } from './readers/crisislex.ts';
import { crisisMmd } from './readers/crisismmd.ts';
import { humAid } from './readers/humaid.ts';
import { jsonLines } from './readers/jsonl.ts';
import { pheme } from './readers/pheme.ts';
import { humanitarianPairs, kaggle } from './readers/tables.ts';
import { mediaEval, weibo } from './readers/verification.ts';
import type { Task } from './tasks.ts';

/** Every reader. Their marks do not overlap, so the order says nothing. */
export const DATASET_READERS: readonly DatasetReader[] = [
  crisisMmd,
  crisisLexT26,
  crisisLexT6,
  humAid,
  kaggle,
  humanitarianPairs,
  mediaEval,
  weibo,
  pheme,
  jsonLines,
];

export interface ReadOptions {
  readonly task: Task;
  /** Default `pair`. */
  readonly unit?: Unit;
  /** Nothing is younger than that (ms). */
  readonly now: number;
}

/**
 * The labelled posts at a path. Rows that cannot be read or have no label for the task are counted, not read.
 * Throws ARCHIVE_UNREADABLE when no reader knows the path, and BAD_USAGE when the collection has no labels for the task.
 *
 * @example await readDataset('data/crisislex', { task: 'informative', now: clock.now() })
 */
export async function readDataset(path: string, options: ReadOptions): Promise<Dataset> {
  const { task, unit = 'pair', now } = options;
  const [reader, collection] = await findCollection(path);
  const labelled = reader.tasks[task];
  if (!labelled)
    throw new TocsinError(
      'BAD_USAGE',
      `${reader.name} at ${path} has no labels for ${task}, but for ${Object.keys(reader.tasks).join(', ')}.`,
    );
  const languages = createLanguageId();
  const find = pictureFinder(collection.root);
  const left: Partial<Record<LeftReason, number>> = {};
  const pictureProblems: Partial<Record<PictureProblem, number>> = {};
  const seen = new Set<string>();
  const examples: Example[] = [];
  for await (const row of collection.rows(unit, now)) {
    const reason = row.kind === 'left' ? row.reason : reasonAgainst(row, task, seen);
    if (reason !== null) {
      left[reason] = (left[reason] ?? 0) + 1;
      continue;
    }
    const { kind: _, unlabelled: __, ...example } = row as RowExample;
    seen.add(example.id);
    const text = normaliseText(example.text).text;
    const [picture, problem] = pictureOf(example.picture, find);
    if (problem) pictureProblems[problem] = (pictureProblems[problem] ?? 0) + 1;
    examples.push({ ...example, text, language: languages.of(text, example.language), picture });
  }
  return {
    name: reader.name,
    licence: reader.licence,
    task,
    ...labelled,
    examples,
    sha256: await hashOf(collection.files),
    left,
    pictureProblems,
  };
}

/** Whether a reader knows the path. Looks at names and header lines only. */
export const isCollection = async (path: string): Promise<boolean> => (await firstThatKnows(path)) !== null;

async function firstThatKnows(path: string): Promise<readonly [DatasetReader, Collection] | null> {
  for (const reader of DATASET_READERS) {
    const collection = await reader.find(path);
    if (collection) return [reader, collection];
  }
  return null;
}

async function findCollection(path: string): Promise<readonly [DatasetReader, Collection]> {
  try {
    await stat(path);
  } catch (cause) {
    throw new TocsinError('ARCHIVE_UNREADABLE', `there is no data set at ${path}`, { cause });
  }
  const found = await firstThatKnows(path);
  if (found) return found;
  throw new TocsinError(
    'ARCHIVE_UNREADABLE',
    `no reader knows ${path}. Known are:\n${DATASET_READERS.map((reader) => `  ${reader.takes}`).join('\n')}`,
  );
}

function reasonAgainst(row: RowExample, task: Task, seen: ReadonlySet<string>): LeftReason | null {
  if (row.labels[task] === undefined) return row.unlabelled ?? 'no_label';
  return seen.has(row.id) ? 'repeated_id' : null;
}

/** The picture with its absolute path; the path is null, with the reason, where the file is not to be had. */
function pictureOf(
  named: RowExample['picture'],
  find: (name: string) => FoundPicture,
): readonly [Picture | null, PictureProblem | null] {
  if (named === null || named.file === null) return [named && { key: named.key, file: null }, null];
  const found = find(named.file);
  return found.kind === 'file'
    ? [{ key: named.key, file: found.path }, null]
    : [{ key: named.key, file: null }, found.reason];
}

/** One file's own hash; for several, the hash of their hashes in order. */
async function hashOf(files: readonly string[]): Promise<string> {
  const hashes: string[] = [];
  for (const file of files) {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
    hashes.push(hash.digest('hex'));
  }
  return hashes.length === 1 ? (hashes[0] as string) : sha256Of(hashes.join('\n'));
}

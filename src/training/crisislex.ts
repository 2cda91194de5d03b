/** Reads CrisisLexT26 (Olteanu et al., CSCW 2015) as one TSV: informative or not. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TocsinError } from '../base/errors.ts';
import { sha256Of } from '../models/artefact.ts';
import { createLanguageId } from '../normalise/language.ts';
import { normaliseText } from '../normalise/text.ts';
import type { Dataset, Example } from './dataset.ts';

const FILE = 'crisislex_t26.tsv';
const COLUMNS = [
  'event',
  'tweet_id',
  'created_at',
  'informativeness',
  'information_type',
  'information_source',
  'text',
];
/** "Not applicable" rows could not be judged (unreadable, another language) and are left out. */
const LABELS: Readonly<Record<string, 0 | 1>> = {
  'Related and informative': 1,
  'Related - but not informative': 0,
  'Not related': 0,
};

/**
 * @param path the TSV, or the folder that holds it
 * Throws ARCHIVE_UNREADABLE when there is no such file or its header is another.
 */
export async function readCrisisLex(path: string): Promise<Dataset> {
  const unreadable = (what: string, cause?: unknown): TocsinError =>
    new TocsinError('ARCHIVE_UNREADABLE', `Reading CrisisLexT26 at ${path}: ${what}`, { cause });
  let bytes: Buffer;
  try {
    bytes = await readFile((await stat(path)).isDirectory() ? join(path, FILE) : path);
  } catch (cause) {
    throw unreadable('no such file.', cause);
  }
  const [header, ...rows] = bytes.toString('utf8').split(/\r?\n/);
  if (header !== COLUMNS.join('\t')) throw unreadable('the header is not that of crisislex_t26.tsv.');
  const languages = createLanguageId();
  const examples: Example[] = [];
  const seen = new Set<string>();
  const left: Record<string, number> = {};
  const leave = (reason: string): void => {
    left[reason] = (left[reason] ?? 0) + 1;
  };
  for (const row of rows) {
    if (row === '') continue;
    const [event, id, , informativeness, , , text, ...rest] = row.split('\t');
    if (!event || !id || !informativeness || text === undefined || rest.length > 0) {
      leave('torn_row');
      continue;
    }
    const label = LABELS[informativeness];
    if (label === undefined) {
      leave('not_applicable');
      continue;
    }
    if (seen.has(id)) {
      leave('repeated_id');
      continue;
    }
    seen.add(id);
    const normalised = normaliseText(text).text;
    examples.push({
      id,
      event,
      text: normalised,
      language: languages.of(normalised, null),
      pixels: null,
      label,
    });
  }
  return { name: 'CrisisLexT26', licence: 'MIT', examples, sha256: sha256Of(bytes), left };
}

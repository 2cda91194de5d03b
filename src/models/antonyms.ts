/** Which words are opposites: pairs of the word table by WordNet (models/words/ORIGIN.md). */
import { readFileSync } from 'node:fs';
import { TocsinError } from '../base/errors.ts';

const FILE = new URL('../../models/words/antonyms.txt', import.meta.url);

/** Whether two words are opposites, in either order. */
export type Opposite = (one: string, other: string) => boolean;

/** Throws MODEL_INVALID when the list is missing. */
export function loadAntonyms(file: URL = FILE): Opposite {
  try {
    const pairs = new Set(readFileSync(file, 'utf8').trimEnd().split('\n'));
    return (one, other) => pairs.has(one < other ? `${one} ${other}` : `${other} ${one}`);
  } catch (cause) {
    throw new TocsinError('MODEL_INVALID', 'Reading the list of antonyms', { cause });
  }
}

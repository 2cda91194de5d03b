/**
 * The vault: labelled posts that judge. One collection, or a folder of several: more posts make the gate surer of what a
 * candidate loses, and other collections hold events that are like none of the first one's.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TocsinError } from '../base/errors.ts';
import { sha256Of } from '../models/artefact.ts';
import type { Dataset } from '../training/dataset.ts';
import { isCollection, type ReadOptions, readDataset } from '../training/read-dataset.ts';

/**
 * @param path a collection that a reader knows, or a folder in which every entry is one
 * Throws ARCHIVE_UNREADABLE, naming the entry, where one is not.
 */
export async function readVault(path: string, options: ReadOptions): Promise<Dataset> {
  const entries = (await isCollection(path)) ? [] : await entriesOf(path);
  if (entries.length === 0) return readDataset(path, options);
  const sets: Dataset[] = [];
  for (const entry of entries) sets.push(await readDataset(join(path, entry), options));
  return joined(sets);
}

/** By name, so that the vault does not depend on the file system's order. */
async function entriesOf(path: string): Promise<readonly string[]> {
  const names = await readdir(path).catch(() => []);
  return names.filter((name) => !name.startsWith('.') && name !== 'README.md').sort();
}

/** A post that is in several counts once. Classes that one of them does not tell apart are unknown there, so they do not judge. */
function joined(sets: readonly Dataset[]): Dataset {
  const [first] = sets;
  if (!first) throw new TocsinError('INTERNAL', 'Reading a vault: it has no collection.');
  const seen = new Set<string>();
  const examples = sets.flatMap((set) =>
    set.examples.filter(({ id }) => !seen.has(id) && Boolean(seen.add(id))),
  );
  const weak = sets.flatMap((set) => set.weak ?? []);
  return {
    name: sets.map(({ name }) => name).join(' + '),
    licence: [...new Set(sets.map(({ licence }) => licence))].join('; '),
    task: first.task,
    classes: first.classes.filter((name) => sets.every(({ classes }) => classes.includes(name))),
    weak: weak.length > 0 ? weak.join('; ') : null,
    examples,
    sha256: sha256Of(sets.map((set) => set.sha256).join('\n')),
    left: summed(sets.map(({ left }) => left)),
    pictureProblems: summed(sets.map(({ pictureProblems }) => pictureProblems)),
  };
}

function summed<K extends string>(
  counts: readonly Readonly<Partial<Record<K, number>>>[],
): Partial<Record<K, number>> {
  const sum: Partial<Record<K, number>> = {};
  for (const one of counts)
    for (const [key, value] of Object.entries(one) as [K, number][]) sum[key] = (sum[key] ?? 0) + value;
  return sum;
}

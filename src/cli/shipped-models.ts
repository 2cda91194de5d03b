/** The models that came with the program (or that the settings put in their place): the champions of sequence 0. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { ARTEFACT_FILES, type Artefact, loadArtefact } from '../models/artefact.ts';
import { CHAMPION_DIR, HUMANITARIAN_CHAMPION_DIR, RUMOUR_CHAMPION_DIR } from '../registry/champions.ts';

/** One a task; a task whose folder holds no model has none. Throws MODEL_INVALID for one that is not whole. */
export async function shippedArtefacts(
  settings: Pick<Settings, 'modelDir' | 'humanitarianModelDir' | 'rumourModelDir'>,
): Promise<readonly Artefact[]> {
  const dirs = [
    settings.modelDir || CHAMPION_DIR,
    settings.humanitarianModelDir || HUMANITARIAN_CHAMPION_DIR,
    settings.rumourModelDir || RUMOUR_CHAMPION_DIR,
  ];
  const there = dirs.filter((dir) => existsSync(join(dir, ARTEFACT_FILES.manifest)));
  return Promise.all(there.map((dir) => loadArtefact(dir)));
}

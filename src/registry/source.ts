/** Where a worker's models come from: the first one out of a folder that came with the program, all others signed out of the registry. */
import { TocsinError } from '../base/errors.ts';
import { loadArtefact } from '../models/artefact.ts';
import type { Source } from '../models/serving/line-up.ts';
import { openVersion, versionOf } from './open-version.ts';
import type { TrustedKeys } from './verify.ts';

export interface SourceOptions {
  readonly task: string;
  /** Folder of the model that serves while no state names another. */
  readonly firstDir: string;
  /** models/ of the registry. */
  readonly modelsDir: string;
  readonly keys: TrustedKeys;
}

/** Throws MODEL_INVALID when the first model is not whole. */
export async function openSource({ task, firstDir, modelsDir, keys }: SourceOptions): Promise<Source> {
  const first = versionOf(await loadArtefact(firstDir));
  return {
    first,
    async load(version) {
      // The gate signs a copy of the shipped model before it names it; the bytes are the same.
      if (version.digest !== first.digest) return openVersion(modelsDir, task, version, keys);
      const artefact = await loadArtefact(firstDir);
      if (artefact.digest !== first.digest)
        throw new TocsinError('MODEL_INVALID', `Loading the model in ${firstDir}: it was changed.`);
      return artefact;
    },
  };
}

/** Where things lie in the registry, and which names are allowed to be paths in it. */
import { join } from 'node:path';
import { TocsinError } from '../base/errors.ts';

/** Beside the files of the artefact in a folder below models/; the gate writes it. */
export const SIGNATURE_FILE = 'signature.json';

/** Tasks and versions name folders: one plain segment, no dot in front. */
const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export interface RegistryPaths {
  readonly root: string;
  /** Signed versions; the gate alone writes here. */
  readonly models: string;
  /** What the sidecar hands over. */
  readonly candidates: string;
  /** What the gate said of candidates. */
  readonly verdicts: string;
}

/** The registry's folders. `registryDir` empty: below the data directory. */
export function registryPaths(settings: {
  readonly registryDir: string;
  readonly dataDir: string;
}): RegistryPaths {
  const root = settings.registryDir || join(settings.dataDir, 'registry');
  return {
    root,
    models: join(root, 'models'),
    candidates: join(root, 'candidates'),
    verdicts: join(root, 'verdicts'),
  };
}

/** Where the private key and the public ones lie. */
export const keyPaths = (dataDir: string): { readonly signing: string; readonly public: string } => ({
  signing: join(dataDir, 'keys', 'gate', 'signing.key'),
  public: join(dataDir, 'keys', 'gate.pub'),
});

/** `parent`/task/version. Throws MODEL_INVALID for names that are no plain segments (`..`, absolute, hidden, empty). */
export function versionDir(parent: string, task: string, version: string): string {
  for (const name of [task, version])
    if (!isSegment(name))
      throw new TocsinError('MODEL_INVALID', `${JSON.stringify(name)} is no name of a task or version.`);
  return join(parent, task, version);
}

export const isSegment = (name: string): boolean => SEGMENT.test(name);

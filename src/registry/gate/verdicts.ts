/** What the gate said of each candidate, as files of the registry: written aside, renamed, read after a restart. */
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from '../artefact.ts';
import { versionDir } from '../layout.ts';

export interface FiledVerdict {
  readonly task: string;
  readonly version: string;
  /** Null for a candidate that could not be read. */
  readonly digest: string | null;
  /** Digest of the champion that it was held against. */
  readonly champion: string;
  readonly at: number;
  readonly passed: boolean;
  /** A sentence. */
  readonly why: string;
  /** As the judge reports them, with all that they carry. */
  readonly checks: readonly { readonly name: string; readonly passed: boolean }[];
}

const filed: z.ZodType<FiledVerdict> = z.object({
  task: z.string(),
  version: z.string(),
  digest: z.string().nullable(),
  champion: z.string(),
  at: z.number(),
  passed: z.boolean(),
  why: z.string(),
  checks: z.array(z.looseObject({ name: z.string(), passed: z.boolean() })),
});

export interface VerdictFiles {
  /** Null where nothing (or nothing whole) was filed. Throws MODEL_INVALID for what is no name. */
  get(task: string, version: string): Promise<FiledVerdict | null>;
  /** Replaces what was filed of the version. */
  put(verdict: FiledVerdict): Promise<void>;
  all(): Promise<readonly FiledVerdict[]>;
}

/** @param dir verdicts/ of the registry */
export function verdictFiles(dir: string): VerdictFiles {
  const path = (task: string, version: string): string => `${versionDir(dir, task, version)}.json`;
  const read = async (file: string): Promise<FiledVerdict | null> => {
    try {
      return filed.parse(JSON.parse(await readFile(file, 'utf8')));
    } catch {
      return null;
    }
  };
  return {
    get: async (task, version) => read(path(task, version)),
    async put(verdict) {
      const file = path(verdict.task, verdict.version);
      const aside = join(dirname(file), `.${verdict.version}.json`);
      await mkdir(dirname(file), { recursive: true });
      await rm(aside, { force: true });
      await writeDurably(aside, Buffer.from(`${JSON.stringify(filed.parse(verdict), null, 2)}\n`));
      await rename(aside, file);
    },
    async all() {
      const found: FiledVerdict[] = [];
      for (const task of await readdir(dir).catch(() => []))
        for (const name of await readdir(join(dir, task)))
          if (name.endsWith('.json') && !name.startsWith('.')) {
            const verdict = await read(join(dir, task, name));
            if (verdict) found.push(verdict);
          }
      return found;
    },
  };
}

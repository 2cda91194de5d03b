/**
 * What a round works on, written down before it begins: with it and the champion, crafting and training follow, so a
 * round that was killed goes on as if nothing had happened.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { RoundReason } from './schedule.ts';
import type { Seeds } from './seeds.ts';

/** A post that trains. */
export interface PlannedRow {
  readonly id: string;
  readonly text: string;
  readonly label: 0 | 1;
  readonly provenance: 'seed' | 'human';
  /** Of a human sample: its author, and its source in its hour. The gate looks at both. */
  readonly from?: { readonly author: string; readonly sourceHour: string };
}

export interface RoundPlan extends Pick<Seeds, 'data' | 'split' | 'dev' | 'test'> {
  /** `informative-3` */
  readonly round: string;
  readonly number: number;
  readonly reason: RoundReason;
  readonly seed: number;
  readonly startedAt: number;
  /** Digest of the champion that is attacked. */
  readonly parent: string;
  /** Human samples that there were, whether or not they train. */
  readonly samples: number;
  /** They are attacked, and trained as they are and as attacks leave them. */
  readonly train: readonly PlannedRow[];
  /** They train as they are, so that the champion's answers to such posts are not forgotten. */
  readonly replay: readonly PlannedRow[];
}

/** What the sidecar remembers of its rounds. */
export interface Rounds {
  readonly done: number;
  /** When the last one ended, ms; when the sidecar first started, before there was one. */
  readonly at: number;
  /** Human samples at that time. */
  readonly samples: number;
}

const roundsSchema: z.ZodType<Rounds> = z.object({ done: z.number(), at: z.number(), samples: z.number() });

export interface RoundFolder {
  /** Of the round under way; crafted samples and checkpoints lie in it. */
  readonly dir: string;
  rounds(): Promise<Rounds | null>;
  /** Null when no round is under way. */
  plan(): Promise<RoundPlan | null>;
  begin(plan: RoundPlan): Promise<void>;
  /** The round is over: what it left in the folder goes. */
  end(rounds: Rounds): Promise<void>;
  /** The round is given up. */
  drop(): Promise<void>;
}

/** @param dir the sidecar's folder of one task */
export function openRoundFolder(dir: string): RoundFolder {
  const round = join(dir, 'round');
  const planFile = join(round, 'plan.json');
  const roundsFile = join(dir, 'rounds.json');
  const read = async (path: string): Promise<unknown> => {
    try {
      return JSON.parse(await readFile(path, 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  };
  const write = async (path: string, value: unknown): Promise<void> => {
    await writeFile(`${path}.new`, JSON.stringify(value), { flush: true });
    await rename(`${path}.new`, path);
  };
  const drop = (): Promise<void> => rm(round, { recursive: true, force: true });
  return {
    dir: round,
    async rounds() {
      const found = await read(roundsFile);
      return found === null ? null : roundsSchema.parse(found);
    },
    // Written whole by this program or not there at all.
    plan: async () => (await read(planFile)) as RoundPlan | null,
    async begin(plan) {
      await drop();
      await mkdir(round, { recursive: true });
      await write(planFile, plan);
    },
    async end(rounds) {
      await mkdir(dir, { recursive: true });
      await write(roundsFile, rounds);
      await drop();
    },
    drop,
  };
}

/** The models that a worker serves with, as one state of the gate puts them: champions, challengers, canary partitions. */
import type { DesiredState, ModelVersion } from '../../event/records.ts';
import type { Artefact } from '../artefact.ts';
import type { Chosen } from '../port.ts';
import type { Closable } from './handle.ts';

/** A model per task; the tasks that this worker answers. */
export type Models = Readonly<Record<string, Closable>>;

/** Where a task's models come from. */
export interface Source {
  /** What serves where no state names another. */
  readonly first: ModelVersion;
  /** The verified bytes of a version. Throws MODEL_INVALID or MODEL_FORGED. */
  load(version: ModelVersion): Promise<Artefact>;
}

/** How a task's models are opened. */
export interface Opener<S> {
  /** What serves where no state names another. */
  readonly first: ModelVersion;
  /** Verifies a version, builds it and warms it up. */
  open(version: ModelVersion): Promise<S>;
}

export type Openers<M extends Models> = { readonly [T in keyof M]: Opener<M[T]> };

export interface LineUp<M extends Models> extends Closable {
  /** Of the state that it follows from; 0 without one. */
  readonly sequence: number;
  /** Who answers the task on a partition, and who scores beside. */
  on<T extends keyof M>(task: T, partition: number): Chosen<M[T]>;
}

export interface LineUps<M extends Models> {
  /**
   * Opens what the state asks for; a model that serves already is shared and not opened again. A task that the state does
   * not name is answered by its first model. Throws what an opener throws, and then nothing stays open.
   */
  make(state: DesiredState | null): Promise<LineUp<M>>;
}

interface Place<S> {
  readonly champion: S;
  readonly challenger: S | null;
  readonly canary: ReadonlySet<number>;
}

interface Shared {
  users: number;
  readonly opening: Promise<Closable>;
}

export function createLineUps<M extends Models>(openers: Openers<M>): LineUps<M> {
  const shared = new Map<string, Shared>();

  const release = async (name: string): Promise<void> => {
    const entry = shared.get(name) as Shared;
    entry.users -= 1;
    if (entry.users > 0) return;
    shared.delete(name);
    await entry.opening.then((model) => model.close());
  };

  const take = async <T extends keyof M & string>(
    task: T,
    version: ModelVersion,
    taken: string[],
  ): Promise<M[T]> => {
    // The version, too: the same bytes under another name were never judged under it.
    const name = [task, version.name, version.version, version.digest].join('/');
    const entry = shared.get(name) ?? { users: 0, opening: openers[task].open(version) };
    shared.set(name, entry);
    entry.users += 1;
    try {
      const model = (await entry.opening) as M[T];
      taken.push(name);
      return model;
    } catch (thrown) {
      entry.users -= 1;
      if (shared.get(name) === entry) shared.delete(name);
      throw thrown;
    }
  };

  return {
    async make(state) {
      const taken: string[] = [];
      const close = async (): Promise<void> => {
        await Promise.all(taken.splice(0).map(release));
      };
      const places = new Map<keyof M, Place<Closable>>();
      try {
        // One after the other: the worker goes on scoring meanwhile, and needs the processor more than this does.
        for (const task of Object.keys(openers) as (keyof M & string)[]) {
          const wanted = state?.tasks.find((entry) => entry.task === task);
          places.set(task, {
            champion: await take(task, wanted?.champion ?? openers[task].first, taken),
            challenger: wanted?.challenger ? await take(task, wanted.challenger, taken) : null,
            canary: new Set(wanted?.canary ?? []),
          });
        }
      } catch (thrown) {
        await close();
        throw thrown;
      }
      return {
        sequence: state?.sequence ?? 0,
        on<T extends keyof M>(task: T, partition: number): Chosen<M[T]> {
          const { champion, challenger, canary } = places.get(task) as Place<M[T]>;
          return challenger && canary.has(partition)
            ? { answers: challenger, shadow: null }
            : { answers: champion, shadow: challenger };
        },
        close,
      };
    },
  };
}

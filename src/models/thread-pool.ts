/**
 * A pool of worker threads: hands out jobs, takes in answers, replaces a thread that died and gives its jobs to the next.
 * Threads end by themselves, never by `terminate()`: that stops ONNX Runtime inside a call, and the whole process aborts.
 */
import type { Worker } from 'node:worker_threads';
import { TocsinError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';

/** A job at which this many threads died is given up: it may be what kills. */
const MAX_DEATHS = 3;

/** What a thread answers, job by job in their order; before its first job it says 'ready', and it ends itself when told 'close'. */
export type Reply<Answer> =
  | { readonly id: number; readonly answer: Answer }
  | { readonly id: number; readonly error: string };

export interface ThreadPool<Job extends object, Answer> {
  readonly threads: number;
  /** Answer to a job; from the given thread, else from the least busy one. */
  run(job: Job, thread?: number): Promise<Answer>;
  /** Waits for the jobs in hand. */
  close(): Promise<void>;
}

interface Pending {
  readonly job: object;
  deaths: number;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: TocsinError) => void;
}

interface Slot {
  worker: Worker;
  readonly pending: Map<number, Pending>;
  /** Deaths since the thread last answered anything. */
  deaths: number;
}

/** Starts the threads. Resolves when each is ready; MODEL_INVALID when one cannot be. */
export async function openThreadPool<Job extends object, Answer>(deps: {
  readonly threads: number;
  readonly start: () => Worker;
  /** What a job does, for errors: "Scoring a batch". */
  readonly doing: string;
  readonly log: Log;
}): Promise<ThreadPool<Job, Answer>> {
  const { log, start, doing } = deps;
  let nextId = 1;
  let closing = false;
  let broken: TocsinError | null = null;

  const attach = (slot: Slot): Promise<void> => {
    const { worker } = slot;
    let cause: unknown;
    return new Promise((ready, failed) => {
      worker.on('message', (reply: Reply<Answer> | 'ready') => {
        if (reply === 'ready') return ready();
        slot.deaths = 0;
        const pending = slot.pending.get(reply.id);
        slot.pending.delete(reply.id);
        if ('answer' in reply) pending?.resolve(reply.answer as never);
        else pending?.reject(new TocsinError('INTERNAL', `${doing}: ${reply.error}`));
      });
      worker.on('error', (error) => {
        cause = error;
      });
      worker.on('exit', (code) => {
        failed(new TocsinError('MODEL_INVALID', `${doing}: starting a thread (exit ${code})`, { cause }));
        if (!closing) replace(slot, cause);
      });
    });
  };

  const replace = (slot: Slot, cause: unknown): void => {
    slot.deaths += 1;
    log.warn(
      { error: cause instanceof Error ? cause.message : null, deaths: slot.deaths, doing },
      'A model thread died.',
    );
    const [oldest] = slot.pending; // what the thread was at; those behind it are not to blame
    if (oldest) {
      const [id, pending] = oldest;
      pending.deaths += 1;
      if (pending.deaths === MAX_DEATHS) {
        slot.pending.delete(id);
        pending.reject(
          new TocsinError('MODEL_UNAVAILABLE', `${doing}: three threads died at this job.`, { cause }),
        );
      }
    }
    if (slot.deaths > MAX_DEATHS) {
      broken = new TocsinError('MODEL_UNAVAILABLE', `${doing}: the threads die without answering.`, {
        cause,
      });
      for (const pending of slot.pending.values()) pending.reject(broken);
      slot.pending.clear();
      return;
    }
    slot.worker = start();
    attach(slot).catch(() => {}); // its exit is seen above
    for (const { job } of slot.pending.values()) slot.worker.postMessage(job);
  };

  const slots: Slot[] = Array.from({ length: deps.threads }, () => ({
    worker: start(),
    pending: new Map(),
    deaths: MAX_DEATHS, // a thread that dies before its first answer is not started again
  }));
  const close = async (): Promise<void> => {
    closing = true;
    await Promise.all(slots.map(({ worker }) => stop(worker)));
    const error = new TocsinError('MODEL_UNAVAILABLE', `${doing}: closed.`);
    for (const { pending } of slots) for (const { reject } of pending.values()) reject(error);
  };
  try {
    await Promise.all(slots.map(attach));
  } catch (thrown) {
    await close();
    throw thrown;
  }

  return {
    threads: slots.length,
    run: (job, thread) =>
      new Promise((resolve, reject) => {
        if (closing || broken)
          return reject(broken ?? new TocsinError('MODEL_UNAVAILABLE', `${doing}: closed.`));
        const slot =
          slots[
            thread ??
              slots.reduce(
                (best, { pending }, i) => (pending.size < (slots[best] as Slot).pending.size ? i : best),
                0,
              )
          ];
        const full = { ...job, id: nextId++ };
        slot?.pending.set(full.id, { job: full, deaths: 0, resolve, reject });
        slot?.worker.postMessage(full); // copied, not handed over: a dead thread's job is sent again
      }),
    close,
  };
}

/** Lets a thread finish what it has and end by itself. */
async function stop(worker: Worker): Promise<void> {
  if (worker.threadId === -1) return;
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.postMessage('close');
  await exited;
}

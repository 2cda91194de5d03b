/** The scoring threads: hands out jobs, takes in answers, replaces a thread that died and gives its jobs to the next. */
import type { Worker } from 'node:worker_threads';
import { TocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { startThread } from '../../base/thread.ts';
import type { ScoreJob, ScoreReply, ThreadData } from './protocol.ts';

/** A job that was in hand at this many deaths is given up: it may be what kills. */
const MAX_DEATHS = 3;
const CLOSE_MS = 5_000;

export interface ScorePool {
  readonly threads: number;
  /** Logits of a job; on the given thread, else on the least busy one. */
  run(job: Omit<ScoreJob, 'id'>, thread?: number): Promise<Float32Array>;
  /** Ends a thread as if it had died. For tests and fault drills. */
  kill(thread: number): Promise<void>;
  close(): Promise<void>;
}

interface Pending {
  readonly job: ScoreJob;
  deaths: number;
  readonly resolve: (logits: Float32Array) => void;
  readonly reject: (error: TocsinError) => void;
}

interface Slot {
  worker: Worker;
  readonly pending: Map<number, Pending>;
  /** Deaths since the thread last answered anything. */
  deaths: number;
}

/** Starts the threads. Resolves when each has its graphs loaded; MODEL_INVALID when one cannot. */
export async function openScorePool(deps: {
  readonly threads: number;
  readonly data: ThreadData;
  readonly log: Log;
}): Promise<ScorePool> {
  const { log, data } = deps;
  let nextId = 1;
  let closing = false;
  let broken: TocsinError | null = null;

  const start = (): Worker =>
    startThread(import.meta.url, './score-thread', { workerData: data, name: 'tocsin-score' });

  const attach = (slot: Slot): Promise<void> => {
    const { worker } = slot;
    let cause: unknown;
    return new Promise((ready, failed) => {
      worker.on('message', (reply: ScoreReply | 'ready') => {
        if (reply === 'ready') return ready();
        slot.deaths = 0;
        const pending = slot.pending.get(reply.id);
        slot.pending.delete(reply.id);
        if ('logits' in reply) pending?.resolve(reply.logits);
        else pending?.reject(new TocsinError('INTERNAL', `Scoring a batch: ${reply.error}`));
      });
      worker.on('error', (error) => {
        cause = error;
      });
      worker.on('exit', (code) => {
        failed(new TocsinError('MODEL_INVALID', `Starting a scoring thread (exit ${code})`, { cause }));
        if (!closing) replace(slot, cause);
      });
    });
  };

  const replace = (slot: Slot, cause: unknown): void => {
    slot.deaths += 1;
    log.warn(
      { error: cause instanceof Error ? cause.message : null, deaths: slot.deaths },
      'A scoring thread died.',
    );
    for (const [id, pending] of slot.pending) {
      pending.deaths += 1;
      if (pending.deaths < MAX_DEATHS) continue;
      slot.pending.delete(id);
      pending.reject(
        new TocsinError('MODEL_UNAVAILABLE', 'Scoring a batch: it was in hand at three deaths of a thread.', {
          cause,
        }),
      );
    }
    if (slot.deaths > MAX_DEATHS) {
      broken = new TocsinError('MODEL_UNAVAILABLE', 'Scoring: the threads die without answering.', { cause });
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
    const error = new TocsinError('MODEL_UNAVAILABLE', 'Scoring a batch: the scorer was closed.');
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
          return reject(
            broken ?? new TocsinError('MODEL_UNAVAILABLE', 'Scoring a batch: the scorer is closed.'),
          );
        const slot =
          slots[
            thread ??
              slots.reduce(
                (best, { pending }, i) => (pending.size < (slots[best] as Slot).pending.size ? i : best),
                0,
              )
          ];
        const full: ScoreJob = { ...job, id: nextId++ };
        slot?.pending.set(full.id, { job: full, deaths: 0, resolve, reject });
        slot?.worker.postMessage(full); // copied, not handed over: a dead thread's job is sent again
      }),
    kill: async (thread) => {
      await slots[thread]?.worker.terminate();
    },
    close,
  };
}

/** Lets a thread finish what it has and end by itself; ends it after a while. */
async function stop(worker: Worker): Promise<void> {
  if (worker.threadId === -1) return;
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.postMessage('close');
  const timer = setTimeout(() => void worker.terminate(), CLOSE_MS);
  await exited;
  clearTimeout(timer);
}

/** The scoring threads. */
import type { Log } from '../../base/log.ts';
import { startThread } from '../../base/thread.ts';
import { openThreadPool, type ThreadPool } from '../thread-pool.ts';
import type { ScoreJob, ThreadData } from './protocol.ts';

/** Answers a job with its logits. */
export type ScorePool = ThreadPool<Omit<ScoreJob, 'id'>, Float32Array>;

/** Starts the threads. Resolves when each has its graphs loaded; MODEL_INVALID when one cannot. */
export const openScorePool = (deps: {
  readonly threads: number;
  readonly data: ThreadData;
  readonly log: Log;
}): Promise<ScorePool> =>
  openThreadPool({
    threads: deps.threads,
    log: deps.log,
    doing: 'Scoring a batch',
    start: () =>
      startThread(import.meta.url, './score-thread', { workerData: deps.data, name: 'tocsin-score' }),
  });

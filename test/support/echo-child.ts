/** A thread that says back what it was given. */
import { parentPort, workerData } from 'node:worker_threads';

interface Given {
  readonly said: string;
}

parentPort?.postMessage((workerData as Given).said);

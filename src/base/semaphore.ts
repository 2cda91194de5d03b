/** Lets at most so many pieces of work be under way at once, first come, first served. */
export interface Semaphore {
  /** Runs `work` as soon as there is room; gives its result. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** @param room at least 1 */
export function createSemaphore(room: number): Semaphore {
  const queue: (() => void)[] = [];
  let free = Math.max(1, room);
  return {
    async run(work) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => queue.push(resolve));
      try {
        return await work();
      } finally {
        // The room goes to the next in line, or back.
        const next = queue.shift();
        if (next) next();
        else free += 1;
      }
    },
  };
}

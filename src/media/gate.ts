/** Lets so many through at once, in the order in which they came. */

export interface Gate {
  /** Resolves when there is room for `weight`; the answer gives it back. A weight of the whole limit means: alone. */
  acquire(weight?: number): Promise<() => void>;
}

/** @param limit how much weight may be inside at once. */
export function createGate(limit: number): Gate {
  let inside = 0;
  const waiting: { readonly weight: number; readonly enter: () => void }[] = [];
  const admit = (): void => {
    // Strictly first come, first served: a heavy one is not passed by for ever.
    for (let next = waiting[0]; next && inside + next.weight <= limit; next = waiting[0]) {
      waiting.shift();
      inside += next.weight;
      next.enter();
    }
  };
  return {
    acquire: (weight = 1) =>
      new Promise((resolve) => {
        const enter = (): void => {
          let left = false;
          resolve(() => {
            if (left) return;
            left = true;
            inside -= weight;
            admit();
          });
        };
        waiting.push({ weight, enter });
        admit();
      }),
  };
}

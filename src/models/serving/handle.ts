/** One pointer to what serves. It is leased for a slice, replaced between slices, and the old one is closed when nobody holds it. */

export interface Closable {
  close(): Promise<void>;
}

/** The right to use a value that will not be closed before `release`. */
export interface Lease<T> {
  readonly value: T;
  /** Gives it back; does nothing a second time. */
  release(): void;
}

export interface Handle<T extends Closable> {
  current(): T;
  lease(): Lease<T>;
  /** From now on every lease is of `next`. Resolves when the last lease of the old one was given back and it is closed. */
  swap(next: T): Promise<void>;
  /** As a swap for nothing: the caller takes no more leases. */
  close(): Promise<void>;
}

interface Held<T> {
  readonly value: T;
  leases: number;
  /** Called at the last release, once it was replaced. */
  drained: (() => void) | null;
}

export function createHandle<T extends Closable>(first: T): Handle<T> {
  const hold = (value: T): Held<T> => ({ value, leases: 0, drained: null });
  let held = hold(first);

  const retire = async (old: Held<T>): Promise<void> => {
    if (old.leases > 0)
      await new Promise<void>((resolve) => {
        old.drained = resolve;
      });
    await old.value.close();
  };

  return {
    current: () => held.value,
    lease() {
      const mine = held;
      let isOut = true;
      mine.leases += 1;
      return {
        value: mine.value,
        release() {
          if (!isOut) return;
          isOut = false;
          mine.leases -= 1;
          if (mine.leases === 0) mine.drained?.();
        },
      };
    },
    swap(next) {
      const old = held;
      held = hold(next);
      return retire(old);
    },
    close: () => retire(held),
  };
}

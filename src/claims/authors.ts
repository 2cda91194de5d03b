/**
 * Counts distinct authors in bounded memory: the smallest k of their hashes (a KMV sketch). Exact up to k; above, the
 * k-th smallest hash tells how densely they lie (standard error 1/√k). The count depends on the set alone, not on order.
 */

/** Hash values lie in [0, SPACE). */
const SPACE = 2 ** 53;

/** Authors counted exactly. */
export const EXACT_AUTHORS: number = 10_000;

export interface Authors {
  /** @param author from `authorNumber` */
  add(author: number): void;
  merge(other: Authors): void;
  count(): number;
  values(): Iterable<number>;
}

/** A 53-bit number for an author hash: its first 13 hex digits. */
export function authorNumber(authorHash: string): number {
  const digits = Number.parseInt(authorHash.slice(0, 13), 16);
  return Number.isNaN(digits) ? 0 : digits * 2 + (Number.parseInt(authorHash[13] ?? '0', 16) & 1);
}

export function createAuthors(exact: number = EXACT_AUTHORS): Authors {
  let kept = new Set<number>();
  /** No hash above it can be among the k smallest. */
  let ceiling = SPACE;
  const cut = (): void => {
    const smallest = Float64Array.from(kept).sort().subarray(0, exact);
    kept = new Set(smallest);
    ceiling = smallest[exact - 1] as number;
  };
  const add = (author: number): void => {
    if (author > ceiling) return;
    kept.add(author);
    if (kept.size >= exact * 2) cut();
  };
  return {
    add,
    merge(other) {
      for (const author of other.values()) add(author);
    },
    count() {
      if (kept.size > exact) cut();
      return ceiling === SPACE ? kept.size : Math.round(((exact - 1) / ceiling) * SPACE);
    },
    values: () => kept,
  };
}

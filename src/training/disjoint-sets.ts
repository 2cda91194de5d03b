/** Puts things into groups by saying, pair by pair, which belong together (union-find). */

export interface DisjointSets {
  join(a: number, b: number): void;
  /** The group of every thing: the smallest number in it. */
  groups(): Int32Array;
}

/** @param count things are numbered 0 … count − 1; each begins alone */
export function disjointSets(count: number): DisjointSets {
  const parent = Int32Array.from({ length: count }, (_, i) => i);
  const root = (i: number): number => {
    let at = i;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at] as number] as number;
      at = parent[at] as number;
    }
    return at;
  };
  return {
    join(a, b) {
      const [x, y] = [root(a), root(b)];
      parent[Math.max(x, y)] = Math.min(x, y);
    },
    groups: () => parent.map((_, i) => root(i)),
  };
}

/** Chance comes from seeds; only `randomSeed` asks the machine. */
import { randomInt } from 'node:crypto';

/** A seeded stream of numbers in [0, 1). */
export type Random = () => number;

/** mulberry32: small, fast, good enough for shuffles and initial weights. Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A fresh seed, for runs where nobody gave one; print it. */
export function randomSeed(): number {
  return randomInt(0, 0xffff_ffff);
}

/** Fisher–Yates, in a copy. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [copy[i], copy[j]] = [copy[j] as T, copy[i] as T];
  }
  return copy;
}

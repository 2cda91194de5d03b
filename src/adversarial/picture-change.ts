/** How far a picture was changed, and how it is kept within its bounds. */
import type { Audit } from './attack.ts';

/** Change of post `i` of `count`; both are [count, …]. */
export function changeOf(
  before: Float32Array,
  after: Float32Array,
  count: number,
  i: number,
): NonNullable<Audit['picture']> {
  const size = before.length / count;
  let linf = 0;
  let squares = 0;
  for (let k = i * size; k < (i + 1) * size; k += 1) {
    const change = Math.abs((after[k] as number) - (before[k] as number));
    linf = Math.max(linf, change);
    squares += change * change;
  }
  return { linf, l2: Math.sqrt(squares) };
}

/** `x`, brought within `epsilon` of `origin` and within [0, 1]. */
export function within(x: number, origin: number, epsilon: number): number {
  return Math.min(1, origin + epsilon, Math.max(0, origin - epsilon, x));
}

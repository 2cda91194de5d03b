/** Which rulings of people stand, and what they say of a post. */
import type { Feedback } from './records.ts';

type Ruled = Pick<Feedback, 'rulingId' | 'undoes' | 'at'>;

/** What a ruling says of whether a post is informative; nothing where it is on something else. */
export const INFORMATIVE: Readonly<Partial<Record<Feedback['ruling'], 0 | 1>>> = {
  informative: 1,
  not_informative: 0,
};

export const isLater = (a: Pick<Ruled, 'rulingId' | 'at'>, b: Pick<Ruled, 'rulingId' | 'at'>): boolean =>
  a.at === b.at ? a.rulingId > b.rulingId : a.at > b.at;

/** Those that say something and that no other one, which itself stands, takes back; in their order. */
export function standing<R extends Ruled>(rulings: Iterable<R>): R[] {
  const all = [...rulings];
  const undoing = new Map<string, R[]>();
  for (const ruling of all)
    if (ruling.undoes !== null) undoing.set(ruling.undoes, [...(undoing.get(ruling.undoes) ?? []), ruling]);
  /** Only a later ruling takes one back, so the recursion ends. */
  const stands = (ruling: R): boolean =>
    !undoing.get(ruling.rulingId)?.some((other) => isLater(other, ruling) && stands(other));
  return all.filter((ruling) => ruling.undoes === null && stands(ruling));
}

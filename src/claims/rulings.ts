/**
 * What people have ruled. A ruling belongs to the post that it names (a claim id is the id of a post), so it follows that
 * post through every merge, and a claim's ruling is a function of its posts alone: the latest standing one.
 */
import type { Ruling, RulingMark } from '../event/records.ts';

/** A ruling as the index keeps it. */
export interface AppliedRuling {
  readonly ruling: Ruling;
  /** Name of the post that it is about; null for one that only takes another back. */
  readonly target: string | null;
  /** Received count when it came. */
  readonly seq: number;
  /** Whether its post (or the ruling that it takes back) has been found. */
  applied: boolean;
}

export interface Rulings {
  get(collection: string, id: string): AppliedRuling | undefined;
  /** Remembers a ruling; gives the ones that had to be let go because too many wait. */
  add(entry: AppliedRuling): readonly AppliedRuling[];
  /** Rulings that wait for this post. */
  waitingFor(postName: string): readonly AppliedRuling[];
  /** Rulings that take this one back, standing or not. */
  undoersOf(entry: AppliedRuling): readonly AppliedRuling[];
  /** It no longer waits. */
  settle(entry: AppliedRuling): void;
  remove(entry: AppliedRuling): void;
  /** The ruling on rumour that holds among these. */
  holding(entries: readonly AppliedRuling[]): RulingMark | null;
}

const keyOf = (collection: string, id: string): string => `${collection}\u0000${id}`;

/** (at, id): which ruling is the later one. */
function isLater(a: Ruling, b: Ruling): boolean {
  return a.at === b.at ? a.id > b.id : a.at > b.at;
}

/** @param maxWaiting rulings kept whose post is not there */
export function createRulings(maxWaiting: number): Rulings {
  const byId = new Map<string, AppliedRuling>();
  const undoers = new Map<string, AppliedRuling[]>();
  const byPost = new Map<string, AppliedRuling[]>();
  const waiting = new Set<AppliedRuling>();
  const idKey = ({ ruling }: AppliedRuling): string => keyOf(ruling.collection, ruling.id);
  const undoneKey = ({ ruling }: AppliedRuling): string | null =>
    ruling.undoes === null ? null : keyOf(ruling.collection, ruling.undoes);
  const put = (map: Map<string, AppliedRuling[]>, key: string | null, entry: AppliedRuling): void => {
    if (key === null) return;
    const list = map.get(key);
    if (list) list.push(entry);
    else map.set(key, [entry]);
  };
  const drop = (map: Map<string, AppliedRuling[]>, key: string | null, entry: AppliedRuling): void => {
    if (key === null) return;
    const rest = map.get(key)?.filter((other) => other !== entry) ?? [];
    if (rest.length > 0) map.set(key, rest);
    else map.delete(key);
  };
  const undoersOf = (entry: AppliedRuling): readonly AppliedRuling[] => undoers.get(idKey(entry)) ?? [];
  /** Only a later ruling takes one back, so the recursion ends. */
  const stands = (entry: AppliedRuling): boolean =>
    !undoersOf(entry).some((undoer) => isLater(undoer.ruling, entry.ruling) && stands(undoer));
  const remove = (entry: AppliedRuling): void => {
    byId.delete(idKey(entry));
    drop(undoers, undoneKey(entry), entry);
    if (!entry.applied) drop(byPost, entry.target, entry);
    waiting.delete(entry);
  };
  return {
    get: (collection, id) => byId.get(keyOf(collection, id)),
    add(entry) {
      byId.set(idKey(entry), entry);
      put(undoers, undoneKey(entry), entry);
      if (entry.applied) return [];
      put(byPost, entry.target, entry);
      waiting.add(entry);
      if (waiting.size <= maxWaiting) return [];
      const [oldest] = waiting;
      if (!oldest) return [];
      remove(oldest);
      return [oldest];
    },
    waitingFor: (postName) => byPost.get(postName) ?? [],
    undoersOf,
    settle(entry) {
      if (entry.applied) return;
      drop(byPost, entry.target, entry);
      waiting.delete(entry);
      entry.applied = true;
    },
    remove,
    holding(entries) {
      let held: Ruling | null = null;
      for (const entry of entries) {
        const { ruling } = entry;
        if (ruling.task !== 'rumour' || (held && !isLater(ruling, held)) || !stands(entry)) continue;
        held = ruling;
      }
      return held && { id: held.id, ruling: held.ruling, by: held.by, at: held.at };
    },
  };
}

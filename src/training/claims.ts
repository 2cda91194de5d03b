/**
 * Claims: what is judged when a rumour is judged. Posts that share a picture, a video or a near-duplicate text are one
 * claim, by chains; the posts of one claim are not independent, so figures say how many claims there are.
 */
import { simhash64 } from '../base/simhash.ts';
import type { Example } from './dataset.ts';
import { disjointSets } from './disjoint-sets.ts';
import { joinMedia, joinMessages, membersOf, type PictureHashes } from './groups.ts';
import type { Scored } from './measure.ts';

/** The claim of every example: equal number = one claim. Texts too short to compare ("pray for houston") join nothing. */
export function groupClaims(
  examples: readonly Pick<Example, 'text' | 'media' | 'claim'>[],
  hashes: PictureHashes = new Map(),
): Int32Array {
  const sets = disjointSets(examples.length);
  const comparable = examples.map(({ text }) => ({ text: simhash64(text) === '' ? '' : text }));
  joinMessages(comparable, sets);
  joinMedia(examples, hashes, sets);
  return sets.groups();
}

/** Nearest to 0 and 1 that a post may pull its claim: one sure post must not outvote all others. */
const FLOOR = 0.01;

/**
 * One answer a claim: the mean log-odds of its posts. Its label is that of most of its posts; a tie is fake, as an alarm
 * that is missed costs more.
 */
export function perClaim({ probability, label }: Scored, claims: Int32Array): Scored {
  const mean = (indexes: readonly number[], of: (i: number) => number): number =>
    indexes.reduce((sum, i) => sum + of(i), 0) / indexes.length;
  const logOdds = (i: number): number => {
    const p = Math.min(1 - FLOOR, Math.max(FLOOR, probability[i] as number));
    return Math.log(p / (1 - p));
  };
  const groups = membersOf(claims);
  return {
    probability: groups.map((indexes) => 1 / (1 + Math.exp(-mean(indexes, logOdds)))),
    label: groups.map((indexes) => (mean(indexes, (i) => label[i] as number) >= 0.5 ? 1 : 0)),
  };
}

/**
 * Which human samples may train (robustness.md §11). What is left out goes to quarantine, counted by reason; nothing is
 * forgotten, a second person's word or more seeds may let it in at the next round.
 */
import { WORD_DIMENSIONS } from '../models/words.ts';
import type { HumanSample } from './samples.ts';

export const QUARANTINE = [
  'no_words',
  'disputed',
  'duplicate',
  'holdout',
  'author_share',
  'hour_share',
  'neighbours',
  'loss',
] as const;
export type QuarantineReason = (typeof QUARANTINE)[number];

/** A sample as the checks see it. */
export interface Suspect {
  readonly sample: HumanSample;
  /** Mean of its known words' vectors. [100] */
  readonly mean: Float32Array;
  /** Whether a word of it is known. */
  readonly known: boolean;
  /** Its words, joined: equal for one message. */
  readonly message: string;
  /** Whether it is tied to a post that judges models. */
  readonly heldOut: boolean;
  /** Its loss under the champion. */
  readonly loss: number;
}

/** A sample that nobody doubts. */
export interface Trusted {
  /** [100] */
  readonly mean: Float32Array;
  readonly label: 0 | 1;
  readonly message: string;
  readonly loss: number;
}

export interface HygieneOptions {
  /** Most samples of one author, and of one source in one hour; posts without an author are one author's. */
  readonly most: number;
  /** Neighbours that are asked. */
  readonly neighbours: number;
  /** So many of them of the other label, and the sample is doubted. */
  readonly disagreeing: number;
  /** Least cosine, of means less the mean of all, from which a post is a neighbour. */
  readonly similar: number;
  /** Quantile of the trusted losses above which a loss is an outlier. */
  readonly lossQuantile: number;
}

export const HYGIENE_DEFAULTS: Omit<HygieneOptions, 'most'> = {
  neighbours: 10,
  disagreeing: 8,
  similar: 0.5,
  lossQuantile: 0.995,
};

/** Two people's word outweighs what neighbours and the champion say. */
const SURE = 2;

export interface Sorted {
  readonly admitted: readonly HumanSample[];
  readonly quarantined: readonly { readonly sample: HumanSample; readonly reason: QuarantineReason }[];
}

/** Sorts samples, the first ones first where a share is used up. */
export function sortSamples(
  suspects: readonly Suspect[],
  trusted: readonly Trusted[],
  options: HygieneOptions,
): Sorted {
  const admitted: HumanSample[] = [];
  const quarantined: { sample: HumanSample; reason: QuarantineReason }[] = [];
  const messages = new Set(trusted.map(({ message }) => message));
  const authors = createShares(options.most);
  const hours = createShares(options.most);
  const disagrees = askNeighbours(suspects, trusted, options);
  const worst = quantile(
    trusted.map(({ loss }) => loss),
    options.lossQuantile,
  );
  suspects.forEach((suspect, i) => {
    const { sample, known, message, heldOut, loss } = suspect;
    const { post, people, disputed } = sample;
    const { author, sourceHour } = originOf(post);
    const reason = ((): QuarantineReason | null => {
      if (!known) return 'no_words';
      if (disputed) return 'disputed';
      if (heldOut) return 'holdout';
      if (messages.has(message)) return 'duplicate';
      if (people < SURE && disagrees(i)) return 'neighbours';
      if (people < SURE && loss > worst) return 'loss';
      if (!authors.room(author)) return 'author_share';
      if (!hours.room(sourceHour)) return 'hour_share';
      return null;
    })();
    if (reason) {
      quarantined.push({ sample, reason });
      return;
    }
    admitted.push(sample);
    messages.add(message);
    authors.take(author);
    hours.take(sourceHour);
  });
  return { admitted, quarantined };
}

/** Whose share a post counts to. Posts without an author are one author's. */
export function originOf({ author, source, createdAt }: HumanSample['post']): {
  readonly author: string;
  readonly sourceHour: string;
} {
  return {
    author: author ?? '',
    sourceHour: `${source} ${new Date(createdAt).toISOString().slice(0, 'YYYY-MM-DDTHH'.length)}`,
  };
}

function createShares(most: number): { room(key: string): boolean; take(key: string): void } {
  const taken = new Map<string, number>();
  return {
    room: (key) => (taken.get(key) ?? 0) < most,
    take: (key) => {
      taken.set(key, (taken.get(key) ?? 0) + 1);
    },
  };
}

/** Whether the posts most like a suspect mostly have the other label. One by one: no suspect vouches for another. */
function askNeighbours(
  suspects: readonly Suspect[],
  trusted: readonly Trusted[],
  { neighbours, disagreeing, similar }: HygieneOptions,
): (index: number) => boolean {
  const centre = new Float32Array(WORD_DIMENSIONS);
  for (const { mean } of trusted)
    for (let d = 0; d < WORD_DIMENSIONS; d += 1)
      centre[d] = (centre[d] as number) + (mean[d] as number) / trusted.length;
  const pool = trusted.map(({ mean }) => directionOf(mean, centre));
  return (index) => {
    const { mean, sample } = suspects[index] as Suspect;
    const own = directionOf(mean, centre);
    const near: { cosine: number; other: boolean }[] = [];
    pool.forEach((direction, i) => {
      let cosine = 0;
      for (let d = 0; d < WORD_DIMENSIONS; d += 1) cosine += (own[d] as number) * (direction[d] as number);
      if (cosine >= similar) near.push({ cosine, other: trusted[i]?.label !== sample.label });
    });
    near.sort((a, b) => b.cosine - a.cosine);
    return near.slice(0, neighbours).filter(({ other }) => other).length >= disagreeing;
  };
}

function directionOf(mean: Float32Array, centre: Float32Array): Float32Array {
  const direction = mean.map((value, d) => value - (centre[d] as number));
  const length = Math.hypot(...direction);
  return length > 0 ? direction.map((value) => value / length) : direction;
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(q * (sorted.length - 1))] ?? Number.POSITIVE_INFINITY;
}

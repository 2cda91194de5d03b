/** Figures of the rumour study: counts of one event and seed, means over events and seeds, intervals over claims. */
import { seededRandom } from '../../base/random.ts';
import { perClaim } from '../claims.ts';
import { overSeeds } from '../compare.ts';
import { membersOf } from '../groups.ts';
import { type Scored, sigmoid } from '../measure.ts';
import type { StudyPost } from './rumour-features.ts';

const RESAMPLES = 500;

/** Balanced accuracy of one event with one seed. Counts of posts, and of claims, by truth and answer. */
export interface Cell {
  readonly event: string;
  readonly seed: number;
  /** One entry a claim of the test: posts that are fake, that are called fake, and so on. */
  readonly claims: readonly Counts[];
}

interface Counts {
  readonly id: number;
  readonly posts: Four;
  readonly claim: Four;
}

/** True and false positives, false and true negatives. */
type Four = readonly [tp: number, fp: number, fn: number, tn: number];

export interface Estimate {
  readonly value: number;
  /** 95 %, bootstrap over the claims of each event. */
  readonly interval: readonly [number, number];
}

export interface StudyRow {
  readonly name: string;
  readonly perPost: Estimate;
  readonly perClaim: Estimate;
  /** Per post, event by event. */
  readonly events: Readonly<Record<string, number>>;
  /** Against the row's baseline on the same test posts. */
  readonly gain: Estimate | null;
  readonly gainPerClaim: Estimate | null;
  readonly seeds: number;
}

export function cell(
  event: string,
  seed: number,
  posts: readonly StudyPost[],
  members: readonly number[],
  logits: ReadonlyMap<number, number>,
): Cell {
  const probability = members.map((i) => sigmoid(logits.get(i) as number));
  const label = members.map((i) => (posts[i] as StudyPost).label);
  const claims = Int32Array.from(members, (i) => posts[i]?.claim ?? -1);
  const one = perClaim({ probability, label }, claims);
  const of = ({ probability: p, label: y }: Scored, i: number): Four => {
    const said = (p[i] as number) >= 0.5;
    const truth = y[i] === 1;
    return [Number(said && truth), Number(said && !truth), Number(!said && truth), Number(!said && !truth)];
  };
  return {
    event,
    seed,
    claims: membersOf(claims).map((own, c) => ({
      id: claims[own[0] as number] as number,
      posts: own.map((i) => of({ probability, label }, i)).reduce(plus, [0, 0, 0, 0]),
      claim: of(one, c),
    })),
  };
}

const plus = (a: Four, b: Four): Four => [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]];

const meanOf = (values: readonly number[]): number => overSeeds(values).mean;

/** How often a claim counts. */
type Times = (event: string, claim: number) => number;

type Unit = 'posts' | 'claim';

/**
 * Mean over events of the mean over seeds of balanced accuracy, or of its gain over the baseline's cells. Where a draw
 * leaves one answer only there is no figure; NaN where an event has none at all.
 */
export function overEvents(
  cells: readonly Cell[],
  baseline: readonly Cell[] | null,
  unit: Unit,
  times: Times,
): number {
  const byEvent = new Map<string, number[]>();
  cells.forEach((own, i) => {
    const base = baseline?.[i];
    const figure = balancedOf(own, unit, times) - (base ? balancedOf(base, unit, times) : 0);
    const before = byEvent.get(own.event) ?? [];
    byEvent.set(own.event, Number.isNaN(figure) ? before : [...before, figure]);
  });
  return meanOf(
    [...byEvent.values()].map((figures) => (figures.length === 0 ? Number.NaN : meanOf(figures))),
  );
}

/** NaN where one of the answers does not occur. */
function balancedOf({ event, claims }: Cell, unit: Unit, times: Times): number {
  let [tp, fp, fn, tn] = [0, 0, 0, 0];
  for (const claim of claims) {
    const weight = times(event, claim.id);
    const four = claim[unit];
    tp += weight * four[0];
    fp += weight * four[1];
    fn += weight * four[2];
    tn += weight * four[3];
  }
  return (tp / (tp + fn) + tn / (tn + fp)) / 2;
}

/** The gain is that of the same claims, drawn together; all seeds see the same draw. */
export function studyRow(name: string, cells: readonly Cell[], baseline: readonly Cell[] | null): StudyRow {
  const events = [...new Set(cells.map(({ event }) => event))];
  const claimsOf = new Map(
    events.map((event) => {
      const ids = cells
        .filter((own) => own.event === event)
        .flatMap(({ claims }) => claims.map(({ id }) => id));
      return [event, [...new Set(ids)]];
    }),
  );
  const estimate = (unit: Unit, against: readonly Cell[] | null): Estimate => {
    const random = seededRandom(7);
    const drawn = Array.from({ length: RESAMPLES }, () => {
      const counts = new Map<string, number>();
      for (const [event, ids] of claimsOf)
        for (let i = 0; i < ids.length; i += 1) {
          const key = `${event} ${ids[Math.floor(random() * ids.length)]}`;
          counts.set(key, (counts.get(key) ?? 0) + 1);
        }
      return overEvents(cells, against, unit, (event, claim) => counts.get(`${event} ${claim}`) ?? 0);
    });
    const sorted = drawn.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
    const at = (q: number): number => sorted[Math.round(q * (sorted.length - 1))] ?? Number.NaN;
    return { value: overEvents(cells, against, unit, () => 1), interval: [at(0.025), at(0.975)] };
  };
  return {
    name,
    perPost: estimate('posts', null),
    perClaim: estimate('claim', null),
    events: Object.fromEntries(
      events.map((event) => {
        const own = cells.filter((of) => of.event === event);
        return [event, overEvents(own, null, 'posts', () => 1)];
      }),
    ),
    gain: baseline && estimate('posts', baseline),
    gainPerClaim: baseline && estimate('claim', baseline),
    seeds: new Set(cells.map(({ seed }) => seed)).size,
  };
}

/**
 * How well rumours are told in a disaster that no model has seen (encoders.md, last sections): from content alone, after a
 * few human rulings in the new event, and with what the claim's posts say together. Heads on frozen features, because
 * dozens of events × seeds × settings have to be fitted; pure arithmetic, all chance from seeds.
 */
import { type Random, seededRandom, shuffled } from '../../base/random.ts';
import { perClaim } from '../claims.ts';
import { overSeeds } from '../compare.ts';
import { fitLine, type Line, logitOf, type Row } from '../dense-logistic.ts';
import { groupNearDuplicates, membersOf } from '../groups.ts';
import { calibrate, type Scored, sigmoid } from '../measure.ts';
import type { Block, StudyPost } from './rumour-features.ts';

/** Fewer posts make no test. */
const FEWEST_POSTS = 50;
/** Training posts of a claim, drawn by seed: a claim's hundredth retweet teaches nothing new. */
export const POSTS_PER_CLAIM = 8;
/** Pull on the weights of standardised features; the loss is a mean. */
const RIDGE = 0.03;
/** Standardised features end there: a feature that hardly varied in training must not decide by itself. */
const FARTHEST = 4;
export const RULINGS = [5, 20, 50] as const;
const RESAMPLES = 500;

/** How rulings change the head: a shift and scale of its answer, or weights that leave the old ones as little as they must. */
export type Adaptation = { readonly kind: 'platt' } | { readonly kind: 'head'; readonly ridge: number };

export const ADAPTATIONS: readonly Adaptation[] = [
  { kind: 'platt' },
  ...[3, 10, 30, 100, 300].map((ridge) => ({ kind: 'head', ridge }) as const),
];

/** What is ruled: posts (the test loses them and what repeats them) or claims (the test loses them whole). */
export type Ruled = 'post' | 'claim';

/** Balanced accuracy of one event with one seed. Counts of posts, and of claims, by truth and answer. */
interface Cell {
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

export interface RumourStudy {
  readonly events: readonly {
    readonly name: string;
    readonly posts: number;
    readonly fake: number;
    readonly claims: number;
    /** In the published training part: settings are chosen there. */
    readonly dev: boolean;
  }[];
  /** Chosen on the dev events. */
  readonly adaptation: Adaptation;
  /** Gain of each adaptation on the dev events with 20 rulings. */
  readonly tried: readonly { readonly adaptation: Adaptation; readonly gain: number }[];
  /** (a) and (c). */
  readonly evidence: readonly StudyRow[];
  /** (b), over all events, and over those that settings were not chosen on. */
  readonly rulings: readonly (StudyRow & {
    readonly ruled: Ruled;
    readonly k: number;
    readonly over: 'all events' | 'test events';
  })[];
  /** Claims that posts of more than one event belong to: what a recycled picture could be seen by. */
  readonly recycled: number;
}

const CONTENT: readonly Block[] = ['text', 'picture', 'style'];

/** Rows of (c), each with the features that it has and whether it adds up the claim's posts so far. */
const LADDER: readonly {
  readonly name: string;
  readonly blocks: readonly Block[];
  readonly adds: boolean;
}[] = [
  { name: 'text', blocks: ['text'], adds: false },
  { name: 'text + picture', blocks: ['text', 'picture'], adds: false },
  { name: 'style alone', blocks: ['style'], adds: false },
  { name: 'text + picture + style (a)', blocks: CONTENT, adds: false },
  { name: '(a), mean log-odds over the claim so far', blocks: CONTENT, adds: true },
  { name: '(a) + corrections, authors, spread', blocks: [...CONTENT, 'evidence'], adds: false },
  { name: 'all, mean log-odds over the claim so far', blocks: [...CONTENT, 'evidence'], adds: true },
  { name: 'corrections, authors, spread alone', blocks: ['evidence'], adds: false },
];

/** @param devEvents events that settings may be chosen on */
export function studyRumours(
  posts: readonly StudyPost[],
  devEvents: ReadonlySet<string>,
  seeds: readonly number[],
  report: (line: string) => void,
): RumourStudy {
  const events = eventsOf(posts, devEvents);
  const heads = new Map<string, Head>();
  const headOf = (event: string, blocks: readonly Block[], seed: number): Head => {
    const name = JSON.stringify([event, blocks, seed]);
    const head = heads.get(name) ?? trainHead(posts, event, blocks, seed);
    heads.set(name, head);
    return head;
  };

  const evidence = LADDER.map(({ name, blocks, adds }) => {
    const cells = events.flatMap((event) =>
      seeds.map((seed) => {
        const logits = headOf(event.name, blocks, seed).logits;
        const scores = adds ? meanSoFar(event.members, posts, logits) : logits;
        return cell(event.name, seed, posts, event.members, scores);
      }),
    );
    report(`without the event: ${name}`);
    return studyRow(name, cells, null);
  });

  const adapted = (event: StudyEvent, seed: number, ruled: Ruled, k: number, how: Adaptation): Pair | null =>
    rule(posts, event, headOf(event.name, CONTENT, seed), { seed, ruled, k, how });
  const tried = ADAPTATIONS.map((adaptation) => {
    const pairs = events
      .filter(({ dev }) => dev)
      .flatMap((event) => seeds.flatMap((seed) => adapted(event, seed, 'post', 20, adaptation) ?? []));
    return { adaptation, gain: pairs.length === 0 ? 0 : gainOf(pairs) };
  });
  const best = tried.reduce((a, b) => (b.gain > a.gain ? b : a));
  report(`rulings: chosen on the dev events: ${nameOf(best.adaptation)}`);

  const rulings = (['post', 'claim'] as const).flatMap((ruled) =>
    RULINGS.flatMap((k) => {
      const pairs = events.map((event) => ({
        dev: event.dev,
        pairs: seeds.flatMap((seed) => adapted(event, seed, ruled, k, best.adaptation) ?? []),
      }));
      report(`rulings: ${k} ${ruled}s`);
      return (['all events', 'test events'] as const).flatMap((over) => {
        const counted = pairs
          .filter(({ dev }) => over === 'all events' || !dev)
          .flatMap((part) => part.pairs);
        if (counted.length === 0) return [];
        const row = studyRow(
          `${k} ${ruled}s ruled`,
          counted.map(({ after }) => after),
          counted.map(({ before }) => before),
        );
        return [{ ...row, ruled, k, over }];
      });
    }),
  );
  return {
    events: events.map(({ name, members, dev }) => ({
      name,
      posts: members.length,
      fake: members.filter((i) => posts[i]?.label === 1).length,
      claims: new Set(members.map((i) => posts[i]?.claim)).size,
      dev,
    })),
    adaptation: best.adaptation,
    tried,
    evidence,
    rulings,
    recycled: straddling(posts),
  };
}

interface StudyEvent {
  readonly name: string;
  readonly members: readonly number[];
  readonly dev: boolean;
}

/** Events with both answers and enough posts. */
function eventsOf(posts: readonly StudyPost[], devEvents: ReadonlySet<string>): StudyEvent[] {
  const members = new Map<string, number[]>();
  posts.forEach(({ event }, i) => {
    const before = members.get(event);
    if (before) before.push(i);
    else members.set(event, [i]);
  });
  return [...members]
    .filter(([, own]) => own.length >= FEWEST_POSTS && new Set(own.map((i) => posts[i]?.label)).size === 2)
    .map(([name, own]) => ({ name, members: own, dev: devEvents.has(name) }))
    .sort((a, b) => Number(b.dev) - Number(a.dev) || b.members.length - a.members.length);
}

interface Head {
  readonly line: Line;
  /** Standardised features of the event's posts, by number of the post. */
  readonly features: ReadonlyMap<number, Float32Array>;
  /** Log-odds of fake of the event's posts. */
  readonly logits: ReadonlyMap<number, number>;
}

/** Trained on all that is neither of the event nor tied to it. */
function trainHead(posts: readonly StudyPost[], event: string, blocks: readonly Block[], seed: number): Head {
  const tied = new Set(posts.filter((post) => post.event === event).map(({ claim }) => claim));
  const rest = posts.filter((post) => !tied.has(post.claim));
  const drawn = drawPerClaim(rest, seededRandom(seed));
  const raw = drawn.map(({ post }) => joined(post, blocks));
  const standard = standardiser(raw);
  const line = fitLine(
    drawn.map(({ post, weight }, i) => ({
      features: standard(raw[i] as Float32Array),
      label: post.label,
      weight,
    })),
    RIDGE,
    null,
  );
  const features = new Map<number, Float32Array>();
  const logits = new Map<number, number>();
  posts.forEach((post, i) => {
    if (post.event !== event) return;
    const own = standard(joined(post, blocks));
    features.set(i, own);
    logits.set(i, logitOf(line, own));
  });
  return { line, features, logits };
}

function joined({ blocks }: StudyPost, wanted: readonly Block[]): Float32Array {
  return Float32Array.from(wanted.flatMap((block) => [...blocks[block]]));
}

/** A few posts of each claim; a claim counts by the root of its posts, the classes count the same, all sum to 1. */
function drawPerClaim(
  posts: readonly StudyPost[],
  random: Random,
): { readonly post: StudyPost; readonly weight: number }[] {
  const drawn = membersOf(Int32Array.from(posts, ({ claim }) => claim)).flatMap((members) => {
    const some = shuffled(members, random).slice(0, POSTS_PER_CLAIM);
    const weight = Math.sqrt(members.length) / some.length;
    return some.map((i) => ({ post: posts[i] as StudyPost, weight }));
  });
  const total = [0, 1].map((label) =>
    drawn.reduce((sum, { post, weight }) => sum + (post.label === label ? weight : 0), 0),
  );
  return drawn.map(({ post, weight }) => ({
    post,
    weight: weight / (2 * Math.max(1e-9, total[post.label] as number)),
  }));
}

/** To mean 0 and deviation 1 as in these rows. */
function standardiser(rows: readonly Float32Array[]): (row: Float32Array) => Float32Array {
  const size = rows[0]?.length ?? 0;
  const mean = new Float64Array(size);
  const square = new Float64Array(size);
  for (const row of rows)
    row.forEach((value, k) => {
      mean[k] = (mean[k] as number) + value / rows.length;
      square[k] = (square[k] as number) + (value * value) / rows.length;
    });
  return (row) =>
    row.map((value, k) => {
      const deviation = Math.sqrt(Math.max(0, (square[k] as number) - (mean[k] as number) ** 2));
      const z = deviation < 1e-6 ? 0 : (value - (mean[k] as number)) / deviation;
      return Math.max(-FARTHEST, Math.min(FARTHEST, z));
    });
}

/** For each post the mean log-odds of its claim's posts up to it. */
function meanSoFar(
  members: readonly number[],
  posts: readonly StudyPost[],
  logits: ReadonlyMap<number, number>,
): Map<number, number> {
  const means = new Map<number, number>();
  for (const own of membersOf(Int32Array.from(members, (i) => posts[i]?.claim ?? -1))) {
    const order = own
      .map((at) => members[at] as number)
      .sort((a, b) => (posts[a]?.place ?? 0) - (posts[b]?.place ?? 0));
    let sum = 0;
    order.forEach((post, k) => {
      sum += logits.get(post) as number;
      means.set(post, sum / (k + 1));
    });
  }
  return means;
}

interface Ruling {
  readonly seed: number;
  readonly ruled: Ruled;
  readonly k: number;
  readonly how: Adaptation;
}

/** The same test posts before and after the rulings. */
interface Pair {
  readonly before: Cell;
  readonly after: Cell;
}

/** Null where the event has too few claims, or what is left has one answer only. */
function rule(
  posts: readonly StudyPost[],
  { name, members }: StudyEvent,
  head: Head,
  { seed, ruled, k, how }: Ruling,
): Pair | null {
  const random = seededRandom(1_000 + seed);
  const groups =
    ruled === 'claim'
      ? Int32Array.from(members, (i) => posts[i]?.claim ?? -1)
      : groupNearDuplicates(members.map((i) => posts[i] as StudyPost));
  const chosen =
    ruled === 'claim'
      ? shuffled(membersOf(groups), random).slice(0, k)
      : shuffled([...members.keys()], random)
          .slice(0, k)
          .map((at) => [at]);
  const gone = new Set(chosen.flat().map((at) => groups[at]));
  const test = members.filter((_, at) => !gone.has(groups[at] as number));
  const claimsLeft = new Set(test.map((i) => posts[i]?.claim)).size;
  if (claimsLeft < 2 || new Set(test.map((i) => posts[i]?.label)).size < 2) return null;
  if (ruled === 'claim' && (chosen.length < k || claimsLeft < 5)) return null;

  // A ruled claim teaches by some of its posts, which weigh as much as one ruling together.
  const rows: Row[] = chosen.flatMap((group) => {
    const some = shuffled(group, random).slice(0, POSTS_PER_CLAIM);
    return some.map((at) => {
      const i = members[at] as number;
      return {
        features: head.features.get(i) as Float32Array,
        label: (posts[i] as StudyPost).label,
        weight: 1 / some.length,
      };
    });
  });
  const adapt = adaptedLogit(head.line, rows, how);
  const after = new Map(test.map((i) => [i, adapt(head.features.get(i) as Float32Array)]));
  return {
    before: cell(name, seed, posts, test, head.logits),
    after: cell(name, seed, posts, test, after),
  };
}

function adaptedLogit(line: Line, rows: readonly Row[], how: Adaptation): (features: Float32Array) => number {
  if (how.kind === 'platt') {
    const { scale, bias } = calibrate(
      rows.map(({ features }) => logitOf(line, features)),
      rows.map(({ label }) => label),
    );
    return (features) => scale * logitOf(line, features) + bias;
  }
  const fitted = fitLine(rows, how.ridge, line);
  return (features) => logitOf(fitted, features);
}

function cell(
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

const gainOf = (pairs: readonly Pair[]): number =>
  overEvents(
    pairs.map(({ after }) => after),
    pairs.map(({ before }) => before),
    'posts',
    () => 1,
  );

/** How often a claim counts. */
type Times = (event: string, claim: number) => number;
type Unit = 'posts' | 'claim';

/**
 * Mean over events of the mean over seeds of balanced accuracy, or of its gain over the baseline's cells. Where a draw
 * leaves one answer only there is no figure; NaN where an event has none at all.
 */
function overEvents(
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
function studyRow(name: string, cells: readonly Cell[], baseline: readonly Cell[] | null): StudyRow {
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

function straddling(posts: readonly StudyPost[]): number {
  const events = new Map<number, Set<string>>();
  for (const { claim, event } of posts) events.set(claim, (events.get(claim) ?? new Set()).add(event));
  return [...events.values()].filter((own) => own.size > 1).length;
}

export const nameOf = (adaptation: Adaptation): string =>
  adaptation.kind === 'platt' ? 'shift and scale' : `weights near the old ones (pull ${adaptation.ridge})`;

/**
 * How well rumours are told in a disaster that no model has seen (encoders.md, last sections): from content alone, after a
 * few human rulings in the new event, and with what the claim's posts say together. Heads on frozen features, because
 * dozens of events × seeds × settings have to be fitted; pure arithmetic, all chance from seeds.
 */
import { membersOf } from '../groups.ts';
import { cell, overEvents, type StudyRow, studyRow } from './rumour-cells.ts';
import type { Block, StudyPost } from './rumour-features.ts';
import {
  type Adaptation,
  type Head,
  nameOf,
  type Pair,
  type Ruled,
  rule,
  type StudyEvent,
  trainHead,
} from './rumour-heads.ts';

/** Fewer posts make no test. */
const FEWEST_POSTS = 50;
export const RULINGS = [5, 20, 50] as const;

export const ADAPTATIONS: readonly Adaptation[] = [
  { kind: 'platt' },
  ...[3, 10, 30, 100, 300].map((ridge) => ({ kind: 'head', ridge }) as const),
];

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

const gainOf = (pairs: readonly Pair[]): number =>
  overEvents(
    pairs.map(({ after }) => after),
    pairs.map(({ before }) => before),
    'posts',
    () => 1,
  );

function straddling(posts: readonly StudyPost[]): number {
  const events = new Map<number, Set<string>>();
  for (const { claim, event } of posts) events.set(claim, (events.get(claim) ?? new Set()).add(event));
  return [...events.values()].filter((own) => own.size > 1).length;
}

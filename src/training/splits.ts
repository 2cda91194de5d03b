/** Which examples train, tune and test. A split is written down with its hash and can be read again. */
import { z } from 'zod';
import { TocsinError } from '../base/errors.ts';
import { nearest } from '../base/nearest.ts';
import { seededRandom, shuffled } from '../base/random.ts';
import { sha256Of } from '../models/artefact.ts';
import type { Dataset, Example, Part } from './dataset.ts';
import { groupSame, membersOf, type PictureHashes } from './groups.ts';

/** Ids of the examples by use. */
export interface Split {
  /** The name that `splitBy` takes. */
  readonly protocol: string;
  readonly seed: number;
  readonly dataSha256: string;
  readonly train: readonly string[];
  readonly dev: readonly string[];
  readonly test: readonly string[];
}

const splitSchema: z.ZodType<Split> = z.object({
  protocol: z.string().min(1),
  seed: z.number().int(),
  dataSha256: z.string(),
  train: z.array(z.string()),
  dev: z.array(z.string()),
  test: z.array(z.string()),
});

/** Shares of the examples that tune and test. */
const DEV_SHARE = 0.1;
const TEST_SHARE = 0.1;

/** Names before the colon. */
const PROTOCOLS = [
  'grouped',
  'paper',
  'official',
  'official-disjoint',
  'agreed',
  'event',
  'leave-one-event-out',
  'event-fold',
];

/**
 * The split that a protocol names:
 *  - `grouped`: 80 / 10 / 10; one post, message or picture never on two sides;
 *  - `paper`: MMAT's, a random tenth of the pairs; leaks posts and pictures, for comparison with the paper only;
 *  - `official`, `agreed`: as published with the data; what it leaks it leaks;
 *  - `official-disjoint`: the published test; what is tied to it is taken out of the rest;
 *  - `event:NAME`, also `leave-one-event-out:NAME`: one event is the test, nothing tied to it is in the rest;
 *  - `event-fold:I/K`: the events of fold I of K are the test, in the same way.
 *
 * @param hashes makes pictures that look the same one picture
 * Throws BAD_USAGE for another name and for a protocol that the data do not have.
 */
export function splitBy(
  data: Dataset,
  protocol: string,
  seed: number,
  hashes: PictureHashes = new Map(),
): Split {
  const [, name, detail = ''] = /^([a-z-]+)(?::(.+))?$/.exec(protocol) ?? [];
  switch (name) {
    case 'grouped':
      return splitGrouped(data, seed, hashes);
    case 'paper':
      return splitRandomPairs(data, seed);
    case 'official':
    case 'agreed':
      return splitAsPublished(data, name, seed, hashes);
    case 'official-disjoint':
      return withoutLeaks(data, protocol, splitAsPublished(data, 'official', seed, hashes), hashes);
    case 'event':
    case 'leave-one-event-out':
      return splitByEvent(data, detail, seed, hashes);
    case 'event-fold':
      return splitByEventFold(data, detail, seed, hashes);
    default:
      throw new TocsinError(
        'BAD_USAGE',
        `There is no split ${protocol}; did you mean ${nearest(name ?? protocol, PROTOCOLS)}? All: ${PROTOCOLS.join(', ')}.`,
      );
  }
}

/**
 * 80 / 10 / 10, by group, event and label in equal shares everywhere. One post, message or picture never stands on two
 * sides; the same event does (see `splitByEvent` for the harder case).
 */
function splitGrouped(data: Dataset, seed: number, hashes?: PictureHashes): Split {
  const groups = groupSame(data.examples, hashes);
  const shares = [1 - DEV_SHARE - TEST_SHARE, DEV_SHARE, TEST_SHARE];
  return sealed('grouped', seed, data, deal(data, data.examples, groups, shares, seed));
}

/**
 * One event is the test: what a model does in a disaster that it has not seen. What is tied to the event is left out of
 * the rest; a tenth of the rest tunes.
 */
function splitByEvent(data: Dataset, event: string, seed: number, hashes?: PictureHashes): Split {
  const events = [...new Set(data.examples.map((example) => example.event))].sort();
  if (!events.includes(event))
    throw new TocsinError(
      'BAD_USAGE',
      `Splitting ${data.name}: it has no event called ${event || '(nothing)'}; it has ${events.join(', ')}.`,
    );
  return testingOn(data, `event:${event}`, (example) => example.event === event, seed, hashes);
}

/** MMAT: test = the tenth of the pairs rounded up (models.md §0, finding 1); as many again tune. */
function splitRandomPairs(data: Dataset, seed: number): Split {
  const ids = shuffled(
    data.examples.map(({ id }) => id),
    seededRandom(seed),
  );
  const tenth = Math.ceil(ids.length / 10);
  return sealed('paper', seed, data, [
    ids.slice(2 * tenth),
    ids.slice(tenth, 2 * tenth),
    ids.slice(0, tenth),
  ]);
}

/** Where no part is published for tuning, a tenth of the training part tunes, whole groups of it. */
function splitAsPublished(data: Dataset, name: string, seed: number, hashes?: PictureHashes): Split {
  const of = (part: Part): Example[] => data.examples.filter(({ published }) => published[name] === part);
  const [train, dev, test] = [of('train'), of('dev'), of('test')];
  if (train.length === 0 || test.length === 0)
    throw new TocsinError('BAD_USAGE', `Splitting ${data.name}: no split ${name} was published with it.`);
  const parts =
    dev.length > 0
      ? [idsOf(train), idsOf(dev)]
      : deal(data, train, groupSame(train, hashes), [1 - DEV_SHARE, DEV_SHARE], seed);
  return sealed(name, seed, data, [...parts, idsOf(test)]);
}

/** Leaves out of train what is tied to dev or test, and out of dev what is tied to test. */
function withoutLeaks(data: Dataset, protocol: string, split: Split, hashes: PictureHashes): Split {
  const groups = groupSame(data.examples, hashes);
  const groupOf = new Map(data.examples.map(({ id }, i) => [id, groups[i] as number]));
  const taken = new Set(split.test.map((id) => groupOf.get(id)));
  const free = (ids: readonly string[]): string[] => ids.filter((id) => !taken.has(groupOf.get(id)));
  const dev = free(split.dev);
  for (const id of dev) taken.add(groupOf.get(id));
  return sealed(protocol, split.seed, data, [free(split.train), dev, split.test]);
}

/** Events in K folds of about equal size; the seed decides which go together. */
function splitByEventFold(data: Dataset, detail: string, seed: number, hashes?: PictureHashes): Split {
  const [, fold, folds] = /^([1-9]\d*)\/([1-9]\d*)$/.exec(detail)?.map(Number) ?? [];
  const sizes = new Map<string, number>();
  for (const { event } of data.examples) sizes.set(event, (sizes.get(event) ?? 0) + 1);
  if (fold === undefined || folds === undefined || folds < 2 || fold > folds || folds > sizes.size)
    throw new TocsinError(
      'BAD_USAGE',
      `Splitting ${data.name} by event-fold:${detail}: I/K with 1 ≤ I ≤ K and 2 ≤ K ≤ ${sizes.size} events is needed.`,
    );
  const totals = new Array<number>(folds).fill(0);
  const foldOf = new Map<string, number>();
  const order = shuffled([...sizes].sort(), seededRandom(seed)).sort(([, a], [, b]) => b - a);
  for (const [event, size] of order) {
    const smallest = totals.indexOf(Math.min(...totals));
    foldOf.set(event, smallest + 1);
    totals[smallest] = (totals[smallest] as number) + size;
  }
  return testingOn(data, `event-fold:${detail}`, ({ event }) => foldOf.get(event) === fold, seed, hashes);
}

function testingOn(
  data: Dataset,
  protocol: string,
  isTest: (example: Example) => boolean,
  seed: number,
  hashes?: PictureHashes,
): Split {
  const groups = groupSame(data.examples, hashes);
  const tested = new Set(groups.filter((_, i) => isTest(data.examples[i] as Example)));
  const rest = data.examples
    .map((example, i) => ({ example, group: groups[i] as number }))
    .filter(({ group }) => !tested.has(group));
  const parts = deal(
    data,
    rest.map(({ example }) => example),
    Int32Array.from(rest, ({ group }) => group),
    [1 - DEV_SHARE, DEV_SHARE],
    seed,
  );
  return sealed(protocol, seed, data, [...parts, idsOf(data.examples.filter(isTest))]);
}

/** Bytes of a split and their hash; equal splits have equal bytes. */
export function encodeSplit(split: Split): { json: string; sha256: string } {
  const json = `${JSON.stringify(split)}\n`;
  return { json, sha256: sha256Of(json) };
}

/** Throws MODEL_INVALID for anything but a split. */
export function parseSplit(bytes: Uint8Array): Split {
  try {
    return splitSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    throw new TocsinError('MODEL_INVALID', 'Reading a split', { cause });
  }
}

/** The examples of a list of ids that the data set has, in the list's order. */
export function pick(data: Dataset, ids: readonly string[]): Example[] {
  const byId = new Map(data.examples.map((example) => [example.id, example]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

const idsOf = (examples: readonly Example[]): string[] => examples.map(({ id }) => id);

function sealed(protocol: string, seed: number, data: Dataset, parts: readonly (readonly string[])[]): Split {
  const [train = [], dev = [], test = []] = parts.map((ids) => [...ids].sort());
  return { protocol, seed, dataSha256: data.sha256, train, dev, test };
}

/** Deals whole groups to parts, each to the part that lacks most of the group's event and label. */
function deal(
  data: Dataset,
  examples: readonly Example[],
  groups: Int32Array,
  shares: readonly number[],
  seed: number,
): string[][] {
  const random = seededRandom(seed);
  const members = membersOf(groups).map((indexes) => indexes.map((i) => examples[i] as Example));
  const strata = new Map<string, { total: number; dealt: number[] }>();
  const stratumOf = (example: Example): { total: number; dealt: number[] } => {
    const key = `${example.event} ${JSON.stringify(example.labels[data.task])}`;
    const stratum = strata.get(key) ?? { total: 0, dealt: shares.map(() => 0) };
    strata.set(key, stratum);
    return stratum;
  };
  for (const example of examples) stratumOf(example).total += 1;
  const parts: string[][] = shares.map(() => []);
  // Large groups first: while there is room everywhere they disturb the shares least.
  const order = shuffled(members, random).sort((a, b) => b.length - a.length);
  for (const group of order) {
    const { total, dealt } = stratumOf(group[0] as Example);
    const lack = shares.map((share, part) => share - (dealt[part] as number) / total);
    const part = lack.indexOf(Math.max(...lack));
    for (const example of group) {
      parts[part]?.push(example.id);
      const counts = stratumOf(example).dealt;
      counts[part] = (counts[part] as number) + 1;
    }
  }
  return parts;
}

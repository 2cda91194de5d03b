/** Which examples train, tune and test. A split is written down with its hash and can be read again. */
import { z } from 'zod';
import { TocsinError } from '../base/errors.ts';
import { type Random, seededRandom, shuffled } from '../base/random.ts';
import { sha256Of } from '../models/artefact.ts';
import type { Dataset, Example } from './dataset.ts';
import { groupNearDuplicates } from './groups.ts';

/** Ids of the examples by use. */
export interface Split {
  /** `grouped`, or `event:<name>` where that event is the test. */
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

/**
 * 80 / 10 / 10, by near-duplicate group, event and label in equal shares everywhere. The same message never stands on
 * two sides; the same event does (see `splitByEvent` for the harder case).
 */
export function splitGrouped(data: Dataset, seed: number): Split {
  const groups = groupNearDuplicates(data.examples);
  const parts = deal(data, data.examples, groups, [1 - DEV_SHARE - TEST_SHARE, DEV_SHARE, TEST_SHARE], seed);
  return sealed('grouped', seed, data, parts);
}

/**
 * One event is the test: what a model does in a disaster that it has not seen. Texts of other events that repeat one of
 * the test are left out; a tenth of the rest tunes.
 */
export function splitByEvent(data: Dataset, event: string, seed: number): Split {
  const groups = groupNearDuplicates(data.examples);
  const test = data.examples.filter((example) => example.event === event);
  if (test.length === 0)
    throw new TocsinError('BAD_USAGE', `Splitting ${data.name}: it has no event called ${event}.`);
  const tested = new Set(groups.filter((_, i) => data.examples[i]?.event === event));
  const rest = data.examples
    .map((example, i) => ({ example, group: groups[i] as number }))
    .filter(({ group }) => !tested.has(group));
  const [train, dev] = deal(
    data,
    rest.map(({ example }) => example),
    Int32Array.from(rest, ({ group }) => group),
    [1 - DEV_SHARE, DEV_SHARE],
    seed,
  );
  return sealed(`event:${event}`, seed, data, [train as string[], dev as string[], test.map(({ id }) => id)]);
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

function sealed(protocol: string, seed: number, data: Dataset, parts: readonly string[][]): Split {
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
  const random: Random = seededRandom(seed);
  const members = new Map<number, Example[]>();
  groups.forEach((group, i) => {
    members.set(group, [...(members.get(group) ?? []), examples[i] as Example]);
  });
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
  const order = shuffled([...members.values()], random).sort((a, b) => b.length - a.length);
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

/** Splits: every post once, the same message on one side, equal seeds equal splits, readable again. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dataset, Example } from '../../../src/training/dataset.ts';
import { groupNearDuplicates } from '../../../src/training/groups.ts';
import {
  encodeSplit,
  parseSplit,
  pick,
  type Split,
  splitByEvent,
  splitGrouped,
} from '../../../src/training/splits.ts';

const EVENTS = ['flood', 'fire', 'quake'];

function dataset(texts: readonly string[]): Dataset {
  const examples = texts.map(
    (text, i): Example => ({
      id: `p${i}`,
      event: EVENTS[i % EVENTS.length] as string,
      text,
      language: 'en',
      post: `p${i}`,
      createdAt: null,
      author: null,
      picture: null,
      media: [],
      claim: null,
      published: {},
      labels: { informative: i % 5 < 3 ? 1 : 0 },
    }),
  );
  return {
    name: 'test',
    licence: 'none',
    task: 'informative',
    classes: ['not informative', 'informative'],
    weak: null,
    examples,
    sha256: 'f'.repeat(64),
    left: {},
    pictureProblems: {},
  };
}

const words = fc.constantFrom(
  'water',
  'road',
  'closed',
  'help',
  'bridge',
  'north',
  'rain',
  'boat',
  'a',
  'the',
);
const texts = fc.array(
  fc.array(words, { minLength: 1, maxLength: 12 }).map((w) => w.join(' ')),
  { minLength: 30, maxLength: 200 },
);

describe('groupNearDuplicates', () => {
  it('joins retweets, cut and slightly changed texts, and nothing else', () => {
    const groups = groupNearDuplicates(
      [
        'Bridge on Main Street closed after the flood, use the northern road',
        'RT @joe: Bridge on Main Street closed after the flood, use the northern road http://t.co/x',
        'Bridge on Main Street closed after the flood, use the northern ...',
        'Fire near the school, everybody is safe',
        'flood',
        'flood',
        'fire',
      ].map((text) => ({ text })),
    );
    expect([...groups]).toEqual([0, 0, 0, 3, 4, 4, 6]);
  });
});

describe('splitGrouped', () => {
  it('uses every post once and keeps near-duplicates together', () => {
    fc.assert(
      fc.property(texts, fc.nat(1_000), (list, seed) => {
        const data = dataset(list);
        const split = splitGrouped(data, seed);
        const all = [...split.train, ...split.dev, ...split.test];
        expect([...all].sort()).toEqual(data.examples.map(({ id }) => id).sort());
        const groups = groupNearDuplicates(data.examples);
        const side = new Map<number, string>();
        for (const part of ['train', 'dev', 'test'] as const)
          for (const id of split[part]) {
            const group = groups[Number(id.slice(1))] as number;
            expect(side.get(group) ?? part).toBe(part);
            side.set(group, part);
          }
      }),
      { numRuns: 30 },
    );
  });

  const varied = dataset(Array.from({ length: 3_000 }, (_, i) => `w${i} x${i} y${i} z${i}`));

  it('has the shares 80, 10 and 10 in every event and label', () => {
    const split = splitGrouped(varied, 3);
    for (const event of EVENTS)
      for (const label of [0, 1]) {
        const of = (part: readonly string[]): number =>
          pick(varied, part).filter((e) => e.event === event && e.labels.informative === label).length;
        const total = of(split.train) + of(split.dev) + of(split.test);
        expect(of(split.test) / total).toBeCloseTo(0.1, 1);
        expect(of(split.dev) / total).toBeCloseTo(0.1, 1);
      }
  });

  it('is the same for the same seed, another for another, and readable again', () => {
    const split = splitGrouped(varied, 3);
    const { json, sha256 } = encodeSplit(split);
    expect(encodeSplit(splitGrouped(varied, 3)).sha256).toBe(sha256);
    expect(encodeSplit(splitGrouped(varied, 4)).sha256).not.toBe(sha256);
    expect(parseSplit(Buffer.from(json))).toEqual(split);
    expect(() => parseSplit(Buffer.from('{}'))).toThrow();
  });
});

describe('splitByEvent', () => {
  it('tests on the event alone and trains on nothing that repeats it', () => {
    const list = Array.from({ length: 90 }, (_, i) =>
      i < 6 ? 'the same alarm about the same river again' : `w${i} x${i} y${i} z${i}`,
    );
    const data = dataset(list);
    const split: Split = splitByEvent(data, 'flood', 1);
    expect(pick(data, split.test).every(({ event }) => event === 'flood')).toBe(true);
    expect(split.test).toHaveLength(30);
    const rest = pick(data, [...split.train, ...split.dev]);
    expect(rest).toHaveLength(60 - 4);
    expect(rest.some(({ event, text }) => event === 'flood' || text.includes('alarm'))).toBe(false);
  });

  it('refuses an event that is not there', () => {
    expect(() => splitByEvent(dataset(['a b c']), 'storm', 1)).toThrow(/storm/);
  });
});

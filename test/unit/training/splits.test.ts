/** Splits: every example once, nothing leaks, equal seeds equal splits, readable again. */
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dataset, Example } from '../../../src/training/dataset.ts';
import { groupNearDuplicates, groupSame } from '../../../src/training/groups.ts';
import { readSplit, writeSplit } from '../../../src/training/split-files.ts';
import { encodeSplit, parseSplit, pick, type Split, splitBy } from '../../../src/training/splits.ts';

const EVENTS = ['flood', 'fire', 'quake'];

function dataset(rows: readonly (Partial<Example> & { readonly text: string })[]): Dataset {
  const examples = rows.map(
    (row, i): Example => ({
      id: `p${i}`,
      event: EVENTS[i % EVENTS.length] as string,
      language: 'en',
      post: `p${i}`,
      createdAt: null,
      author: null,
      picture: null,
      media: [],
      claim: null,
      published: {},
      labels: { informative: i % 5 < 3 ? 1 : 0 },
      ...row,
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

const different = (n: number): { text: string }[] =>
  Array.from({ length: n }, (_, i) => ({ text: `w${i} x${i} y${i} z${i}` }));

const words = fc.constantFrom('water', 'road', 'closed', 'help', 'bridge', 'north', 'rain', 'a', 'the');
const part = fc.constantFrom('train', 'dev', 'test');
/** Rows that are tied in every way: few words, posts with several pairs, shared media. */
const rows = fc.array(
  fc.record({
    text: fc.array(words, { maxLength: 10 }).map((w) => w.join(' ')),
    post: fc.nat(60).map(String),
    media: fc.array(fc.nat(60).map(String), { maxLength: 2 }),
    event: fc.constantFrom(...EVENTS),
    published: part.map((official) => ({ official })),
  }),
  { minLength: 30, maxLength: 120 },
);

/** Pairs of examples that share a post, a medium or (nearly) a text, found by looking at all pairs. */
function ties({ examples }: Dataset): [string, string][] {
  const shingles = (text: string): Set<string> => {
    const list = text.split(' ');
    return new Set(list.slice(2).map((_, i) => list.slice(i, i + 3).join(' ')));
  };
  const found: [string, string][] = [];
  for (const a of examples)
    for (const b of examples) {
      if (a.id >= b.id) continue;
      const [x, y] = [shingles(a.text), shingles(b.text)];
      const common = [...x].filter((shingle) => y.has(shingle)).length;
      const sameText =
        a.text !== '' && (a.text === b.text || (common > 0 && common >= (x.size + y.size - common) / 2));
      if (a.post === b.post || a.media.some((key) => b.media.includes(key)) || sameText)
        found.push([a.id, b.id]);
    }
  return found;
}

function sidesOf(split: Split): Map<string, string> {
  return new Map(
    (['train', 'dev', 'test'] as const).flatMap((side) =>
      split[side].map((id): [string, string] => [id, side]),
    ),
  );
}

describe('groupSame', () => {
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

  it('compares languages without spaces by character, and joins no texts without words', () => {
    const groups = groupNearDuplicates(
      [
        '听说自来水今晚全部停掉，大家快去接水',
        '转：听说自来水今晚全部停掉大家快去接水啊',
        '市政府通知：水管维修',
        '🔗',
        '🔗',
      ].map((text) => ({ text })),
    );
    expect([...groups]).toEqual([0, 0, 2, 3, 4]);
  });

  it('still finds a message that is slightly changed each time after thousands of copies', () => {
    const texts = Array.from({ length: 3_000 }, (_, i) => ({
      text: `Pray for the people of the valley tonight all n${i}`,
    }));
    expect(new Set(groupNearDuplicates(texts)).size).toBe(1);
  });

  it('joins pictures that look the same, mirrored too, by chains', () => {
    const of = (key: string): Pick<Example, 'text' | 'post' | 'media' | 'claim'> => ({
      text: '',
      post: key,
      media: [key],
      claim: null,
    });
    const far = 'ffff0000ffff0000';
    const hashes = new Map([
      ['a', { hash: '0123456789abcdef', flipped: far }],
      ['b', { hash: '0123456789abcde0', flipped: far }],
      ['c', { hash: '5555aaaa5555aaaa', flipped: '0123456789abcde0' }],
      ['d', { hash: 'aaaa5555aaaa5555', flipped: '00ff00ff00ff00ff' }],
    ]);
    expect([...groupSame(['a', 'b', 'c', 'd', 'e'].map(of), hashes)]).toEqual([0, 0, 0, 3, 4]);
    expect(new Set(groupSame(['a', 'b', 'c', 'd', 'e'].map(of))).size).toBe(5);
  });
});

describe('no leak, through chains neither (property)', () => {
  it.each(['grouped', 'official-disjoint', 'event:fire', 'event-fold:2/3'])('%s', (protocol) => {
    fc.assert(
      fc.property(rows, fc.nat(1_000), (list, seed) => {
        const data = dataset(list);
        const has = (official: string): boolean =>
          data.examples.some(({ published }) => published['official'] === official);
        fc.pre(data.examples.some(({ event }) => event === 'fire') && has('train') && has('test'));
        fc.pre(new Set(data.examples.map(({ event }) => event)).size === 3);
        const split = splitBy(data, protocol, seed);
        const side = sidesOf(split);
        expect(side.size).toBe(split.train.length + split.dev.length + split.test.length);
        for (const [a, b] of ties(data)) {
          const [x, y] = [side.get(a), side.get(b)];
          if (x && y) expect([a, b, x]).toEqual([a, b, y]);
        }
        // What was left out must not tie test and train together either.
        const groups = groupSame(data.examples);
        const tested = new Set(split.test.map((id) => groups[Number(id.slice(1))]));
        expect(split.train.filter((id) => tested.has(groups[Number(id.slice(1))]))).toEqual([]);
        expect(encodeSplit(splitBy(data, protocol, seed))).toEqual(encodeSplit(split));
      }),
      { numRuns: 25 },
    );
  });
});

describe('grouped', () => {
  const varied = dataset(different(3_000));

  it('uses every example once', () => {
    const split = splitBy(varied, 'grouped', 1);
    const all = [...split.train, ...split.dev, ...split.test];
    expect(all.sort()).toEqual(varied.examples.map(({ id }) => id).sort());
  });

  it('has the shares 80, 10 and 10 in every event and label', () => {
    const split = splitBy(varied, 'grouped', 3);
    for (const event of EVENTS)
      for (const label of [0, 1]) {
        const of = (ids: readonly string[]): number =>
          pick(varied, ids).filter((e) => e.event === event && e.labels.informative === label).length;
        const total = of(split.train) + of(split.dev) + of(split.test);
        expect(of(split.test) / total).toBeCloseTo(0.1, 1);
        expect(of(split.dev) / total).toBeCloseTo(0.1, 1);
      }
  });
});

describe('paper', () => {
  it.each([
    [1_589, 159],
    [4_443, 445],
    [1_382, 139],
    [1_025, 103],
  ])('tests on a tenth of %i pairs, rounded up: %i', (pairs, tested) => {
    const { train, dev, test } = splitBy(dataset(different(pairs)), 'paper', 1);
    expect([train.length, dev.length, test.length]).toEqual([pairs - 2 * tested, tested, tested]);
  });
});

describe('published splits', () => {
  const list = different(40).map((row, i) => ({
    ...row,
    published: { official: i < 30 ? ('train' as const) : ('test' as const) },
  }));

  it('are taken as they are; a tenth of the training part tunes where none is published for it', () => {
    const split = splitBy(dataset(list), 'official', 1);
    expect(split.test).toEqual(list.slice(30).map((_, i) => `p${i + 30}`));
    expect([split.train.length, split.dev.length]).toEqual([27, 3]);
  });

  it('lose what is tied to the test when they are made disjoint', () => {
    const tied = list.map((row, i) => ({
      ...row,
      media: i === 0 || i === 1 ? ['x'] : i === 39 ? ['x'] : [],
    }));
    const split = splitBy(dataset(tied), 'official-disjoint', 1);
    expect([split.train.length + split.dev.length, split.test.length]).toEqual([28, 10]);
    expect([...split.train, ...split.dev]).not.toContain('p0');
  });

  it('are refused where there are none', () => {
    expect(() => splitBy(dataset(list), 'agreed', 1)).toThrow(/agreed/);
  });
});

describe('by event', () => {
  it('tests on the event alone and trains on nothing that repeats it', () => {
    const list = different(90).map((row, i) =>
      i < 6 ? { text: 'the same alarm about the same river again' } : row,
    );
    const data = dataset(list);
    const split = splitBy(data, 'event:flood', 1);
    expect(pick(data, split.test).every(({ event }) => event === 'flood')).toBe(true);
    expect(split.test).toHaveLength(30);
    const rest = pick(data, [...split.train, ...split.dev]);
    expect(rest).toHaveLength(60 - 4);
    expect(rest.some(({ event, text }) => event === 'flood' || text.includes('alarm'))).toBe(false);
  });

  it('gives every event to one fold', () => {
    const data = dataset(different(300));
    const tested = [1, 2, 3].flatMap((fold) => splitBy(data, `event-fold:${fold}/3`, 7).test);
    expect(tested.sort()).toEqual(data.examples.map(({ id }) => id).sort());
  });

  it.each(['event:storm', 'event-fold:4/3', 'event-fold:1/9', 'event-fold:x', 'random', 'event'])(
    'refuses %s',
    (protocol) => {
      expect(() => splitBy(dataset(different(9)), protocol, 1)).toThrow(
        expect.objectContaining({ code: 'BAD_USAGE' }),
      );
    },
  );
});

describe('a split on disk', () => {
  const data = dataset(different(300));

  it('is the same for the same seed, another for another, and readable again', () => {
    const split = splitBy(data, 'grouped', 3);
    const { json, sha256 } = encodeSplit(split);
    expect(encodeSplit(splitBy(data, 'grouped', 3)).sha256).toBe(sha256);
    expect(encodeSplit(splitBy(data, 'grouped', 4)).sha256).not.toBe(sha256);
    expect(parseSplit(Buffer.from(json))).toEqual(split);
    expect(() => parseSplit(Buffer.from('{}'))).toThrow();
  });

  it('carries its hash in its name and is refused when it was changed or renamed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-split-'));
    try {
      const split = splitBy(data, 'event:fire', 3);
      const path = await writeSplit(join(folder, 'splits'), split);
      expect(path).toMatch(/event_fire-s3-[0-9a-f]{12}\.json$/);
      expect(await readSplit(path)).toEqual(split);
      const json = await readFile(path, 'utf8');
      await writeFile(path, json.replace('"p1"', '"p9"'));
      await expect(readSplit(path)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
      await writeFile(path, json);
      const renamed = join(dirname(path), 'split.json');
      await rename(path, renamed);
      await expect(readSplit(renamed)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
      await expect(readSplit(join(folder, 'none.json'))).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

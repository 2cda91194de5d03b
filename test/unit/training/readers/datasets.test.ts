/** Every data set reader on its fixture, and on the real set where TOCSIN_DATASETS names the folder of them. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { crisisLexT6, crisisLexT26 } from '../../../../src/training/readers/crisislex.ts';
import { crisisMmd } from '../../../../src/training/readers/crisismmd.ts';
import { humAid } from '../../../../src/training/readers/humaid.ts';
import { jsonLines } from '../../../../src/training/readers/jsonl.ts';
import { pheme } from '../../../../src/training/readers/pheme.ts';
import { humanitarianPairs, kaggle } from '../../../../src/training/readers/tables.ts';
import { mediaEval, weibo } from '../../../../src/training/readers/verification.ts';
import { datasetContract, read } from './reader-contract.ts';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../fixtures/${name}`, import.meta.url));
const yesNo = (informative: number, not: number): Record<string, number> => ({
  'not informative': not,
  informative,
});

describe('CrisisMMD, TSVs with splits', () => {
  const path = fixture('datasets/crisismmd');
  const left = { column_count: 1, unknown_label: 1, bad_date: 1 };
  const unread = { picture_missing: 5 };
  datasetContract(crisisMmd, path, 'informative', {
    examples: 5,
    classes: yesNo(4, 1),
    left,
    pictureProblems: unread,
  });
  datasetContract(crisisMmd, path, 'damage', {
    examples: 3,
    classes: { little_or_no: 1, mild: 1, severe: 1 },
    left: { ...left, no_label: 2 },
    pictureProblems: { picture_missing: 3 },
  });
  datasetContract(crisisMmd, path, 'humanitarian', {
    examples: 3,
    classes: { affected_people: 0, infrastructure_damage: 1, aid: 1, other_relevant: 1 },
    left: { ...left, no_label: 2 },
    pictureProblems: { picture_missing: 3 },
  });
  datasetContract(crisisMmd, path, 'informative', { examples: 4, classes: yesNo(2, 2), left }, 'text');

  it('calls a pair informative when its text or its picture is, and a text only when it is itself', async () => {
    const pairs = await read(path, 'informative');
    expect(pairs.examples.map(({ id, labels }) => [id.slice(-3), labels.informative])).toEqual([
      ['3_0', 1],
      ['3_1', 1],
      ['4_0', 1],
      ['5_0', 0],
      ['6_0', 1],
    ]);
    expect(pairs.examples[0]).toMatchObject({
      post: '917600575812534273',
      event: 'mill_fire',
      createdAt: Date.parse('2017-10-10T04:00:00Z'),
      text: 'Fire on the mill hill, road closed 🔗',
      language: 'en',
      picture: { key: '917600575812534273_0', file: null },
      published: { official: 'train', agreed: 'train' },
      labels: { informative: 1, damage: 'severe' },
    });
    const texts = await read(path, 'informative', 'text');
    expect(texts.examples.map(({ id, labels }) => [id.slice(-1), labels.informative])).toEqual([
      ['3', 1],
      ['4', 1],
      ['5', 0],
      ['6', 0],
    ]);
    expect(texts.examples.every(({ picture }) => picture === null)).toBe(true);
  });

  it('gives a pair the humanitarian labels of text and picture together', async () => {
    const { examples } = await read(path, 'humanitarian');
    expect(examples.at(-1)?.labels.humanitarian).toEqual(['infrastructure_damage', 'other_relevant']);
  });
});

describe('CrisisMMD, the official folder', () => {
  datasetContract(crisisMmd, fixture('archives/crisismmd'), 'informative', {
    examples: 7,
    classes: yesNo(7, 0),
    pictures: 6,
    pictureProblems: { picture_missing: 1 },
  });
});

describe('CrisisMMD, the separate split files', () => {
  const path = fixture('datasets/crisismmd-splits');
  const missing = { picture_missing: 2 };
  datasetContract(crisisMmd, path, 'informative', {
    examples: 3,
    classes: yesNo(2, 1),
    left: { column_count: 1, no_label: 1 },
    pictures: 1,
    pictureProblems: missing,
  });
  datasetContract(crisisMmd, path, 'humanitarian', {
    examples: 2,
    classes: { affected_people: 0, infrastructure_damage: 1, aid: 1, other_relevant: 0 },
    left: { column_count: 1, no_label: 2 },
    pictures: 1,
    pictureProblems: { picture_missing: 1 },
  });
  datasetContract(crisisMmd, path, 'damage', {
    examples: 1,
    classes: { little_or_no: 0, mild: 0, severe: 1 },
    left: { column_count: 1, no_label: 3 },
    pictureProblems: { picture_missing: 1 },
  });
  datasetContract(
    crisisMmd,
    path,
    'informative',
    { examples: 2, classes: yesNo(1, 1), left: { column_count: 1, no_label: 1 } },
    'text',
  );

  it('is one example a picture, with the labels of all files and the part of the first', async () => {
    const { examples } = await read(path, 'informative');
    expect(
      examples.map(({ id, event, published, labels }) => [id.slice(-3), event, published, labels]),
    ).toEqual([
      ['4_0', 'mill_fire', { official: 'test' }, { informative: 0 }],
      [
        '3_0',
        'mill_fire',
        { official: 'train' },
        { informative: 1, humanitarian: ['infrastructure_damage', 'aid'] },
      ],
      ['3_1', 'mill_fire', { official: 'train', agreed: 'dev' }, { informative: 1, damage: 'severe' }],
    ]);
  });

  it('is known at one of its folders too', async () => {
    const { examples } = await read(join(path, 'crisismmd_datasplit_all'), 'informative');
    expect(examples).toHaveLength(3);
    expect(examples[1]?.picture?.file).toContain('data_image');
  });
});

describe('CrisisLexT26', () => {
  const path = fixture('crisislex_t26.tsv');
  datasetContract(crisisLexT26, path, 'informative', {
    examples: 288,
    classes: yesNo(192, 96),
    left: { not_applicable: 4 },
  });

  datasetContract(crisisLexT26, fixture('archives/crisislex'), 'humanitarian', {
    examples: 33,
    classes: {
      affected_people: 9,
      infrastructure_damage: 1,
      caution_and_advice: 5,
      aid: 2,
      sympathy_and_support: 4,
      other_relevant: 7,
    },
    left: { not_applicable: 3 },
  });

  it('is what a folder with both collections is read as', async () => {
    expect((await read(fixture('archives/crisislex'), 'informative')).name).toBe('CrisisLexT26');
  });
});

describe('CrisisLexT6', () => {
  const path = fixture('archives/crisislex/t6.tsv.gz');
  datasetContract(crisisLexT6, path, 'informative', { examples: 13, classes: yesNo(4, 9) });

  it('says that its labels only stand in', async () => {
    expect((await read(path, 'informative')).weak).toContain('on-topic');
  });
});

describe('HumAID', () => {
  const path = fixture('datasets/humaid');
  const left = { unknown_label: 1, repeated_id: 1 };
  datasetContract(humAid, path, 'informative', { examples: 6, classes: yesNo(5, 1), left });
  datasetContract(humAid, path, 'humanitarian', {
    examples: 6,
    classes: {
      affected_people: 1,
      infrastructure_damage: 0,
      caution_and_advice: 1,
      aid: 2,
      sympathy_and_support: 1,
      other_relevant: 0,
    },
    left,
  });

  it('says that its informativeness only stands in', async () => {
    expect((await read(path, 'informative')).weak).toContain('not_humanitarian');
    expect((await read(path, 'humanitarian')).weak).toBeNull();
  });
});

describe('HumAID as published', () => {
  const path = fixture('datasets/humaid-published');
  datasetContract(humAid, path, 'informative', { examples: 5, classes: yesNo(4, 1), left: { bad_date: 1 } });

  it('takes event and part from the name of the file', async () => {
    const { examples } = await read(path, 'humanitarian');
    expect(examples.map(({ event, published }) => [event, published['official']])).toEqual([
      ['hill_quake_2021', 'train'],
      ['river_flood_2020', 'dev'],
      ['river_flood_2020', 'test'],
      ['river_flood_2020', 'train'],
      ['river_flood_2020', 'train'],
    ]);
  });
});

describe('Kaggle', () => {
  const path = fixture('datasets/kaggle');
  datasetContract(kaggle, path, 'informative', {
    examples: 3,
    classes: yesNo(2, 1),
    left: { repeated_id: 1, column_count: 1, unknown_label: 1 },
  });

  it('reads quoted cells over several lines', async () => {
    const { examples } = await read(path, 'informative');
    expect(examples[1]).toMatchObject({ text: 'He said "my mixtape is fire" and left', createdAt: null });
  });
});

describe('humanitarian pairs', () => {
  datasetContract(humanitarianPairs, fixture('datasets/pairs'), 'humanitarian', {
    examples: 3,
    classes: {
      affected_people: 0,
      infrastructure_damage: 1,
      caution_and_advice: 0,
      aid: 2,
      other_relevant: 0,
    },
    left: { unknown_label: 1 },
    pictureProblems: { picture_missing: 3 },
  });
});

describe('MediaEval', () => {
  const path = fixture('archives/mediaeval');
  datasetContract(mediaEval, path, 'rumour', {
    examples: 4,
    classes: { real: 1, fake: 3 },
    left: { humour: 1 },
    pictures: 4,
  });

  it('keeps who wrote what with which picture', async () => {
    const { examples } = await read(path, 'rumour');
    expect(examples[0]).toMatchObject({
      event: 'harbour_storm',
      author: 'a1b2c3d4e5f6',
      picture: { key: 'storm_fake_01' },
      media: ['storm_fake_01'],
      published: { official: 'train' },
    });
  });
});

describe('Weibo', () => {
  const path = fixture('datasets/weibo');
  datasetContract(weibo, path, 'rumour', {
    examples: 4,
    classes: { real: 2, fake: 2 },
    left: { unknown_label: 1 },
  });

  it('knows pictures that are not at hand by name', async () => {
    const { examples } = await read(path, 'rumour');
    expect(examples.map(({ media, picture }) => [media, picture])).toEqual([
      [['aa', 'bb'], null],
      [['bb'], null],
      [['cc'], null],
      [['dd'], null],
    ]);
  });
});

describe('Weibo as published', () => {
  const path = fixture('datasets/weibo-published');
  datasetContract(weibo, path, 'rumour', {
    examples: 3,
    classes: { real: 1, fake: 2 },
    left: { column_count: 2, bad_date: 1 },
    pictures: 1,
  });

  it('reads three lines a post, an empty text too, and finds the first picture that is at hand', async () => {
    const { examples } = await read(path, 'rumour');
    expect(
      examples.map(({ id, text, media, picture, createdAt, author, published }) => ({
        id,
        text,
        media,
        picture: picture?.key,
        at: new Date(createdAt as number).toISOString(),
        author: author?.length,
        part: published['official'],
      })),
    ).toEqual([
      {
        id: '3380769710000001',
        text: '听说自来水今晚全部停掉,大家快去接水',
        media: ['aa11', 'bb22'],
        picture: 'bb22',
        at: '2011-11-17T09:22:00.000Z',
        author: 12,
        part: 'train',
      },
      {
        id: '3384830800000001',
        text: '',
        media: ['cc33'],
        picture: undefined,
        at: '2011-11-28T14:20:00.000Z',
        author: 12,
        part: 'train',
      },
      {
        id: '3907393550000001',
        text: '市政府通知:水管维修,北区停水两小时',
        media: ['ee55'],
        picture: undefined,
        at: '2015-11-09T14:18:03.000Z',
        author: undefined,
        part: 'test',
      },
    ]);
  });

  it('is known at its tweets too, and finds the pictures beside them', async () => {
    const [whole, tweets] = [await read(path, 'rumour'), await read(join(path, 'tweets'), 'rumour')];
    expect(tweets).toEqual(whole);
  });
});

describe('MediaEval as published', () => {
  const path = fixture('datasets/mediaeval-published');
  datasetContract(mediaEval, path, 'rumour', {
    examples: 3,
    classes: { real: 1, fake: 2 },
    left: { humour: 1, unknown_label: 1, bad_date: 1 },
    pictures: 1,
  });

  it('takes the event from the table of pictures, else from their names, and time from the id', async () => {
    const { examples } = await read(path, 'rumour');
    expect(
      examples.map(({ text, event, media, picture, published }) => [
        text,
        event,
        media,
        picture?.key,
        published['official'],
      ]),
    ).toEqual([
      ['Shark in the mill pond! "really"', 'mill_flood', ['millA_fake_1'], 'millA_fake_1', 'train'],
      ['The mill stands', 'mill', ['millB_real_2', 'millA_real_3'], undefined, 'train'],
      ['Boy on the bridge', 'bridgeboy', ['bridgeboy_1'], undefined, 'test'],
    ]);
    expect(new Date(examples[0]?.createdAt as number).toISOString().slice(0, 10)).toBe('2012-10-29');
    expect(examples[0]?.author).not.toBe(examples[1]?.author);
  });
});

describe('PHEME', () => {
  const path = fixture('datasets/pheme');
  datasetContract(pheme, path, 'rumour', {
    examples: 4,
    classes: { real: 3, fake: 1 },
    left: { unverified: 1, unknown_label: 1, missing_id: 1 },
  });
  datasetContract(pheme, fixture('datasets/pheme-first'), 'rumour', {
    examples: 2,
    classes: { real: 1, fake: 1 },
    left: { bad_json: 1 },
  });

  it('gives the source tweets of the events with their time, author and media', async () => {
    const { examples, weak } = await read(path, 'rumour');
    expect(weak).toContain('no rumour');
    expect(new Set(examples.map(({ event }) => event))).toEqual(new Set(['bridge', 'market']));
    expect(examples.find(({ labels }) => labels.rumour === 1)).toMatchObject({
      id: '552783667052167168',
      author: 'u1',
      media: ['http://pictures.example.invalid/b.jpg'],
      picture: null,
    });
  });
});

describe('JSON lines with labels', () => {
  const path = fixture('datasets/jsonl');
  const left = { unknown_label: 1, bad_json: 1 };
  datasetContract(jsonLines, path, 'informative', {
    examples: 2,
    classes: yesNo(1, 1),
    left: { ...left, no_label: 2 },
    pictures: 1,
  });
  datasetContract(jsonLines, path, 'rumour', {
    examples: 2,
    classes: { real: 1, fake: 1 },
    left: { ...left, no_label: 2 },
    pictures: 1,
  });
});

describe('readDataset', () => {
  it('refuses what no reader knows, what is not there, and a task without labels', async () => {
    await expect(read(fixture('pictures'), 'rumour')).rejects.toMatchObject({ code: 'ARCHIVE_UNREADABLE' });
    await expect(read(fixture('nowhere'), 'rumour')).rejects.toMatchObject({ code: 'ARCHIVE_UNREADABLE' });
    await expect(read(fixture('datasets/kaggle'), 'rumour')).rejects.toMatchObject({
      code: 'BAD_USAGE',
      message: expect.stringContaining('informative'),
    });
  });
});

const datasets = process.env['TOCSIN_DATASETS'];
if (datasets) {
  describe('the real sets', () => {
    describe.each([
      ['california_wildfires', 1_589, 1_486],
      ['hurricane_harvey', 4_434, 3_992],
      ['mexico_earthquake', 1_380, 1_238],
      ['srilanka_floods', 1_022, 830],
    ])('CrisisMMD, %s', (event, pairs, tweets) => {
      it('has the pairs and tweets of its table', async () => {
        const path = join(datasets, `crisismmd/${event}.tsv`);
        const read1 = await read(path, 'informative');
        expect([read1.examples.length, read1.left]).toEqual([pairs, {}]);
        expect((await read(path, 'informative', 'text')).examples).toHaveLength(tweets);
      });
    });
    describe('CrisisMMD, all', () => {
      datasetContract(crisisMmd, join(datasets, 'crisismmd'), 'damage', {
        examples: 1_695,
        classes: { little_or_no: 141, mild: 326, severe: 1_228 },
        left: { no_label: 6_730 },
        pictureProblems: { picture_missing: 1_695 },
      });
    });
    describe('CrisisLexT26', () => {
      datasetContract(crisisLexT26, join(datasets, 'crisislex'), 'informative', {
        examples: 27_443,
        classes: yesNo(16_849, 10_594),
        left: { not_applicable: 489, repeated_id: 1 },
      });
    });
    describe('CrisisLexT6', () => {
      datasetContract(crisisLexT6, join(datasets, 'crisislex/crisislex_t6.tsv.gz'), 'informative', {
        examples: 60_078,
        classes: yesNo(32_458, 27_620),
        left: { repeated_id: 4 },
      });
    });
    describe('HumAID', () => {
      datasetContract(humAid, join(datasets, 'humaid'), 'informative', {
        examples: 46_719,
        classes: yesNo(42_218, 4_501),
      });
    });
    describe('Kaggle', () => {
      datasetContract(kaggle, join(datasets, 'kaggle-disaster-tweets'), 'informative', {
        examples: 7_613,
        classes: yesNo(3_271, 4_342),
      });
    });
    describe('humanitarian pairs', () => {
      datasetContract(humanitarianPairs, join(datasets, 'humanitarian-pairs'), 'informative', {
        examples: 4_383,
        classes: yesNo(3_617, 766),
        pictureProblems: { picture_missing: 4_383 },
      });
    });
    describe('MediaEval', () => {
      datasetContract(mediaEval, join(datasets, 'mediaeval-verification'), 'rumour', {
        examples: 15_629,
        classes: { real: 6_224, fake: 9_405 },
        left: { humour: 2_633 },
        pictures: 13_763,
      });
    });
    describe('Weibo', () => {
      datasetContract(weibo, join(datasets, 'weibo-jin2017'), 'rumour', {
        examples: 9_527,
        classes: { real: 4_779, fake: 4_748 },
        pictures: 183,
      });
    });
  });
}

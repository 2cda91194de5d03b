/** Every reader on its fixture, and on the real set where TOCSIN_DATASETS names the folder of them. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { crisisLex } from '../../../../src/replay/readers/crisislex.ts';
import { crisisMmd } from '../../../../src/replay/readers/crisismmd.ts';
import { jsonLines } from '../../../../src/replay/readers/jsonl.ts';
import { mediaEval } from '../../../../src/replay/readers/mediaeval.ts';
import { openArchive } from '../../../../src/replay/readers/open-archive.ts';
import { deps, itemsOf, readerContract } from './reader-contract.ts';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../fixtures/archives/${name}`, import.meta.url));
const sample = fileURLToPath(new URL('../../../../sample', import.meta.url));
const clean = { unreadable: {}, pictureProblems: {} };

describe('CrisisMMD, the official folder', () => {
  readerContract(crisisMmd, fixture('crisismmd'), {
    posts: 6,
    pictures: 6,
    unreadable: {},
    pictureProblems: { picture_missing: 1 },
  });

  it('makes one post of the rows of a tweet, dated by its id, in the collection that the file names', async () => {
    const items = await itemsOf(await crisisMmd.open(fixture('crisismmd'), deps));
    const two = items.find(({ post }) => post.media.length === 2)?.post;
    expect(two).toMatchObject({
      text: '"Evacuate now" says the sheriff, "take the north road"',
      createdAt: Date.parse('2017-10-10T04:12:30.000Z'),
      collection: 'california_wildfires',
      source: 'crisismmd',
      language: null,
      authorHash: null,
      synthetic: false,
    });
    expect(two?.media.map(({ id }) => id)).toEqual([`${two?.id}_0`, `${two?.id}_1`]);
    expect(new Set(items.map(({ post }) => post.collection)).size).toBe(2);
  });

  it('reads one annotation file with the pictures that lie beside annotations/', async () => {
    const file = join(fixture('crisismmd'), 'annotations/srilanka_floods_final_data.tsv');
    const items = await itemsOf(await openArchive(file, deps));
    expect(items.map(({ pictures }) => pictures.size)).toEqual([1, 1]);
  });
});

describe('CrisisLex', () => {
  readerContract(crisisLex, fixture('crisislex'), { posts: 49, pictures: 0, ...clean });
  readerContract(crisisLex, join(fixture('crisislex'), 't6.tsv.gz'), { posts: 13, pictures: 0, ...clean });
});

describe('MediaEval', () => {
  readerContract(mediaEval, fixture('mediaeval'), { posts: 5, pictures: 5, ...clean });

  it('hashes the user again, because a hash without a key can be guessed', async () => {
    const [first] = await itemsOf(await mediaEval.open(fixture('mediaeval'), deps));
    expect(first?.post.authorHash).toBe('hash(mediaeval,a1b2c3d4e5f6)');
    expect(first?.post.media).toEqual([{ id: 'storm_fake_01', ref: 'archive:images/storm_fake_01.jpg' }]);
  });

  it('gives a post all of its pictures that the archive has, the first one first', async () => {
    const items = await itemsOf(await mediaEval.open(fixture('mediaeval'), deps));
    expect(items.map(({ post }) => post.media.map(({ id }) => id))).toEqual([
      ['storm_fake_01'],
      ['storm_fake_01'],
      ['storm_real_01', 'storm_fake_01'],
      [],
      ['night_fake_01'],
    ]);
  });
});

describe('JSON lines', () => {
  readerContract(jsonLines, fixture('jsonl'), { posts: 4, pictures: 3, ...clean });
  readerContract(jsonLines, fixture('jsonl-gz'), { posts: 1, pictures: 0, ...clean });

  it('takes what a line says and fills in the rest', async () => {
    const items = await itemsOf(await jsonLines.open(fixture('jsonl'), deps));
    const posts = items.map(({ post: { receivedAt: _, ...post } }) => post);
    expect(posts[0]).toEqual({
      kind: 'PostEvent',
      id: 'j-1',
      collection: 'square',
      source: 'jsonl',
      text: 'First drops on the market square',
      createdAt: Date.parse('2024-06-01T10:00:00Z'),
      language: 'en',
      authorHash: 'hash(jsonl,ana)',
      place: null,
      media: [],
      picturesApart: false,
      synthetic: false,
    });
    expect(posts[1]?.media).toEqual([
      { id: 'm1', ref: 'archive:pictures/square.jpg' },
      { id: 'far', ref: 'https://pictures.example.invalid/a.jpg' },
    ]);
    expect(posts[2]).toMatchObject({ id: 'j-3', language: 'de', source: 'feed', collection: 'default' });
    expect(posts[3]).toMatchObject({ id: '4', text: '', synthetic: true });
  });
});

describe('the sample', () => {
  readerContract(jsonLines, sample, { posts: 740, pictures: 277, ...clean });
});

const datasets = process.env['TOCSIN_DATASETS'];
if (datasets) {
  describe('the real sets', () => {
    describe('CrisisMMD, Hurricane Harvey', () => {
      readerContract(crisisMmd, join(datasets, 'crisismmd/hurricane_harvey.tsv'), {
        posts: 3_992,
        pictures: 0,
        unreadable: {},
        pictureProblems: { picture_missing: 4_434 },
      });
    });
    describe('CrisisLexT26', () => {
      readerContract(crisisLex, join(datasets, 'crisislex/crisislex_t26.tsv'), {
        posts: 27_933,
        pictures: 0,
        ...clean,
      });
    });
    describe('MediaEval', () => {
      readerContract(mediaEval, join(datasets, 'mediaeval-verification'), {
        posts: 18_262,
        pictures: 16_545,
        ...clean,
      });
    });
  });
}

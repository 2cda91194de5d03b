/** The sample stream is what it says: written for this project, whole, small, and with all the cases that it should show. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { hammingHex } from '../../../src/base/simhash.ts';
import { decodePicture } from '../../../src/media/decode.ts';
import { ROOT } from '../../support/tocsin.ts';

interface SamplePost {
  readonly id: string;
  readonly text: string;
  readonly createdAt: string;
  readonly author: string;
  readonly lang: string;
  readonly collection: string;
  readonly synthetic: boolean;
  readonly media?: readonly { readonly id: string; readonly path?: string; readonly url?: string }[];
}

const FOLDER = join(ROOT, 'sample');
const posts = readFileSync(join(FOLDER, 'posts.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as SamplePost);
const pictureFiles = readdirSync(join(FOLDER, 'pictures'));

const countBy = (key: (post: SamplePost) => string): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const post of posts) counts.set(key(post), (counts.get(key(post)) ?? 0) + 1);
  return counts;
};

describe('the sample', () => {
  it('is what its script makes of the written posts', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/make-sample.mjs', '--check'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  });

  it('is small', () => {
    const bytes = ['posts.jsonl', ...pictureFiles.map((name) => join('pictures', name))]
      .map((name) => statSync(join(FOLDER, name)).size)
      .reduce((a, b) => a + b);
    expect(bytes).toBeLessThan(3_000_000);
  });

  it('is marked as made up, post by post, and leads to no real address', () => {
    expect(posts.every((post) => post.synthetic)).toBe(true);
    const urls = posts.flatMap((post) => [
      ...(post.text.match(/\bhttps?:\/\/\S+/g) ?? []),
      ...(post.media ?? []).flatMap(({ url }) => (url ? [url] : [])),
    ]);
    expect(urls.length).toBeGreaterThan(0);
    expect(urls.every((url) => new URL(url).hostname.endsWith('.invalid'))).toBe(true);
  });

  it('covers about four hours, with a quiet start and two peaks', () => {
    const start = Date.parse(posts[0]?.createdAt ?? '');
    const perTwentyMinutes = Array.from({ length: 12 }, () => 0);
    for (const { createdAt } of posts) {
      const slot = Math.floor((Date.parse(createdAt) - start) / 1_200_000);
      perTwentyMinutes[slot] = (perTwentyMinutes[slot] ?? 0) + 1;
    }
    const at = (slot: number): number => perTwentyMinutes[slot] ?? 0;
    expect(perTwentyMinutes).toHaveLength(12);
    expect(at(0)).toBeLessThan(40);
    expect(at(4)).toBeGreaterThan(3 * at(0));
    expect(at(8)).toBeGreaterThan(at(6));
    expect(at(8)).toBeGreaterThan(2 * at(10));
    expect(at(11)).toBeLessThan(at(4) / 3);
  });

  it('speaks many languages and has background noise beside the flood', () => {
    expect(countBy((post) => post.lang).size).toBeGreaterThanOrEqual(12);
    expect([...countBy((post) => post.collection).keys()].sort()).toEqual(['everyday', 'valdora-flood']);
    expect(countBy((post) => post.author).size).toBeGreaterThan(100);
  });

  it('holds ids that come twice, retweets and copied texts', () => {
    expect([...countBy((post) => post.id).values()].filter((n) => n > 1).length).toBeGreaterThanOrEqual(10);
    expect(posts.filter(({ text }) => text.startsWith('RT @')).length).toBeGreaterThan(100);
    expect([...countBy((post) => post.text).values()].filter((n) => n > 2).length).toBeGreaterThanOrEqual(5);
    expect(new Set(posts.map(({ text }) => text.replace(/^RT @\w+: /, ''))).size).toBeGreaterThan(350);
  });

  it('names only pictures that are there, in about a third of the posts, and uses every one', () => {
    const named = new Set(
      posts.flatMap((post) => (post.media ?? []).flatMap(({ path }) => (path ? [path] : []))),
    );
    expect([...named].filter((path) => !existsSync(join(FOLDER, path)))).toEqual([]);
    expect(pictureFiles.filter((name) => !named.has(`pictures/${name}`))).toEqual([]);
    const share = posts.filter((post) => post.media !== undefined).length / posts.length;
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.45);
  });
});

describe('the pictures of the sample', () => {
  const hashes = new Map<string, { readonly plain: string; readonly flipped: string }>();
  const refused: string[] = [];

  beforeAll(async () => {
    for (const name of pictureFiles) {
      const decoded = await decodePicture(readFileSync(join(FOLDER, 'pictures', name)));
      if ('refused' in decoded) refused.push(name);
      else if (decoded.perceptualHash && decoded.perceptualHashFlipped)
        hashes.set(name, { plain: decoded.perceptualHash, flipped: decoded.perceptualHashFlipped });
    }
  });

  it('can all be decoded but the two that are there to be refused', () => {
    expect(refused.sort()).toEqual(['page.jpg', 'truncated.jpg']);
    expect(hashes.size).toBe(pictureFiles.length - 2);
  });

  it('are told apart, except for the one that goes round mirrored and saved again', () => {
    const near: string[] = [];
    const list = [...hashes];
    for (const [i, [name, a]] of list.entries())
      for (const [other, b] of list.slice(i + 1))
        if (Math.min(hammingHex(a.plain, b.plain), hammingHex(a.plain, b.flipped)) <= 4)
          near.push(`${name} ${other}`);
    expect(near).toEqual([
      'crocodile-mirrored.jpg crocodile-resaved.jpg',
      'crocodile-mirrored.jpg crocodile.jpg',
      'crocodile-resaved.jpg crocodile.jpg',
    ]);
  });
});

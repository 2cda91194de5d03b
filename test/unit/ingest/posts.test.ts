/** What the door for posts lets in, and what it says to the others. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCodec } from '../../../src/bus/codec.ts';
import {
  acceptPosts,
  MAX_PICTURES,
  MAX_POSTS,
  MAX_TEXT_BYTES,
  type PostDoor,
  REJECTION_CODES,
} from '../../../src/ingest/posts.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const kept: Uint8Array[] = [];
const door: PostDoor = {
  now: () => NOW,
  authorKey: new Uint8Array(32).fill(7),
  keepPicture: async (bytes) => {
    kept.push(bytes);
    return 'ab'.repeat(32);
  },
};
const POST = { id: 'p1', text: 'The bridge at Elm Street is closed.', createdAt: '2026-03-01T11:59:00Z' };
const accept = (value: unknown) => acceptPosts(JSON.stringify(value), door);
const codeOf = async (value: unknown): Promise<string | undefined> => (await accept(value)).rejected[0]?.code;

describe('shapes of a body', () => {
  it('takes one object, an array and NDJSON alike', async () => {
    const one = await accept(POST);
    const two = await accept([POST, { ...POST, id: 'p2' }]);
    const lines = await acceptPosts(
      `${JSON.stringify(POST)}\r\n\n${JSON.stringify({ ...POST, id: 'p2' })}\n`,
      door,
    );
    expect(one.accepted.map((p) => p.id)).toEqual(['p1']);
    expect(two.accepted.map((p) => p.id)).toEqual(['p1', 'p2']);
    expect(lines).toEqual(two);
  });

  it('names the line that is not JSON and takes the others', async () => {
    const { accepted, rejected } = await acceptPosts(
      `${JSON.stringify(POST)}\n{"id": broken\n${JSON.stringify({ ...POST, id: 'p3' })}`,
      door,
    );
    expect(accepted.map((p) => p.id)).toEqual(['p1', 'p3']);
    expect(rejected).toMatchObject([{ index: 1, code: 'bad_json' }]);
  });

  it.each([
    ['', 'empty'],
    ['[]', 'empty'],
    ['[{"id": 1,\n"text": 2,\n', 'not JSON'],
    [new Uint8Array([0x22, 0xff, 0x22]), 'UTF-8'],
  ])('answers %j with one complaint', async (body, word) => {
    const { accepted, rejected } = await acceptPosts(body, door);
    expect(accepted).toEqual([]);
    expect(rejected).toMatchObject([{ index: 0, code: 'bad_json', message: expect.stringContaining(word) }]);
  });

  it('reads at most ten thousand posts and says so', async () => {
    const { accepted, rejected } = await accept(
      Array.from({ length: MAX_POSTS + 3 }, (_, i) => ({ ...POST, id: `p${i}` })),
    );
    expect(accepted).toHaveLength(MAX_POSTS);
    expect(rejected).toMatchObject([
      { index: MAX_POSTS, code: 'too_many_posts', message: expect.stringContaining('3 posts') },
    ]);
  });
});

describe('an accepted post', () => {
  it('carries everything, with the author only as a hash', async () => {
    const { accepted } = await accept({ ...POST, author: 'ana', lang: 'pt-BR', collection: 'flood-2026' });
    expect(accepted[0]).toMatchObject({
      kind: 'PostEvent',
      collection: 'flood-2026',
      source: 'http',
      language: 'pt',
      createdAt: NOW - 60_000,
      receivedAt: NOW,
      synthetic: false,
    });
    expect(accepted[0]?.authorHash).toMatch(/^[0-9a-f]{32}$/);
    expect(JSON.stringify(accepted)).not.toContain('ana"');
    expect((await accept({ ...POST, author: 'ana' })).accepted[0]?.authorHash).toBe(accepted[0]?.authorHash);
  });

  it.each([
    ['2020-01-01T00:00:00Z', NOW - 30 * 86_400_000],
    ['2026-03-01T13:59:00+01:00', NOW + 5 * 60_000],
    [NOW - 5, NOW - 5],
    [NOW + 86_400_000, NOW + 5 * 60_000],
  ])('has its time %j clamped', async (createdAt, expected) => {
    expect((await accept({ ...POST, createdAt })).accepted[0]?.createdAt).toBe(expected);
  });

  it('may be empty or a whole megabyte', async () => {
    const { accepted } = await accept([
      { ...POST, text: '' },
      { ...POST, text: 'x'.repeat(MAX_TEXT_BYTES) },
    ]);
    expect(accepted.map((p) => p.text.length)).toEqual([0, MAX_TEXT_BYTES]);
  });

  it('keeps inline pictures aside and refers to them, and keeps addresses as they are', async () => {
    kept.length = 0;
    const { accepted } = await accept({
      ...POST,
      media: [
        { data: Buffer.from('picture').toString('base64'), contentType: 'image/png' },
        { id: 'b', url: 'https://a.example/x.jpg' },
      ],
    });
    expect(accepted[0]?.media).toEqual([
      { id: 'm0', ref: `store:${'ab'.repeat(32)}` },
      { id: 'b', ref: 'https://a.example/x.jpg' },
    ]);
    expect(Buffer.from(kept[0] as Uint8Array).toString()).toBe('picture');
  });

  it('keeps no picture of a post that is turned away', async () => {
    kept.length = 0;
    await accept({ ...POST, media: [{ data: 'AAAA' }, { data: 'not base64!' }] });
    expect(kept).toEqual([]);
  });
});

describe('a rejected post', () => {
  const picture = { url: 'https://a.example/x.jpg' };
  it.each([
    ['not_an_object', 5],
    ['not_an_object', null],
    ['missing_id', { text: 'a', createdAt: NOW }],
    ['bad_id', { ...POST, id: 12 }],
    ['bad_id', { ...POST, id: '' }],
    ['bad_id', { ...POST, id: 'a\nb' }],
    ['bad_id', { ...POST, id: 'x'.repeat(257) }],
    ['missing_text', { id: 'a', createdAt: NOW }],
    ['bad_text', { ...POST, text: ['a'] }],
    ['text_too_large', { ...POST, text: '\u00e9'.repeat(MAX_TEXT_BYTES / 2 + 1) }],
    ['missing_time', { id: 'a', text: 'a' }],
    ['bad_time', { ...POST, createdAt: 'yesterday' }],
    ['bad_time', { ...POST, createdAt: '2026-03-01T12:00:00' }],
    ['bad_time', { ...POST, createdAt: 1_700_000_000 }],
    ['bad_time', { ...POST, createdAt: {} }],
    ['bad_author', { ...POST, author: 5 }],
    ['bad_lang', { ...POST, lang: 'english!' }],
    ['bad_collection', { ...POST, collection: '../etc' }],
    ['bad_media', { ...POST, media: 'x' }],
    ['bad_media', { ...POST, media: ['x'] }],
    ['bad_media', { ...POST, media: [{}] }],
    ['bad_media', { ...POST, media: [{ ...picture, data: 'AAAA' }] }],
    ['bad_media', { ...POST, media: [{ url: 'file:///etc/passwd' }] }],
    ['bad_media', { ...POST, media: [{ url: 'store:abc' }] }],
    ['bad_media', { ...POST, media: [{ url: 'http://user:pass@a.example/' }] }],
    ['bad_media', { ...POST, media: [{ data: '%%%%' }] }],
    [
      'bad_media',
      {
        ...POST,
        media: [
          { ...picture, id: 'a' },
          { ...picture, id: 'a' },
        ],
      },
    ],
    ['bad_media', { ...POST, media: [{ ...picture, id: 5 }] }],
    ['too_many_media', { ...POST, media: Array.from({ length: MAX_PICTURES + 1 }, () => picture) }],
    ['media_too_large', { ...POST, media: [{ data: 'A'.repeat(10_700_000) }] }],
  ])('gets %s for %.80j', async (code, value) => {
    const { accepted, rejected } = await accept(value);
    expect(accepted).toEqual([]);
    expect(rejected.map((r) => r.code)).toEqual([code]);
    expect(rejected[0]?.message.length).toBeGreaterThan(10);
  });

  it('is named by its place among the others', async () => {
    const { accepted, rejected } = await accept([POST, { ...POST, id: 7 }, { ...POST, id: 'p3' }]);
    expect(accepted.map((p) => p.id)).toEqual(['p1', 'p3']);
    expect(rejected).toMatchObject([{ index: 1, code: 'bad_id' }]);
  });

  it('says how to mend seconds', async () => {
    expect(await codeOf({ ...POST, createdAt: 1_700_000_000 })).toBe('bad_time');
    expect((await accept({ ...POST, createdAt: 1_700_000_000 })).rejected[0]?.message).toContain(
      'milliseconds',
    );
  });
});

describe('whatever is sent', () => {
  it('ends as accepted or rejected, never as an exception, and what is accepted can be encoded', async () => {
    const codec = createCodec();
    const field = fc.oneof(fc.anything(), fc.string({ unit: 'binary' }), fc.constant('https://a.example/'));
    const value = fc.record(
      {
        id: fc.oneof({ weight: 4, arbitrary: fc.constant('p') }, field),
        text: fc.oneof({ weight: 4, arbitrary: fc.string({ unit: 'binary' }) }, field),
        createdAt: fc.oneof({ weight: 4, arbitrary: fc.constant(NOW) }, field),
        author: fc.option(field),
        lang: fc.option(field),
        media: fc.option(fc.array(fc.record({ id: field, url: field }, { requiredKeys: [] }))),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 4 }), async (posts) => {
        let body: string;
        try {
          body = JSON.stringify(posts);
        } catch {
          return;
        }
        const { accepted, rejected } = await acceptPosts(body, door);
        expect(accepted.length + rejected.length).toBe(posts.length);
        for (const event of accepted) expect(codec.decode(codec.encode(event))).toEqual(event);
        for (const { code } of rejected) expect(REJECTION_CODES).toContain(code);
      }),
    );
  });
});

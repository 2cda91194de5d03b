import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  boundContext,
  MAX_CONTEXT_BYTES,
  mediaSetHash,
  signContext,
  verifyContext,
} from '../../../src/pipeline/media-context.ts';

const key = Buffer.alloc(32, 1);
const context = {
  labelId: 'p1',
  revision: 2,
  text: 'water',
  language: 'en',
  collection: 'flood',
  source: 'test',
  createdAt: 1,
  authorHash: null,
  flags: ['retweet'],
  synthetic: false,
};
const media = [{ id: 'm1', ref: 'https://example.org/a.jpg' }];
const parts = { postId: 'p1', mediaSetHash: 'a'.repeat(32), media, context };

describe('a media context', () => {
  it('is accepted as it was signed, whatever the order of its fields', () => {
    const mac = signContext(key, 'lab', parts);
    expect(verifyContext(key, 'lab', { ...parts, mac })).toBe(true);
    const turned = Object.fromEntries(Object.entries(context).reverse()) as typeof context;
    expect(verifyContext(key, 'lab', { ...parts, context: turned, mac })).toBe(true);
  });

  it.each([
    ['another environment', 'prod', parts],
    ['another post', 'lab', { ...parts, postId: 'p2' }],
    ['another request', 'lab', { ...parts, mediaSetHash: 'b'.repeat(32) }],
    ['another picture', 'lab', { ...parts, media: [{ id: 'm1', ref: 'https://example.org/b.jpg' }] }],
    ['one picture more', 'lab', { ...parts, media: [...media, { id: 'm2', ref: 'x' }] }],
    ...Object.entries({ labelId: 'p2', revision: 3, text: 'fire', language: 'es', collection: 'x' }).map(
      ([field, value]) =>
        [`another ${field}`, 'lab', { ...parts, context: { ...context, [field]: value } }] as const,
    ),
    ['other flags', 'lab', { ...parts, context: { ...context, flags: [] } }],
    ['another author', 'lab', { ...parts, context: { ...context, authorHash: 'null' } }],
  ] as const)('is refused with %s', (_name, environment, changed) => {
    expect(verifyContext(key, environment, { ...changed, mac: signContext(key, 'lab', parts) })).toBe(false);
  });

  it('is refused with another key and with a mac that is none', () => {
    expect(verifyContext(Buffer.alloc(32, 2), 'lab', { ...parts, mac: signContext(key, 'lab', parts) })).toBe(
      false,
    );
    expect(verifyContext(key, 'lab', { ...parts, mac: '' })).toBe(false);
  });

  it('takes at most 4 KB, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 6_000 }), (text) => {
        const bound = boundContext({ ...context, text });
        expect(Buffer.byteLength(JSON.stringify(bound))).toBeLessThanOrEqual(MAX_CONTEXT_BYTES);
        expect(text.startsWith(bound.text)).toBe(true);
        expect(boundContext(bound)).toBe(bound);
      }),
      { numRuns: 200 },
    );
    const long = boundContext({ ...context, text: '水'.repeat(4_000) });
    expect(long.flags).toEqual(['retweet', 'context_cut']);
    expect(long.text.length).toBeGreaterThan(1_200);
    expect(boundContext(context)).toBe(context);
  });

  it('names a request by who asks and for what', () => {
    const hash = mediaSetHash('p1', media);
    expect(hash).toMatch(/^[0-9a-f]{32}$/);
    expect(mediaSetHash('p1', [...media])).toBe(hash);
    expect(mediaSetHash('p2', media)).not.toBe(hash);
    expect(mediaSetHash('p1', [{ id: 'm1', ref: 'other' }])).not.toBe(hash);
  });
});

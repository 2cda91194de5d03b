import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import type { Decoded } from '../../../src/media/decode.ts';
import type { Decoder } from '../../../src/media/decoder.ts';
import { createPictures, type Pictures } from '../../../src/media/pictures.ts';
import { type RefusalCode, refuse } from '../../../src/media/refusal.ts';
import { type MediaArea, type MediaStore, openMediaStore } from '../../../src/media/store.ts';
import { createMetrics, type Metrics } from '../../../src/metrics/metrics.ts';

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** Hands out what it is told to, and counts. */
function scriptedDecoder(quarantine: () => MediaArea): Decoder & {
  readonly fetched: string[];
  readonly decoded: string[];
  readonly web: Map<string, string | RefusalCode>;
} {
  const fetched: string[] = [];
  const decoded: string[] = [];
  const web = new Map<string, string>();
  return {
    fetched,
    decoded,
    web,
    async fetch(url, use) {
      fetched.push(url);
      const found = web.get(url);
      return found?.startsWith('body ') ? use(text(found)) : refuse((found ?? 'http_status') as RefusalCode);
    },
    async decode(picture) {
      const bytes = 'bytes' in picture ? picture.bytes : await quarantine().get(picture.stored);
      if (!bytes) return refuse('not_in_store');
      const words = Buffer.from(bytes).toString();
      decoded.push(words);
      if (words.includes('broken')) return refuse('broken_picture');
      return {
        pixels64: new Uint8Array(12_288).fill(words.length),
        perceptualHash: '0123456789abcdef',
        perceptualHashFlipped: 'fedcba9876543210',
        thumbhash: text('thumb'),
        preview: text(`preview of ${words}`),
      } satisfies Decoded;
    },
    pids: () => ({ fetch: null, decode: null }),
    close: async () => {},
  };
}

describe('pictures', () => {
  let dir: string;
  let store: MediaStore;
  let decoder: ReturnType<typeof scriptedDecoder>;
  let metrics: Metrics;
  let pictures: Pictures;
  let now = 0;
  const clock: Clock = { ...systemClock, monotonic: () => now };
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'tocsin-pictures-'));
    store = openMediaStore(dir);
    decoder = scriptedDecoder(() => store.quarantine);
    metrics = createMetrics({ bare: true });
    now = 1_000_000;
    pictures = createPictures({ previews: store.previews, decoder, clock, metrics });
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('settles a stored picture and keeps its preview', async () => {
    const key = await store.quarantine.put(text('body 1'));
    const picture = await pictures.settle(`store:${key}`);
    expect(picture).toMatchObject({ outcome: 'ready', reason: null, perceptualHash: '0123456789abcdef' });
    const preview = await store.previews.get(picture.storeKey as string);
    expect(Buffer.from(preview as Uint8Array).toString()).toBe('preview of body 1');
  });

  it('decodes once what is asked for often, by content or by address, at once or later', async () => {
    const key = await store.quarantine.put(text('body 1'));
    decoder.web.set('http://a.example/1', 'body 1').set('http://b.example/1', 'body 1');
    const refs = [
      `store:${key}`,
      `store:${key}`,
      'http://a.example/1',
      'http://a.example/1#x',
      'http://b.example/1',
    ];
    const first = await Promise.all(refs.map((ref) => pictures.settle(ref)));
    const second = await Promise.all(refs.map((ref) => pictures.settle(ref)));
    for (const picture of [...first, ...second]) expect(picture).toEqual(first[0]);
    expect(decoder.decoded).toEqual(['body 1']);
    expect(decoder.fetched.sort()).toEqual(['http://a.example/1', 'http://b.example/1']);
  });

  it('asks an address again when its time is over, a failing one sooner', async () => {
    decoder.web.set('http://a.example/1', 'body 1').set('http://a.example/gone', 'fetch_timeout');
    const ask = async (): Promise<number> => {
      await pictures.settle('http://a.example/1');
      await pictures.settle('http://a.example/gone');
      return decoder.fetched.length;
    };
    expect(await ask()).toBe(2);
    now += 20_000;
    expect(await ask()).toBe(2);
    now += 20_000;
    expect(await ask()).toBe(3);
    now += 1_800_000;
    decoder.web.set('http://a.example/1', 'body 2').set('http://a.example/gone', 'body 3');
    expect(await ask()).toBe(5);
    expect(await pictures.settle('http://a.example/gone')).toMatchObject({ outcome: 'ready' });
  });

  it('remembers a broken picture by content', async () => {
    decoder.web.set('http://a.example/1', 'body broken').set('http://b.example/1', 'body broken');
    for (const ref of ['http://a.example/1', 'http://b.example/1', 'http://a.example/1'])
      expect(await pictures.settle(ref)).toMatchObject({ outcome: 'refused', reason: 'broken_picture' });
    expect(decoder.decoded).toHaveLength(1);
  });

  it('finds a stored picture that was missing at first', async () => {
    const ref = 'store:f4c1e1d18fa4f8c2e4f2e3a60e9a4a3a1a8a3d9a1f1d4bb0d9f1c1a1b2c3d4e5';
    expect(await pictures.settle(ref)).toMatchObject({ reason: 'not_in_store' });
    const key = await store.quarantine.put(text('body late'));
    expect(await pictures.settle(`store:${key}`)).toMatchObject({ outcome: 'ready' });
  });

  it.each([
    '',
    'store:',
    'store:../../etc/passwd',
    `store:${'A'.repeat(64)}`,
    'archive:pictures/1.jpg',
    'file:///etc/passwd',
    'ftp://a.example/1',
    'data:image/png;base64,AAAA',
    'http://',
    'http//a.example',
    '/etc/passwd',
    'javascript:alert(1)',
  ])('refuses the reference %j without asking anybody', async (ref) => {
    expect(await pictures.settle(ref)).toMatchObject({ outcome: 'refused', reason: 'unsupported_ref' });
    expect(decoder.fetched).toEqual([]);
  });

  it('counts every settled picture once, by how it was had or why not', async () => {
    const key = await store.quarantine.put(text('body 1'));
    decoder.web.set('http://a.example/1', 'body 2').set('http://a.example/2', 'body broken');
    const refs = [
      `store:${key}`,
      `store:${key}`,
      'http://a.example/1',
      'http://a.example/1',
      'http://a.example/2',
      'http://a.example/none',
      'nonsense',
    ];
    for (const ref of refs) await pictures.settle(ref);
    const { body } = await metrics.expose();
    const counts = Object.fromEntries(
      [...body.matchAll(/fetch_total\{result="(\w+)"\} (\d+)/g)].map((match) => [match[1], Number(match[2])]),
    );
    expect(counts).toEqual({
      store: 1,
      content_cache: 1,
      fetched: 1,
      address_cache: 1,
      broken_picture: 1,
      http_status: 1,
      unsupported_ref: 1,
    });
  });

  it('hands a fault of the surroundings on, and tries again at the next call', async () => {
    const key = await store.quarantine.put(text('body 1'));
    const { decode } = decoder;
    decoder.decode = () => Promise.reject(new Error('no child'));
    await expect(pictures.settle(`store:${key}`)).rejects.toThrow('no child');
    decoder.decode = decode;
    expect(await pictures.settle(`store:${key}`)).toMatchObject({ outcome: 'ready' });
  });
});

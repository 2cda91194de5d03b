import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { type RunnableModule, runnableModule } from '../../../src/base/module-url.ts';
import { createDecoder, type DecoderLimits } from '../../../src/media/decoder.ts';
import { createPictures, type Pictures } from '../../../src/media/pictures.ts';
import { explainRefusal, REFUSAL_CODES, REFUSALS, type RefusalCode } from '../../../src/media/refusal.ts';
import { type MediaStore, openMediaStore } from '../../../src/media/store.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import {
  cutShort,
  drip,
  type PictureServer,
  redirect,
  send,
  startPictureServer,
} from '../../support/picture-server.ts';
import { fixturePicture } from '../../support/pictures.ts';

describe('explainRefusal', () => {
  it('has a sentence for every code and for codes to come', () => {
    for (const sentence of [...Object.values(REFUSALS), explainRefusal('code_of_the_future')])
      expect(sentence).toMatch(/^[A-Z].*\.$/);
    expect(new Set(Object.values(REFUSALS)).size).toBe(REFUSAL_CODES.length);
  });
});

/** Codes that are about a request, not about a picture; reached in worker.test.ts. */
const OF_REQUESTS: readonly RefusalCode[] = ['too_many_pictures', 'bad_request'];

describe('refusals of real inputs', () => {
  const scene = fixturePicture('scene.jpg');
  const open: Pictures[] = [];
  const reached = new Set<string>();
  let dir: string;
  let store: MediaStore;
  let server: PictureServer;
  let unreachable: string;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'tocsin-refusals-'));
    store = openMediaStore(dir);
    server = await startPictureServer({
      '/page.jpg': send(fixturePicture('page.jpg')),
      '/empty.jpg': send(fixturePicture('empty.jpg')),
      '/9mb.jpg': send(new Uint8Array(9_000_000)),
      '/cut.jpg': cutShort(scene),
      '/drip.jpg': drip,
      '/slow.jpg': drip,
      '/loop': redirect('/loop'),
      '/scene.jpg': send(scene),
    });
    const gone = await startPictureServer({});
    await gone.close();
    unreachable = gone.origin;
  });
  afterAll(async () => {
    for (const pictures of open) await pictures.close();
    await server.close();
    rmSync(dir, { recursive: true, force: true });
    // Whatever the order of the tests was: no code is left that nothing leads to.
    expect([...reached, ...OF_REQUESTS].sort()).toEqual([...REFUSAL_CODES].sort());
  });

  function pictures(
    settings: { readonly fetchHosts?: readonly string[]; readonly fetchPrivate?: boolean } = {},
    limits: Partial<DecoderLimits> = {},
    module?: RunnableModule,
  ): Pictures {
    const metrics = createMetrics({ bare: true });
    const decoder = createDecoder({
      settings: { fetchHosts: ['*'], fetchPrivate: false, dataDir: dir, ...settings },
      limits,
      clock: systemClock,
      log: silentLog,
      metrics,
      ...(module ? { module } : {}),
    });
    const made = createPictures({ previews: store.previews, decoder, clock: systemClock, metrics });
    open.push(made);
    return made;
  }

  async function expectRefused(from: Pictures, ref: string, code: RefusalCode): Promise<void> {
    expect(await from.settle(ref), ref).toMatchObject({
      outcome: 'refused',
      reason: code,
      pixels64: null,
      storeKey: null,
    });
    reached.add(code);
  }

  it('comes from addresses as they stand', async () => {
    const from = pictures();
    await expectRefused(from, 'gopher://host.example/1', 'unsupported_ref');
    await expectRefused(from, 'http://user:secret@host.example/', 'url_userinfo');
    await expectRefused(from, 'http://host.example:9092/', 'url_port');
    await expectRefused(from, 'http://169.254.169.254/latest/meta-data/', 'private_address');
    await expectRefused(from, 'http://[::ffff:7f00:1]/', 'private_address');
    await expectRefused(from, 'http://picture.invalid/', 'host_unknown');
    await expectRefused(
      pictures({ fetchHosts: ['host.example'] }),
      'http://example.org/',
      'host_not_allowed',
    );
  });

  it('comes from hosts', async () => {
    const from = pictures({ fetchPrivate: true });
    const at = (path: string): string => `${server.origin}${path}`;
    expect(await from.settle(at('/scene.jpg'))).toMatchObject({ outcome: 'ready' });
    await expectRefused(from, at('/nowhere.jpg'), 'http_status');
    await expectRefused(from, at('/loop'), 'too_many_redirects');
    await expectRefused(from, at('/cut.jpg'), 'fetch_broken');
    await expectRefused(from, at('/9mb.jpg'), 'too_large');
    await expectRefused(from, at('/page.jpg'), 'not_a_picture');
    await expectRefused(from, at('/empty.jpg'), 'empty');
    for (let i = 0; i < 5; i += 1) await expectRefused(from, `${unreachable}/${i}`, 'host_unreachable');
    await expectRefused(from, `${unreachable}/more`, 'host_paused');
  });

  it('comes from slow hosts, also for the picture that waits behind', async () => {
    const from = pictures({ fetchPrivate: true }, { fetchMs: 400, fetches: 1 });
    await Promise.all([
      expectRefused(from, `${server.origin}/drip.jpg`, 'fetch_timeout'),
      expectRefused(from, `${server.origin}/slow.jpg`, 'host_busy'),
    ]);
  });

  it('comes from the bytes', async () => {
    const from = pictures();
    const stored = async (name: string): Promise<string> =>
      `store:${await store.quarantine.put(fixturePicture(name))}`;
    await expectRefused(from, `store:${'0'.repeat(64)}`, 'not_in_store');
    await expectRefused(from, await stored('drawing.svg'), 'unsupported_format');
    await expectRefused(from, await stored('animated.gif'), 'unsupported_format');
    await expectRefused(from, await stored('bomb-256-megapixels.png'), 'too_many_pixels');
    await expectRefused(from, await stored('truncated.jpg'), 'broken_picture');
    await expectRefused(from, await stored('header-says-more-rows.png'), 'broken_picture');
  });

  it('comes from a picture that kills or hangs the decoder', async () => {
    const from = pictures(
      {},
      { decodeMs: 1_500 },
      runnableModule(import.meta.url, '../../support/fragile-child'),
    );
    for (const [word, code] of [
      ['KILL', 'decoder_crashed'],
      ['HANG', 'decoder_timeout'],
    ] as const)
      await expectRefused(from, `store:${await store.quarantine.put(new TextEncoder().encode(word))}`, code);
    expect(await from.settle(`store:${await store.quarantine.put(scene)}`)).toMatchObject({
      outcome: 'ready',
    });
  });
});

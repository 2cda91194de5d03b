import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive } from '../../../src/base/alive.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { runnableModule } from '../../../src/base/module-url.ts';
import { createDecoder, type Decoder, type DecoderLimits } from '../../../src/media/decoder.ts';
import { type MediaArea, openMediaStore, storeKey } from '../../../src/media/store.ts';
import { createMetrics, type Metrics } from '../../../src/metrics/metrics.ts';
import { fixturePicture } from '../../support/pictures.ts';
import { until } from '../../support/until.ts';

const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const identity = async (bytes: Uint8Array): Promise<Uint8Array> => bytes;
const scene = fixturePicture('scene.jpg');

describe('decoder', () => {
  let metrics: Metrics;
  let decoder: Decoder;
  beforeEach(() => {
    metrics = createMetrics({ bare: true });
  });
  afterEach(() => decoder.close());

  const open = (limits: Partial<DecoderLimits> = {}, fragile = true): Decoder => {
    decoder = createDecoder({
      settings: { fetchHosts: ['*'], fetchPrivate: false, dataDir: null },
      limits,
      clock: systemClock,
      log: silentLog,
      metrics,
      ...(fragile ? { module: runnableModule(import.meta.url, '../../support/fragile-child') } : {}),
    });
    return decoder;
  };
  /** Those that happened; the others are there as 0. */
  const restarts = async (): Promise<Record<string, number>> =>
    Object.fromEntries(
      [...(await metrics.expose()).body.matchAll(/restarts_total\{reason="(\w+)"\} ([1-9]\d*)/g)].map(
        (match) => [match[1], Number(match[2])],
      ),
    );
  const outcome = async (bytes: Uint8Array): Promise<string> => {
    const answer = await decoder.decode({ bytes });
    return 'refused' in answer ? answer.refused : 'ready';
  };

  it('starts no process before it is asked, and then one for its work', async () => {
    open({}, false);
    expect(decoder.pids()).toEqual({ fetch: null, decode: null });
    const [first, second] = await Promise.all([
      decoder.decode({ bytes: scene }),
      decoder.decode({ bytes: scene }),
    ]);
    expect(first).toHaveProperty('pixels64');
    expect(second).toEqual(first);
    expect(decoder.pids().decode).toBeTypeOf('number');
    expect(decoder.pids().fetch).toBeNull();
    expect(await decoder.fetch('http://127.0.0.1/', identity)).toMatchObject({ refused: 'private_address' });
    expect(await restarts()).toEqual({});
  });

  it('gives its child nothing of its own environment', async () => {
    process.env['TOCSIN_TEST_SECRET'] = 'secret';
    try {
      open();
      const answer = await decoder.decode({ bytes: text('ENVS') });
      const names = 'refused' in answer ? answer.detail.split(',') : [];
      // libvips sets VIPSHOME itself; Node names its channel.
      expect(names.filter((name) => name !== 'VIPSHOME' && !name.startsWith('NODE_CHANNEL'))).toEqual([
        'MALLOC_ARENA_MAX',
        'UV_THREADPOOL_SIZE',
      ]);
    } finally {
      delete process.env['TOCSIN_TEST_SECRET'];
    }
  });

  it('tells each child only what its work needs', async () => {
    decoder = createDecoder({
      settings: { fetchHosts: ['host.example'], fetchPrivate: false, dataDir: '/data' },
      clock: systemClock,
      log: silentLog,
      metrics,
      module: runnableModule(import.meta.url, '../../support/fragile-child'),
    });
    const answer = await decoder.decode({ bytes: text('ARGS') });
    expect('refused' in answer && JSON.parse(answer.detail)).toMatchObject({
      fetchHosts: [],
      dataDir: '/data',
    });
    const told = await decoder.fetch('http://host.example/args', identity);
    expect(JSON.parse(Buffer.from(told as Uint8Array).toString())).toMatchObject({
      fetchHosts: ['host.example'],
      dataDir: null,
    });
  });

  describe('with a media store', () => {
    let dir: string;
    let quarantine: MediaArea;
    const pathOf = (key: string): string =>
      join(dir, 'media', 'quarantine', key.slice(0, 2), key.slice(2, 4), key);
    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), 'tocsin-decoder-'));
      quarantine = openMediaStore(dir).quarantine;
      decoder = createDecoder({
        settings: { fetchHosts: [], fetchPrivate: false, dataDir: dir },
        clock: systemClock,
        log: silentLog,
        metrics,
      });
    });
    afterEach(() => rmSync(dir, { recursive: true, force: true }));

    it('decodes what lies under a key as it decodes the bytes', async () => {
      const stored = await quarantine.put(scene);
      expect(await decoder.decode({ stored })).toEqual(await decoder.decode({ bytes: scene }));
    });

    it('finds nothing under an unknown key, under no key, and where the bytes do not match theirs', async () => {
      const changed = await quarantine.put(scene);
      writeFileSync(pathOf(changed), fixturePicture('scene-2.jpg'));
      for (const stored of ['0'.repeat(64), '../../../../etc/passwd', '', changed])
        expect(await decoder.decode({ stored })).toMatchObject({ refused: 'not_in_store' });
    });

    it('blames the disk, not the picture, when it cannot be read', async () => {
      const stored = storeKey(scene);
      mkdirSync(pathOf(stored), { recursive: true });
      await expect(decoder.decode({ stored })).rejects.toMatchObject({ code: 'INTERNAL' });
      rmSync(pathOf(stored), { recursive: true });
      await quarantine.put(scene);
      expect(await decoder.decode({ stored })).toHaveProperty('pixels64');
    });
  });

  it('refuses the picture that kills the child, and only that', async () => {
    open();
    const pictures = [scene, text('KILL'), fixturePicture('scene-2.jpg'), fixturePicture('truncated.jpg')];
    expect(await Promise.all(pictures.map(outcome))).toEqual([
      'ready',
      'decoder_crashed',
      'ready',
      'broken_picture',
    ]);
    expect((await restarts())['crash']).toBeGreaterThanOrEqual(2);
    expect(await outcome(scene)).toBe('ready');
  });

  it('refuses the picture that hangs the child, and only that', async () => {
    open({ decodeMs: 1_500 });
    await outcome(scene);
    expect(await Promise.all([scene, text('HANG'), fixturePicture('scene-2.jpg')].map(outcome))).toEqual([
      'ready',
      'decoder_timeout',
      'ready',
    ]);
  });

  it('loses nothing when the child is killed in mid work', async () => {
    open();
    const before = await decoder.decode({ bytes: scene });
    const work = Promise.all([decoder.decode({ bytes: scene }), outcome(text('WAIT a while'))]);
    const pid = decoder.pids().decode as number;
    await new Promise((resolve) => setImmediate(resolve));
    process.kill(pid, 'SIGKILL');
    expect(await work).toEqual([before, 'not_a_picture']);
    expect(await restarts()).toEqual({ crash: 1 });
    expect(decoder.pids().decode).not.toBe(pid);
  });

  it('asks a new child when the old one died between two pictures', async () => {
    open();
    await outcome(scene);
    const pid = decoder.pids().decode as number;
    process.kill(pid, 'SIGKILL');
    await until(async () => (await restarts())['crash'] === 1, 'the death to be seen');
    expect(await outcome(scene)).toBe('ready');
  });

  it('repeats a fetch whose process died, once', async () => {
    open();
    expect(await decoder.fetch('http://host.example/kill', identity)).toMatchObject({
      refused: 'decoder_crashed',
    });
    expect(await restarts()).toEqual({ crash: 2 });
    expect(await decoder.fetch('http://host.example/fine', identity)).toBeInstanceOf(Uint8Array);
  });

  it('fetches no more at once than are still in use', async () => {
    open({ fetches: 2 });
    let inUse = 0;
    let most = 0;
    const fetchOne = (i: number): Promise<unknown> =>
      decoder.fetch(`http://host-${i}.example/`, async () => {
        inUse += 1;
        most = Math.max(most, inUse);
        await new Promise((resolve) => setImmediate(resolve));
        inUse -= 1;
      });
    await Promise.all(Array.from({ length: 10 }, (_, i) => fetchOne(i)));
    expect(most).toBeLessThanOrEqual(2);
  });

  it('replaces a child that has served its time without losing a picture', async () => {
    open({ recycleAfter: 5 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => outcome(scene)));
    expect(new Set(answers)).toEqual(new Set(['ready']));
    await until(async () => ((await restarts())['recycled'] ?? 0) >= 2, 'the old children to be gone');
    expect(Object.keys(await restarts())).toEqual(['recycled']);
  });

  it('replaces a child that holds too much memory', async () => {
    open({ maxRssBytes: 1 });
    expect(await outcome(scene)).toBe('ready');
    await until(async () => (await restarts())['recycled'] === 1, 'the child to be replaced');
    expect(await outcome(scene)).toBe('ready');
  });

  it('throws when no child can be started, instead of blaming the picture', async () => {
    decoder = createDecoder({
      settings: { fetchHosts: ['*'], fetchPrivate: false, dataDir: null },
      clock: systemClock,
      log: silentLog,
      metrics,
      module: runnableModule(import.meta.url, './no-such-module'),
    });
    await expect(decoder.decode({ bytes: scene })).rejects.toMatchObject({ code: 'DEPENDENCY_MISSING' });
  });

  it('leaves no child behind when the parent is killed', async () => {
    open();
    const url = (specifier: string): string => JSON.stringify(new URL(specifier, import.meta.url).href);
    const parent = spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        `import { systemClock } from ${url('../../../src/base/clock.ts')};
        import { silentLog } from ${url('../../../src/base/log.ts')};
        import { createDecoder } from ${url('../../../src/media/decoder.ts')};
        import { createMetrics } from ${url('../../../src/metrics/metrics.ts')};
        const decoder = createDecoder({
          settings: { fetchHosts: ['*'], fetchPrivate: false, dataDir: null },
          clock: systemClock, log: silentLog, metrics: createMetrics({ bare: true }),
        });
        await decoder.decode({ bytes: new Uint8Array(1) });
        await decoder.fetch('http://127.0.0.1/', async () => {});
        console.log(JSON.stringify(Object.values(decoder.pids())));`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pids = JSON.parse(line.toString()) as number[];
    expect(pids.every(isAlive)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !pids.some(isAlive), 'the children to end');
  });

  it('takes nothing after it was closed', async () => {
    open();
    await outcome(scene);
    await decoder.close();
    await expect(decoder.decode({ bytes: scene })).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});

/** `tocsin replay` as a user runs it: counting only, sending, going on, and being refused. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { openEmbeddedBus } from '../../src/bus/embedded/bus.ts';
import { ROOT, tail, temporaryFolder, tocsin, tocsinOk } from '../support/tocsin.ts';

const ARCHIVES = join(ROOT, 'test/fixtures/archives');

let folder: ReturnType<typeof temporaryFolder>;
let data: string;
beforeEach(() => {
  folder = temporaryFolder();
  data = join(folder.path, 'data');
});
afterEach(() => folder.remove());

const replay = (...args: string[]): Promise<string> =>
  tocsinOk(['replay', '--data', data, '--log', 'warn', '--output', 'json', ...args]);

/** Pictures in the quarantine. */
const stored = (): string[] =>
  readdirSync(join(data, 'media', 'quarantine'), { recursive: true })
    .map(String)
    .filter((name) => /[0-9a-f]{64}$/.test(name));

describe('tocsin replay', () => {
  it('counts without touching anything when it is a dry run', async () => {
    const summary = JSON.parse(await replay(join(ARCHIVES, 'crisismmd'), '--dry-run')) as object;
    expect(summary).toMatchObject({
      posts: 6,
      span: { from: '2017-05-30T11:20:00.000Z', to: '2017-10-10T06:45:10.500Z' },
      archives: [{ reader: 'crisismmd', posts: 6, unreadable: {}, pictureProblems: { picture_missing: 1 } }],
    });
    expect(existsSync(data)).toBe(false);
  });

  it('sends several archives on one time axis, with their pictures in quarantine', async () => {
    const out = await replay(join(ARCHIVES, 'mediaeval'), join(ARCHIVES, 'jsonl'), '--speed', 'max');
    expect(JSON.parse(out)).toMatchObject({ sent: 9, complete: true });
    const records = await tail('crisis.events.v1', ['--data', data]);
    expect(records.map(({ key }) => key).sort()).toEqual(
      ['1001', '1002', '1003', '1004', '1005', '4', 'j-1', 'j-2', 'j-3'].sort(),
    );
    expect(new Set(records.map(({ headers }) => headers['replay-id'])).size).toBe(1);
    expect(stored()).toHaveLength(4);
    const shark = records.find(({ key }) => key === '1001')?.record as {
      media: { id: string; ref: string }[];
    };
    expect(shark.media).toEqual([
      { id: 'storm_fake_01', ref: expect.stringMatching(/^store:[0-9a-f]{64}$/) },
    ]);
    // Authors are known by a keyed hash only.
    expect(JSON.stringify(records)).not.toContain('a1b2c3d4e5f6');
  });

  it('is played once per resume file', async () => {
    const resume = join(data, 'run', 'once.json');
    const args = [join(ARCHIVES, 'jsonl'), '--speed', 'max', '--resume', resume];
    await replay(...args);
    expect(JSON.parse(readFileSync(resume, 'utf8'))).toMatchObject({ sent: 4, done: true });
    await replay(...args);
    expect(await tail('crisis.events.v1', ['--data', data])).toHaveLength(4);
  });

  it('is refused by a live environment, with exit code 2 and a reason', async () => {
    const bus = await openEmbeddedBus({
      dir: join(data, 'bus'),
      environment: 'lab',
      maxBytes: 100_000_000,
      clock: systemClock,
      log: silentLog,
    });
    await bus.admin.markLive(true);
    await bus.close();
    const { code, stderr } = await tocsin([
      'replay',
      join(ARCHIVES, 'jsonl'),
      '--data',
      data,
      '--speed',
      'max',
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('marked live');
    expect(await tail('crisis.events.v1', ['--data', data])).toEqual([]);
  });

  it.each([
    [['--speed', '0'], 2],
    [['--from', 'noon'], 2],
    [['--shift', 'sideways'], 2],
  ])('is a usage error with %j', async (flags, expected) => {
    const { code } = await tocsin(['replay', join(ARCHIVES, 'jsonl'), '--data', data, ...flags]);
    expect(code).toBe(expected);
  });

  it('says which archives it knows when it knows none of the paths', async () => {
    const { code, stderr } = await tocsin(['replay', join(ROOT, 'docs'), '--data', data]);
    expect(code).toBe(1);
    expect(stderr).toContain('CrisisMMD');
  });
});

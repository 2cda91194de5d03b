import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TocsinError } from '../../../src/base/errors.ts';
import { createCodec } from '../../../src/bus/codec.ts';
import { traceparentFor } from '../../../src/bus/messages.ts';
import type { Bus, OutgoingRecord } from '../../../src/bus/port.ts';
import { TOPICS } from '../../../src/bus/topics.ts';
import type { PostEvent } from '../../../src/event/records.ts';
import { storeKey } from '../../../src/media/store.ts';
import type { Archive } from '../../../src/replay/readers/contract.ts';
import { openArchive } from '../../../src/replay/readers/open-archive.ts';
import {
  type ReplayDeps,
  type ReplayOptions,
  type ReplayProgress,
  replay,
  replaySpan,
} from '../../../src/replay/replay.ts';
import { createVirtualClock } from './virtual-clock.ts';

const T0 = Date.UTC(2024, 0, 1);
const START = Date.UTC(2026, 0, 1);
const codec = createCodec();

interface Sent {
  readonly record: OutgoingRecord;
  readonly post: PostEvent;
  readonly at: number;
}

function setUp(admin: { readonly live?: boolean; readonly topics?: readonly string[] } = {}) {
  const clock = createVirtualClock(START);
  const sent: Sent[] = [];
  const calls: number[] = [];
  const faults: TocsinError[] = [];
  const stored: Uint8Array[] = [];
  const progress: ReplayProgress[] = [];
  const stop = new AbortController();
  const bus = {
    kind: 'embedded',
    admin: {
      live: async () => admin.live ?? null,
      topics: async () => (admin.topics ?? [TOPICS.events]).map((name) => ({ name })),
    },
    async produce(records: readonly OutgoingRecord[]) {
      const fault = faults.shift();
      if (fault) throw fault;
      calls.push(records.length);
      for (const record of records)
        sent.push({ record, post: codec.decode(record.value) as PostEvent, at: clock.monotonic() });
    },
  } as unknown as Bus;
  const deps: ReplayDeps = {
    bus,
    codec,
    clock,
    signal: stop.signal,
    putPicture: async (bytes) => {
      stored.push(bytes);
      return storeKey(bytes);
    },
    onProgress: (now) => progress.push(now),
  };
  return { clock, sent, calls, faults, stored, progress, stop, deps };
}

const options: ReplayOptions = {
  speed: 'max',
  maxRate: null,
  idleLimitMs: null,
  shift: 'keep',
  from: null,
  to: null,
  replayId: 'replay-1',
  alreadySent: 0,
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-replay-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** One post at each second given. */
async function archiveOf(seconds: readonly number[], media: readonly object[] = []): Promise<Archive> {
  const path = join(folder, 'posts.jsonl');
  const lines = seconds.map((second, i) =>
    JSON.stringify({ id: `p${i}`, text: `text ${i}`, createdAt: T0 + second * 1_000, media }),
  );
  writeFileSync(path, lines.join('\n'));
  return openArchive(path, { clock: createVirtualClock(START), hashAuthor: () => '' });
}

const ids = (sent: readonly Sent[]): string[] => sent.map(({ post }) => post.id);

describe('replay', () => {
  it('sends each post when its event time comes, and arrival is when it is sent', async () => {
    const { deps, sent } = setUp();
    const summary = await replay([await archiveOf([0, 20, 20, 200])], { ...options, speed: 20 }, deps);
    expect(sent.map(({ at }) => at)).toEqual([0, 1_000, 1_000, 10_000]);
    expect(sent.map(({ post }) => post.receivedAt)).toEqual(
      [0, 1_000, 1_000, 10_000].map((ms) => START + ms),
    );
    expect(sent.map(({ post }) => post.createdAt)).toEqual([0, 20, 20, 200].map((s) => T0 + s * 1_000));
    expect(summary).toEqual({ sent: 4, complete: true, elapsedMs: 10_000 });
  });

  it('marks every record as replayed and gives it the trace that follows from its id', async () => {
    const { deps, sent } = setUp();
    await replay([await archiveOf([0, 1])], options, deps);
    for (const { record, post } of sent) {
      expect(record).toMatchObject({ topic: TOPICS.events, key: post.id });
      expect(record.headers).toMatchObject({
        'replay-id': 'replay-1',
        traceparent: traceparentFor(post.id),
        ce_source: 'tocsin/replay',
        ce_id: post.id,
      });
    }
  });

  it('sends in large batches at full speed', async () => {
    const { deps, calls } = setUp();
    await replay([await archiveOf(Array.from({ length: 2_200 }, (_, i) => i))], options, deps);
    expect(calls).toEqual([1_000, 1_000, 200]);
  });

  it('keeps to the highest rate', async () => {
    const { deps, sent, clock } = setUp();
    const archive = await archiveOf(Array.from({ length: 1_000 }, (_, i) => i));
    await replay([archive], { ...options, maxRate: 100 }, deps);
    expect(sent).toHaveLength(1_000);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(9_900);
    expect(clock.monotonic()).toBeLessThanOrEqual(10_000);
  });

  it('cuts long silences to the idle limit', async () => {
    const { deps, sent } = setUp();
    await replay([await archiveOf([0, 36_000, 36_001])], { ...options, speed: 1, idleLimitMs: 2_000 }, deps);
    expect(sent.map(({ at }) => at)).toEqual([0, 2_000, 3_000]);
  });

  it('dates posts to their sending with --shift now', async () => {
    const { deps, sent } = setUp();
    await replay([await archiveOf([0, 20])], { ...options, speed: 20, shift: 'now' }, deps);
    expect(sent.map(({ post }) => post.createdAt)).toEqual([START, START + 1_000]);
    expect(sent[1]?.record.headers['ce_time']).toBe(new Date(START + 1_000).toISOString());
  });

  it('keeps to from and to, both included', async () => {
    const { deps, sent } = setUp();
    const archive = await archiveOf([0, 1, 2, 3, 4]);
    await replay([archive], { ...options, from: T0 + 1_000, to: T0 + 3_000 }, deps);
    expect(ids(sent)).toEqual(['p1', 'p2', 'p3']);
    expect(replaySpan([archive], { from: T0 + 9_000, to: null })).toBeNull();
  });

  it('goes on behind what an earlier run has sent, without waiting for it', async () => {
    const { deps, sent } = setUp();
    const summary = await replay(
      [await archiveOf([0, 100, 101])],
      { ...options, speed: 1, alreadySent: 1 },
      deps,
    );
    expect(sent.map(({ post, at }) => [post.id, at])).toEqual([
      ['p1', 0],
      ['p2', 1_000],
    ]);
    expect(summary.sent).toBe(3);
  });

  it('puts pictures into quarantine, each file once, and refers to them by their hash', async () => {
    const { deps, sent, stored } = setUp();
    writeFileSync(join(folder, 'a.jpg'), 'picture a');
    const media = [
      { id: 'one', path: 'a.jpg' },
      { id: 'far', url: 'https://pictures.invalid/b.jpg' },
    ];
    await replay([await archiveOf([0, 1, 2], media)], { ...options, speed: 1 }, deps);
    expect(stored).toHaveLength(1);
    for (const { post } of sent)
      expect(post.media).toEqual([
        { id: 'one', ref: `store:${storeKey(Buffer.from('picture a'))}` },
        { id: 'far', ref: 'https://pictures.invalid/b.jpg' },
      ]);
  });

  it('waits while the bus is full and loses nothing', async () => {
    const { deps, sent, faults } = setUp();
    faults.push(new TocsinError('BUS_FULL', 'full'), new TocsinError('BUS_FULL', 'full'));
    const summary = await replay([await archiveOf([0, 1])], options, deps);
    expect(ids(sent)).toEqual(['p0', 'p1']);
    expect(summary.elapsedMs).toBe(1_000);
  });

  it('fails with any other error of the bus', async () => {
    const { deps, faults } = setUp();
    faults.push(new TocsinError('BUS_UNREACHABLE', 'gone'));
    await expect(replay([await archiveOf([0])], options, deps)).rejects.toMatchObject({
      code: 'BUS_UNREACHABLE',
    });
  });

  it('stops at the signal with what is sent, and says that it is not complete', async () => {
    const { deps, sent, stop } = setUp();
    const stopping: ReplayDeps = {
      ...deps,
      onProgress: ({ sent: n }) => {
        if (n === 2) stop.abort();
      },
    };
    const summary = await replay([await archiveOf([0, 1, 2, 3])], { ...options, speed: 1 }, stopping);
    expect(summary).toMatchObject({ sent: 2, complete: false });
    expect(ids(sent)).toEqual(['p0', 'p1']);
  });

  it('tells its progress in event time, also while it waits', async () => {
    const { deps, progress } = setUp();
    await replay([await archiveOf([0, 5, 10])], { ...options, speed: 1 }, deps);
    expect(progress.at(-1)).toEqual({ eventTime: T0 + 10_000, fraction: 1, sent: 3 });
    expect(progress.length).toBeGreaterThanOrEqual(11);
    const fractions = progress.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });

  it('refuses a live environment before it sends anything', async () => {
    const { deps, sent } = setUp({ live: true });
    await expect(replay([await archiveOf([0])], options, deps)).rejects.toMatchObject({
      code: 'LIVE_ENVIRONMENT',
    });
    expect(sent).toEqual([]);
  });

  it('names the command that makes the topics when there are none', async () => {
    const { deps } = setUp({ topics: [] });
    await expect(replay([await archiveOf([0])], options, deps)).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC',
      message: expect.stringContaining('tocsin topics apply'),
    });
  });
});

/** WebSocket /live over a bus in memory: snapshot, batches, going on after a break, slow clients, bad ones. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../../../src/base/clock.ts';
import { silentLog } from '../../../../src/base/log.ts';
import { openEmbeddedBus } from '../../../../src/bus/embedded/bus.ts';
import type { Bus } from '../../../../src/bus/port.ts';
import { loadTopics, topicSpec } from '../../../../src/bus/topics.ts';
import type { DashboardOptions } from '../../../../src/dashboard/server/dashboard.ts';
import type { ServerMessage } from '../../../../src/dashboard/wire.ts';
import { type Bench, claim, label, openBench, put, setLedger, until } from '../../../support/dashboard.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(options: Partial<DashboardOptions> = {}): Promise<Bench> {
  const bench = await openBench(options);
  cleanups.push(() => bench.close());
  return bench;
}

interface Client {
  readonly socket: WebSocket;
  readonly said: ServerMessage[];
  /** Highest revision of each post, as the messages told it. */
  readonly posts: Map<string, number>;
  /** How often a post was told at the same revision. */
  readonly repeats: () => number;
  readonly cursor: () => string | null;
  readonly closed: Promise<{ readonly code: number }>;
}

/** @param hello what to say first: a cursor, null for a snapshot, undefined to say nothing. */
function connect(url: string, hello: string | null | undefined, options: object = {}): Client {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/live`, options);
  const said: ServerMessage[] = [];
  const posts = new Map<string, number>();
  let repeats = 0;
  socket.on('open', () => {
    if (hello !== undefined) socket.send(JSON.stringify({ since: hello }));
  });
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as ServerMessage;
    said.push(message);
    if (message.type === 'pulse') return;
    for (const post of message.posts) {
      if ((posts.get(post.postId) ?? 0) >= post.revision) repeats += 1;
      posts.set(post.postId, post.revision);
    }
  });
  socket.on('error', () => {});
  const closed = new Promise<{ readonly code: number }>((resolve) => {
    socket.on('close', (code) => resolve({ code }));
  });
  cleanups.push(() => socket.terminate());
  const cursor = (): string | null => {
    const last = said.filter((message) => message.type !== 'pulse').at(-1);
    return last?.cursor ?? null;
  };
  return { socket, said, posts, repeats: () => repeats, cursor, closed };
}

const status = (url: string, options: object): Promise<number | undefined> =>
  new Promise((resolve) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/live`, options);
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
    socket.on('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.on('error', () => {});
  });

const loaded = (bench: { readonly url: string }): Promise<unknown> =>
  until('readiness', async () => (await fetch(`${bench.url}/readyz`)).status === 200);

describe('a client', () => {
  it('gets a snapshot, newest first, then what changes', async () => {
    const bench = await open();
    setLedger(bench.bus, { received: 2, labelled: 2 });
    await put(bench.bus, [label('a')], { timestamp: 1 });
    await put(bench.bus, [label('b')], { timestamp: 2 });
    await put(bench.bus, [claim('c')]);
    await until(
      'labels',
      async () =>
        ((await (await fetch(`${bench.url}/api/labels`)).json()) as { labels: unknown[] }).labels.length ===
        2,
    );
    const client = connect(bench.url, null);
    const first = await until('a snapshot', () => client.said[0]);
    expect(first).toMatchObject({ type: 'snapshot', pulse: { feed: 'following', stream: 'live' } });
    expect(first.type === 'snapshot' && first.posts.map((p) => p.postId)).toEqual(['b', 'a']);
    await put(bench.bus, [label('a', { revision: 2 }), label('d')]);
    await until('the changes', () => client.posts.get('d') === 1 && client.posts.get('a') === 2);
    expect(client.said.filter((m) => m.type === 'snapshot')).toHaveLength(1);
    await until('a heartbeat', () =>
      client.said.some((m) => m.type === 'pulse' && m.pulse.ledger?.labelled === 2),
    );
  });

  it('that says nothing gets a snapshot all the same', async () => {
    const bench = await open();
    const client = connect(bench.url, undefined);
    await until('a snapshot', () => client.said[0]?.type === 'snapshot');
  });

  it('goes on from its cursor without a gap and without a repeat', async () => {
    const bench = await open();
    await loaded(bench);
    const first = connect(bench.url, null);
    await until('a snapshot', () => first.said[0]);
    await put(
      bench.bus,
      Array.from({ length: 20 }, (_, i) => label(`p${i}`)),
    );
    await until('the first posts', () => first.posts.size === 20);
    const cursor = first.cursor();
    first.socket.terminate();
    await put(
      bench.bus,
      Array.from({ length: 150 }, (_, i) => label(`q${i}`)),
    );
    const again = connect(bench.url, cursor);
    await until('what was missed', () => again.posts.size === 150);
    await put(bench.bus, [label('last')]);
    await until('what comes', () => again.posts.has('last'));
    expect(again.said.map((m) => m.type)).not.toContain('snapshot');
    expect(again.repeats()).toBe(0);
  });

  it('gets a fresh snapshot for a cursor of another server, and for nonsense', async () => {
    const bench = await open();
    await put(bench.bus, [label('a')]);
    const first = connect(bench.url, null);
    await until('a snapshot', () => first.posts.has('a'));
    const cursor = first.cursor();
    await bench.dashboard.close();
    expect((await first.closed).code).toBe(1012);
    const second = await bench.reopen();
    cleanups.push(() => second.close());
    for (const since of [cursor, 'nonsense', 'x.99999999']) {
      const again = connect(bench.url, since);
      await until('a snapshot', () => again.said[0]?.type === 'snapshot');
      await until('the old post', () => again.posts.has('a'));
    }
  });

  it('is told the newest and how many were left out when there is too much at once', async () => {
    const bench = await open({ live: { batchPosts: 10 } });
    await loaded(bench);
    const client = connect(bench.url, null);
    await until('a snapshot', () => client.said[0]);
    await put(
      bench.bus,
      Array.from({ length: 500 }, (_, i) => label(`p${i}`)),
      { timestamp: Date.now() },
    );
    const resync = await until('a resync', () => client.said.find((m) => m.type === 'resync'));
    expect(resync.type === 'resync' && resync.posts.length).toBe(10);
    const told = client.said.reduce(
      (sum, m) => sum + (m.type === 'resync' ? m.skipped : 0) + (m.type === 'pulse' ? 0 : m.posts.length),
      0,
    );
    expect(told).toBe(500);
    expect((await bench.metrics.expose()).body).toMatch(/tocsin_ws_dropped_total\{reason="conflated"\} \d+/);
  });
});

describe('a slow client', () => {
  const text = 'x'.repeat(600);
  /** More than a socket's buffers hold, round by round as the other client takes it in. */
  const flood = async (bench: Bench, other: Client, rounds: number): Promise<void> => {
    for (let round = 1; round <= rounds; round += 1) {
      await put(
        bench.bus,
        Array.from({ length: 90 }, (_, i) => label(`r${round}-${i}`, { text })),
      );
      await until('the round', () => other.posts.size === round * 90);
    }
  };

  it('is left alone above the mark, then told the newest with a count; the others notice nothing', async () => {
    const bench = await open({ live: { softBytes: 50_000, slowMs: 60_000, batchMs: 5 } });
    await loaded(bench);
    const slow = connect(bench.url, null);
    const quick = connect(bench.url, null);
    await until('two snapshots', () => slow.said[0] && quick.said[0]);
    slow.socket.pause();
    await flood(bench, quick, 120);
    expect(quick.said.map((m) => m.type)).not.toContain('resync');
    slow.socket.resume();
    const resync = await until('a resync', () => slow.said.find((m) => m.type === 'resync'));
    expect(resync.type === 'resync' && resync.skipped).toBeGreaterThan(0);
    await put(bench.bus, [label('the-end')]);
    await until('the newest', () => slow.posts.has('the-end'));
    expect(slow.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('is sent away with 1013 when it stays slow', async () => {
    const bench = await open({ live: { softBytes: 50_000, slowMs: 100, batchMs: 5 } });
    await loaded(bench);
    const slow = connect(bench.url, null);
    const quick = connect(bench.url, null);
    await until('two snapshots', () => slow.said[0] && quick.said[0]);
    slow.socket.pause();
    await flood(bench, quick, 120);
    await until('the count', async () =>
      (await bench.metrics.expose()).body.includes('reason="slow_client"} 1'),
    );
    slow.socket.resume();
    expect([1013, 1006]).toContain((await slow.closed).code);
    expect(quick.socket.readyState).toBe(WebSocket.OPEN);
  });
});

describe('a bad client', () => {
  it.each(['{}', 'x', '{"since":1}', '{"since":null,"more":1}', '"hello"'])(
    'that says %s is sent away',
    async (words) => {
      const bench = await open();
      const client = connect(bench.url, undefined);
      client.socket.on('open', () => client.socket.send(words));
      expect((await client.closed).code).toBe(1008);
    },
  );

  it('that talks too much, or too big, is sent away', async () => {
    const bench = await open();
    const chatty = connect(bench.url, undefined);
    chatty.socket.on('open', () => {
      for (let i = 0; i < 100; i += 1) chatty.socket.send('{"since":null}');
    });
    expect((await chatty.closed).code).toBe(1008);
    const big = connect(bench.url, undefined);
    big.socket.on('open', () => big.socket.send('x'.repeat(20_000)));
    expect((await big.closed).code).toBe(1009);
  });

  it('of another site is refused, one without an Origin is a program and passes', async () => {
    const bench = await open();
    expect(await status(bench.url, { origin: 'https://evil.example' })).toBe(403);
    expect(await status(bench.url, { headers: { origin: 'null' } })).toBe(403);
    expect(await status(bench.url, { headers: { host: 'evil.example' } })).toBe(403);
    expect(await status(bench.url, { origin: bench.url })).toBe(101);
    expect(await status(bench.url, {})).toBe(101);
  });

  it('too many are refused with 503', async () => {
    const bench = await open({ live: { clients: 2 } });
    const two = [connect(bench.url, null), connect(bench.url, null)];
    await until('two snapshots', () => two.every((client) => client.said[0]));
    expect(await status(bench.url, {})).toBe(503);
  });

  it('that is no WebSocket at all does no harm', async () => {
    const bench = await open();
    const { hostname, port } = new URL(bench.url);
    const answer = await new Promise<string>((resolve) => {
      const socket = createConnection(Number(port), hostname, () =>
        socket.write(
          'GET /elsewhere HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
        ),
      );
      let said = '';
      socket.on('data', (data) => {
        said += data;
      });
      socket.on('close', () => resolve(said));
    });
    expect(answer).toContain('404');
    expect((await fetch(`${bench.url}/livez`)).status).toBe(200);
  });
});

describe('over the embedded bus', () => {
  it('shows what was there before, what comes, and both again after a restart', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tocsin-live-'));
    cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
    const openBus = async (): Promise<Bus> => {
      const bus = await openEmbeddedBus({
        dir,
        environment: 'lab',
        maxBytes: 50_000_000,
        clock: systemClock,
        log: silentLog,
      });
      await bus.admin.createTopics(loadTopics().map(topicSpec));
      return bus;
    };
    const bus = await openBus();
    cleanups.push(() => bus.close());
    await put(bus, [label('before'), label('before', { revision: 2 }), claim('c')]);
    const bench = await openBench({}, bus);
    await loaded(bench);
    const client = connect(bench.url, null);
    await until('what was there', () => client.posts.get('before') === 2);
    await put(bus, [label('after')]);
    await until('what came', () => client.posts.has('after'));
    expect(client.said[0]).toMatchObject({ type: 'snapshot', claims: [{ claimId: 'c' }] });
    const post = (await (await fetch(`${bench.url}/api/posts/before`)).json()) as { revisions: unknown[] };
    expect(post.revisions).toHaveLength(2);
    await bench.close();
    const again = await openBench({}, bus);
    cleanups.push(() => again.close());
    await loaded(again);
    const next = connect(again.url, client.cursor());
    await until('both', () => next.posts.get('before') === 2 && next.posts.has('after'));
  });
});

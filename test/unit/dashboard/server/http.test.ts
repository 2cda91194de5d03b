/** The HTTP side over a bus in memory: routes, limits, headers, what is refused and how. */

import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TocsinError } from '../../../../src/base/errors.ts';
import { TOPICS } from '../../../../src/bus/topics.ts';
import type { PostEvent, Ruling } from '../../../../src/event/records.ts';
import {
  alert,
  type Bench,
  claim,
  codec,
  label,
  openBench,
  put,
  setLedger,
  until,
} from '../../../support/dashboard.ts';
import { drawPicture } from '../../../support/scene.ts';

let bench: Bench;

/** A dashboard of its own for each group, so that no group sees what another did. */
function withDashboard(): void {
  beforeAll(fill);
  afterAll(() => bench.close());
}

async function fill(): Promise<void> {
  bench = await openBench({ memory: { posts: 100 } });
  setLedger(bench.bus, {
    received: 10,
    labelled: 7,
    duplicate: 2,
    dead: 1,
    picturesRequested: 5,
    picturesReady: 3,
    picturesRefused: 1,
  });
  await put(bench.bus, [label('gone', { revision: 1 }), label('gone', { revision: 2 })], { timestamp: 1 });
  for (let i = 0; i < 100; i += 1) await put(bench.bus, [label(`p${i}`)], { timestamp: 1_000 + i });
  await put(bench.bus, [claim('c1'), claim('c2', { posts: 40 }), alert('a1')]);
  await until(
    'everything to be read',
    async () => (await get('/api/labels?limit=500')).body.labels.length === 100,
  );
  await until('the claims', async () => (await get('/api/claims')).body.claims.length === 2);
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Bodies of a dozen shapes are looked into here.
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
  readonly body: any;
}

async function ask(path: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(bench.url + path, init);
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text ? JSON.parse(text) : text,
  };
}
const get = (path: string): Promise<Answer> => ask(path);
const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const written = (topic: string): unknown[] =>
  bench.bus.records(topic).map((record) => codec.decode(record.value as Uint8Array));

describe('reading', () => {
  withDashboard();

  it('gives the ledger in the fixed shape', async () => {
    expect((await get('/api/ledger')).body).toMatchObject({
      received: 10,
      labelled: 7,
      filtered: 0,
      duplicate: 2,
      dead: 1,
      inFlight: 0,
      picturesPending: 1,
      pictures: { requested: 5, ready: 3, refused: 1, pending: 1 },
      imbalance: 0,
    });
  });

  it('pages through the labels from the newest, each post once', async () => {
    const seen: string[] = [];
    let next: string | null = null;
    do {
      const { body } = await get(`/api/labels?limit=30${next ? `&before=${encodeURIComponent(next)}` : ''}`);
      seen.push(...body.labels.map((l: { postId: string }) => l.postId));
      next = body.next;
    } while (next);
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => `p${99 - i}`));
    const after = await get('/api/labels?limit=1&before=p50');
    expect(after.body.labels[0].postId).toBe('p49');
  });

  it.each(['limit=0', 'limit=x', 'limit=1.5', 'before=nonsense!'])(
    'says what is wrong with ?%s',
    async (query) => {
      const { status, body } = await get(`/api/labels?${query}`);
      expect(status).toBe(400);
      expect(body.error.message).toMatch(/limit|before/);
    },
  );

  it('gives every revision of a post, also of one that is no longer held', async () => {
    expect((await get('/api/posts/p7')).body.revisions.map((r: { revision: number }) => r.revision)).toEqual([
      1,
    ]);
    const gone = await get('/api/posts/gone');
    expect(gone.body.revisions.map((r: { revision: number }) => r.revision)).toEqual([1, 2]);
    expect(gone.body.revisions[0].tasks[0].model.version).toBe('1.0.0');
    expect((await get('/api/posts/gone?explain=1')).body.words).toEqual(['word:revision2:+0.31']);
    expect(gone.body.words).toBeUndefined();
    const unknown = await get('/api/posts/never%2Fseen');
    expect(unknown.status).toBe(404);
    expect(unknown.body.error).toEqual({
      code: 'unknown_post',
      message: 'There is no label of a post never/seen.',
    });
  });

  it('gives claims, the largest first, and alerts', async () => {
    expect((await get('/api/claims')).body.claims.map((c: { claimId: string }) => c.claimId)).toEqual([
      'c2',
      'c1',
    ]);
    expect((await get('/api/alerts')).body.alerts).toHaveLength(1);
  });

  it('gives previews by their key only, unchangeable and as what they are', async () => {
    const picture = await drawPicture(bench.media, 'm', 100);
    const found = await get(`/media/${picture.storeKey}`);
    expect(found.status).toBe(200);
    expect(found.headers.get('content-type')).toBe('image/webp');
    expect(found.headers.get('cache-control')).toContain('immutable');
    expect(found.headers.get('x-content-type-options')).toBe('nosniff');
    expect(found.headers.get('content-security-policy')).toContain('sandbox');
    const secret = await bench.media.quarantine.put(Buffer.from('as it was given'));
    const page = await bench.media.previews.put(Buffer.from('<html><script>alert(1)</script>'));
    for (const key of [secret, page, '0'.repeat(64), 'x', '..%2f..%2fkeys%2fauthor.key', '%00'])
      expect((await get(`/media/${key}`)).status, key).toBe(404);
  });

  it('tells machines how it is', async () => {
    expect((await get('/livez')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(200);
    expect((await get('/metrics')).body).toContain('tocsin_');
  });
});

describe('a record that is no label', () => {
  withDashboard();

  it('is passed over, by the feed and by the search for an old post', async () => {
    const garbage = { topic: TOPICS.labels, key: 'odd', value: Buffer.from('not avro'), headers: {} };
    const foreign = { ...garbage, value: codec.encode(claim('not-a-label')) };
    await bench.bus.produce([garbage, foreign]);
    expect((await get('/api/posts/odd')).status).toBe(404);
    await put(bench.bus, [label('odd', { revision: 3 })], { timestamp: 2_000 });
    await until('the label', async () => (await get('/api/labels?limit=1')).body.labels[0].postId === 'odd');
    const { body } = await get('/api/posts/odd');
    expect(body.revisions.map((r: { revision: number }) => r.revision)).toEqual([3]);
  });
});

describe('POST /events', () => {
  withDashboard();

  const good = { id: 'in-1', text: 'Bridge closed', createdAt: new Date().toISOString(), author: 'ana' };

  it('takes posts in and says what it left out', async () => {
    const { status, body } = await post('/events', [good, { id: 'in-2' }, { ...good, id: 'in-3' }]);
    expect(status).toBe(202);
    expect(body).toEqual({
      accepted: 2,
      rejected: [{ index: 1, code: 'missing_text', message: expect.any(String) }],
    });
    const events = written(TOPICS.events) as PostEvent[];
    expect(events.map((e) => e.id)).toEqual(expect.arrayContaining(['in-1', 'in-3']));
    expect(JSON.stringify(events)).not.toContain('ana');
    const record = bench.bus.records(TOPICS.events)[0];
    expect(record?.headers).toMatchObject({
      ce_type: 'tocsin.PostEvent.v1',
      traceparent: expect.stringMatching(/^00-/),
    });
    expect(record?.headers['replay-id']).toBeUndefined();
  });

  it.each(['application/x-ndjson', 'text/plain', 'application/octet-stream'])(
    'takes NDJSON as %s',
    async (type) => {
      const body = `${JSON.stringify({ ...good, id: `nd-${type}` })}\n${JSON.stringify({ ...good, id: `nd2-${type}` })}\n`;
      expect((await post('/events', body, { 'content-type': type })).body).toEqual({
        accepted: 2,
        rejected: [],
      });
    },
  );

  it.each(['', '[]', 'not json', '{"id":1}', 'null'])(
    'answers 400 when nothing of %j was accepted',
    async (body) => {
      const answer = await post('/events', body);
      expect(answer.status).toBe(400);
      expect(answer.body.accepted).toBe(0);
      expect(answer.body.rejected).toHaveLength(1);
    },
  );

  it('answers 413 over 8 MB', async () => {
    const { status, body } = await post('/events', JSON.stringify({ ...good, text: 'x'.repeat(9_000_000) }));
    expect(status).toBe(413);
    expect(body.error.message).toContain('8 MB');
  });

  it('answers 429 with a time to wait when the bus is full', async () => {
    const produce = bench.bus.produce;
    bench.bus.produce = () => Promise.reject(new TocsinError('BUS_FULL', 'full'));
    try {
      const answer = await post('/events', good);
      expect(answer.status).toBe(429);
      expect(answer.headers.get('retry-after')).toBe('5');
    } finally {
      bench.bus.produce = produce;
    }
  });

  it('answers 429 while too many posts wait for their label', async () => {
    const crowded = await openBench({ door: { inFlight: 2 } });
    try {
      await crowded.bus.produce(
        Array.from({ length: 5 }, (_, i) => ({
          topic: TOPICS.events,
          key: `${i}`,
          value: new Uint8Array(1),
          headers: {},
        })),
      );
      const status = await until('the door to close', async () => {
        const answer = await fetch(`${crowded.url}/events`, { method: 'POST', body: JSON.stringify(good) });
        await answer.arrayBuffer();
        return answer.status === 429 && answer.status;
      });
      expect(status).toBe(429);
    } finally {
      await crowded.close();
    }
  });
});

describe('POST /api/rulings', () => {
  withDashboard();

  it('writes the ruling under its claim’s collection, and the undoing of it', async () => {
    const given = await post('/api/rulings', { claimId: 'c1', task: 'rumour', ruling: 'false' });
    expect(given.status).toBe(202);
    await post('/api/rulings', { claimId: 'c1', task: 'rumour', ruling: 'false', undoes: given.body.id });
    const rulings = written(TOPICS.evidence) as Ruling[];
    expect(rulings).toMatchObject([
      {
        kind: 'Ruling',
        claimId: 'c1',
        postId: null,
        collection: 'flood-2026',
        ruling: 'false',
        by: 'coordinator',
        undoes: null,
      },
      { undoes: given.body.id },
    ]);
    expect(bench.bus.records(TOPICS.evidence)[0]?.key).toBe('flood-2026');
  });

  it.each([
    [400, {}],
    [400, { claimId: 'c1', task: 'rumour', ruling: 'informative' }],
    [400, { claimId: 'c1', postId: 'p1', task: 'rumour', ruling: 'true' }],
    [400, { claimId: 'c1', task: 'rumour', ruling: 'true', by: 'me' }],
    [404, { claimId: 'nobody', task: 'rumour', ruling: 'true' }],
  ])('answers %i to %j', async (status, body) => {
    const answer = await post('/api/rulings', body);
    expect(answer.status).toBe(status);
    expect(answer.body.error.message.length).toBeGreaterThan(10);
  });

  it('takes nothing that a form of another page could send', async () => {
    const body = { claimId: 'c1', task: 'rumour', ruling: 'true' };
    expect((await post('/api/rulings', body, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post('/api/rulings', body, { origin: 'https://evil.example' })).status).toBe(403);
  });
});

describe('every answer', () => {
  withDashboard();

  it('carries a strict content security policy and its companions', async () => {
    for (const path of ['/', '/api/ledger', '/nothing', '/api/posts/zz']) {
      const { headers } = await get(path);
      const policy = headers.get('content-security-policy') ?? '';
      for (const part of [
        "default-src 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "require-trusted-types-for 'script'",
      ])
        expect(policy, path).toContain(part);
      expect(policy).not.toMatch(/unsafe|data:|https?:|\*/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it.each([
    ['/api/ledger', ['GET', 'HEAD']],
    ['/api/pulse', ['GET', 'HEAD']],
    ['/api/labels', ['GET', 'HEAD']],
    ['/api/posts/p1', ['GET', 'HEAD']],
    ['/api/claims', ['GET', 'HEAD']],
    ['/api/alerts', ['GET', 'HEAD']],
    ['/livez', ['GET', 'HEAD']],
    ['/readyz', ['GET', 'HEAD']],
    ['/metrics', ['GET', 'HEAD']],
    ['/events', ['POST']],
    ['/api/rulings', ['POST']],
    ['/nothing', []],
    ['/live', []],
  ])('of %s is for %j alone', async (path, allowed) => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const body = ['GET', 'HEAD'].includes(method) ? {} : { body: '{' };
      const { status } = await ask(path, { method, ...body });
      const isAllowed = (allowed as readonly string[]).includes(method);
      expect(isAllowed ? status !== 404 : status === 404, `${method} ${path} answered ${status}`).toBe(true);
      expect(status).toBeLessThan(500);
    }
  });

  it('to another name of this machine is a refusal, whatever is asked', async () => {
    const statusFor = (path: string, method: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const asked = request(bench.url + path, { method, headers: { host: 'evil.example' } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        asked.on('error', reject);
        asked.end();
      });
    for (const path of ['/', '/api/ledger', '/metrics', '/livez'])
      expect(await statusFor(path, 'GET')).toBe(403);
    expect(await statusFor('/events', 'POST')).toBe(403);
  });

  it('to an encoded body is a clear refusal', async () => {
    const { status, body } = await post('/events', 'x', { 'content-encoding': 'gzip' });
    expect(status).toBe(415);
    expect(body.error.message).toContain('content-encoding');
  });
});

describe('a bus that does not answer', () => {
  withDashboard();

  it('shows as not ready, as stalled and as 503, and is over when it is over', async () => {
    bench.bus.fault = new TocsinError('BUS_UNREACHABLE', 'gone');
    bench.bus.breakReads();
    try {
      await until('not ready', async () => (await get('/readyz')).status === 503);
      expect((await get('/api/pulse')).body).toMatchObject({
        feed: 'stalled',
        problem: expect.stringContaining('BUS_UNREACHABLE'),
      });
      expect((await get('/api/ledger')).status).toBe(503);
      expect((await get('/api/labels?limit=1')).body.labels).toHaveLength(1);
      expect((await get('/livez')).status).toBe(200);
    } finally {
      bench.bus.fault = null;
    }
    await until('ready again', async () => (await get('/readyz')).status === 200);
    await put(bench.bus, [label('after-the-fault')]);
    await until(
      'new labels',
      async () => (await get('/api/labels?limit=1')).body.labels[0].postId === 'after-the-fault',
    );
  });
});

/** A newcomer's way: `tocsin up --sample`, the page's API, a second start, Ctrl-C. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import {
  eventually,
  type Ledger,
  ROOT,
  type Running,
  startTocsin,
  temporaryFolder,
  tocsin,
  tocsinOk,
} from '../support/tocsin.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function up(
  dataDir: string,
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ running: Running; url: string }> {
  const running = startTocsin(['up', '--port', '0', '--data', dataDir, ...flags], env);
  cleanups.push(async () => {
    if (running.child.exitCode === null && running.child.signalCode === null) await running.kill('SIGTERM');
  });
  const url = await eventually('the URL', () => /^http:\/\/\S+$/m.exec(running.stdout())?.[0]);
  return { running, url };
}

function folder(): string {
  const made = temporaryFolder();
  cleanups.push(() => made.remove());
  return made.path;
}

const get = async <T>(url: string): Promise<T> => (await fetch(url)).json() as Promise<T>;
const labels = (url: string, query = ''): Promise<{ labels: { postId: string; revision: number }[] }> =>
  get(`${url}/api/labels${query}`);
const balanced = (l: Ledger): boolean =>
  l.received === l.labelled + l.filtered + l.duplicate + l.dead &&
  l.pictures.requested === l.pictures.ready + l.pictures.refused + l.pictures.pending;

describe('tocsin up', () => {
  it('shows labels of the sample on its page, keeps its books, and stops cleanly', async () => {
    const dataDir = folder();
    const { running, url } = await up(dataDir, ['--sample']);
    await eventually('labels on the page', async () => (await labels(url)).labels.length > 0);
    await eventually(
      'settled pictures',
      async () => (await get<Ledger>(`${url}/api/ledger`)).pictures.ready > 0,
    );
    expect(balanced(await get<Ledger>(`${url}/api/ledger`))).toBe(true);
    expect(running.stdout().trimEnd().split('\n').at(-1)).toBe(url);
    for (const path of ['/livez', '/readyz', '/metrics']) expect((await fetch(url + path)).status).toBe(200);

    const second = await tocsin(['up', '--port', '0', '--data', dataDir]);
    expect(second.code).toBe(2);
    expect(second.stderr).toContain('in use by another tocsin up');

    const before = performance.now();
    expect(await running.kill('SIGINT')).toBe(0);
    expect(performance.now() - before).toBeLessThan(10_000);
  });

  it('ends with 0 when a terminal sends Ctrl-C to npm start and to everything below it', async () => {
    const args = ['start', '--silent', '--', '--port', '0', '--data', folder(), '--no-sample'];
    const child = spawn('npm', args, { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const exited = once(child, 'exit');
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk;
      });
    const group = -(child.pid as number);
    cleanups.push(async () => {
      if (child.exitCode === null && child.signalCode === null) process.kill(group, 'SIGKILL');
      await exited;
    });
    await eventually('the URL', () => /^http:\/\/\S+$/m.test(said), { timeoutMs: 110_000 });
    process.kill(group, 'SIGINT');
    expect(await exited).toEqual([0, null]);
  });

  it('loses nothing when it is stopped in the middle of its work and started again', async () => {
    const dataDir = folder();
    const first = await up(dataDir, ['--no-sample']);
    const body = Array.from({ length: 10_000 }, (_, i) =>
      JSON.stringify({
        id: `p${i}`,
        text: `Road ${i} is under water near the school`,
        createdAt: Date.now(),
      }),
    ).join('\n');
    const answer = await fetch(`${first.url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body,
    });
    expect(await answer.json()).toMatchObject({ accepted: 10_000, rejected: [] });
    const before = performance.now();
    expect(await first.running.kill('SIGINT')).toBe(0);
    expect(performance.now() - before).toBeLessThan(10_000);

    const left = JSON.parse(await tocsinOk(['ledger', '--output', 'json', '--data', dataDir])) as Ledger;
    expect(left.inFlight).toBeGreaterThan(0);
    const again = await up(dataDir, ['--no-sample']);
    const ledger = await eventually('all posts accounted for', async () => {
      const now = await get<Ledger>(`${again.url}/api/ledger`);
      return now.inFlight === 0 && now;
    });
    expect(ledger).toMatchObject({ received: 10_000, labelled: 10_000, duplicate: 0, dead: 0 });
  });

  it('does without the scorer when its model is missing, and says so', async () => {
    const dataDir = folder();
    const { running, url } = await up(dataDir, ['--no-sample'], {
      TOCSIN_RUMOUR_MODEL: `${dataDir}/no-model`,
    });
    await eventually('the warning', () => running.stderr().includes('Without rumour scores'));
    expect(running.stderr()).toContain(`${dataDir}/no-model`);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await running.kill('SIGINT')).toBe(0);
  });

  it('goes on where it stopped when started again on the same folder', async () => {
    const dataDir = folder();
    const first = await up(dataDir, ['--no-sample']);
    const posts = Array.from({ length: 50 }, (_, i) => ({
      id: `post-${i}`,
      text: `Bridge ${i} on the river road is under water, people are waiting on the roof`,
      createdAt: new Date().toISOString(),
      author: `author-${i % 7}`,
    }));
    const send = (url: string, body: unknown): Promise<Response> =>
      fetch(`${url}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const answer = await send(first.url, [...posts, { id: 'no-text' }]);
    expect(answer.status).toBe(202);
    const body = (await answer.json()) as { accepted: number; rejected: { index: number; code: string }[] };
    expect(body.accepted).toBe(50);
    expect(body.rejected.map((r) => r.index)).toEqual([50]);
    await eventually('50 labels', async () => (await get<Ledger>(`${first.url}/api/ledger`)).labelled === 50);
    expect(await first.running.kill('SIGINT')).toBe(0);

    const again = await up(dataDir, ['--no-sample']);
    expect((await get<Ledger>(`${again.url}/api/ledger`)).labelled).toBe(50);
    await eventually(
      'the old labels on the new page',
      async () => (await labels(again.url, '?limit=100')).labels.length === 50,
    );
    await send(again.url, [posts[0], { ...posts[1], id: 'new-post' }]);
    const ledger = await eventually('the new post and the duplicate', async () => {
      const now = await get<Ledger>(`${again.url}/api/ledger`);
      return now.received === 52 && now;
    });
    expect(ledger).toMatchObject({ labelled: 51, duplicate: 1, dead: 0, inFlight: 0 });
    const post = await get<{ revisions: { revision: number }[] }>(`${again.url}/api/posts/post-3`);
    expect(post.revisions.map((r) => r.revision)).toEqual([1]);
  });

  it('brings a killed worker back without losing or doubling a post', async () => {
    const dataDir = folder();
    const { url } = await up(dataDir, ['--no-sample']);
    const { readdirSync, readFileSync } = await import('node:fs');
    const pidsOf = (service: string): number[] =>
      readdirSync(`${dataDir}/run`)
        .filter((name) => name.startsWith(`${service}.`) && !name.endsWith('.targets.json'))
        .map((name) => (JSON.parse(readFileSync(`${dataDir}/run/${name}`, 'utf8')) as { pid: number }).pid);
    const send = async (from: number, count: number): Promise<void> => {
      const body = Array.from({ length: count }, (_, i) =>
        JSON.stringify({
          id: `p${from + i}`,
          text: `Road ${from + i} is closed by the flood near the school`,
          createdAt: Date.now(),
        }),
      ).join('\n');
      const response = await fetch(`${url}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body,
      });
      expect(response.status).toBe(202);
    };
    const killed = new Set<number>();
    for (let round = 0; round < 3; round += 1) {
      await send(round * 500, 500);
      const pid = await eventually('a living label worker', () =>
        pidsOf('label').find((p) => !killed.has(p)),
      );
      killed.add(pid);
      process.kill(pid, 'SIGKILL');
    }
    const ledger = await eventually('all posts accounted for', async () => {
      const now = await get<Ledger>(`${url}/api/ledger`);
      if (now.received < 1_500 || now.inFlight > 0) throw new Error(JSON.stringify(now));
      return now;
    });
    expect(ledger).toMatchObject({ received: 1_500, labelled: 1_500, duplicate: 0, dead: 0 });
  });
});

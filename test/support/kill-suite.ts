/**
 * kill -9 of the services at random moments under load on Kafka. The witness is Kafka's own Java consumer:
 * every (post id, revision) exactly once; and aborted records must prove that kills landed inside open transactions.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { seededRandom } from '../../src/base/random.ts';
import { createCodec } from '../../src/bus/codec.ts';
import type { Bus, StateView } from '../../src/bus/port.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import type { Claim, Label } from '../../src/event/records.ts';
import { ledgerOf, watchLedger } from '../../src/pipeline/ledger.ts';
import { type JavaRecord, readWithJava } from './broker.ts';
import { busFlags, openTarget, prepare, settled, startService, type Target } from './pipeline.ts';
import { eventually, ROOT, type Running, startTocsin, temporaryFolder, tocsinOk } from './tocsin.ts';
import { type Writes, watchWrites } from './writes.ts';

const SERVICES = ['label', 'claims', 'media'] as const;

export interface KillPlan {
  readonly brokers: string;
  readonly posts: number;
  /** How often each service is killed. */
  readonly kills: Readonly<Record<(typeof SERVICES)[number], number>>;
  /** Few kills may all miss the milliseconds in which a transaction has records; many must not. */
  readonly proveOpenTransactions: boolean;
  readonly seed: number;
}

const PICTURES = ['scene.jpg', 'scene-2.jpg'];

export interface KillFigures {
  readonly posts: number;
  readonly kills: number;
  /** Kills of which it was seen that a transaction was open. */
  readonly inside: number;
  readonly labels: number;
  /** Records that were written into transactions and never committed, by the worker that was killed. */
  readonly aborted: { readonly label: number; readonly claims: number };
  readonly lost: number;
  readonly doubled: number;
}

/** A random kill comes up to so long after the commit that was seen: right after a commit no transaction is open. */
const RANDOM_MS = 50;
/** A service that writes nothing for so long is killed all the same. */
const NO_WRITE_MS = 5_000;
/** A dead worker's partitions rest for so long. */
const SETTINGS = { TOCSIN_SESSION_TIMEOUT_MS: '4000' };
/** What was under way when a service was stopped has arrived by then. */
const ARRIVED_MS = 100;
const TRIES = 50;
/** What a service writes in its transactions; the media worker has none. */
const OUTPUTS: Readonly<Partial<Record<(typeof SERVICES)[number], string>>> = {
  label: TOPICS.labels,
  claims: TOPICS.claims,
};

/** Waits until so many posts are received. */
async function reached(books: StateView, received: number): Promise<void> {
  await eventually(
    `${Math.floor(received)} posts received`,
    async () => {
      await books.refresh();
      return ledgerOf(books).total.received >= received;
    },
    { timeoutMs: 180_000, everyMs: 10 },
  );
}

/** Stops the process while a transaction of its is open; false when none was caught. */
async function stopInside({ child }: Running, output: string, writes: Writes): Promise<boolean> {
  for (let i = 0; i < TRIES; i += 1) {
    const written = await Promise.race([
      writes.next(output).then(() => true),
      systemClock.sleep(NO_WRITE_MS).then(() => false),
    ]);
    if (!written) return false;
    child.kill('SIGSTOP');
    await systemClock.sleep(ARRIVED_MS);
    if (await writes.isOpen(output)) return true;
    child.kill('SIGCONT');
  }
  return false;
}

interface Load {
  /** Archives to be replayed one after the other. */
  readonly bursts: readonly { readonly path: string; readonly lines: number }[];
  readonly withPicture: number;
  readonly duplicates: number;
}

/** Posts as JSONL archives: every 20th has a picture, every 50th is there twice. */
function writeArchives(folder: string, posts: number, count: number): Load {
  const random = seededRandom(11);
  const lines: string[] = [];
  let withPicture = 0;
  let duplicates = 0;
  const words =
    'water road bridge fire help people rescue power school river shelter storm injured missing food'.split(
      ' ',
    );
  for (let i = 0; i < posts; i += 1) {
    const text = Array.from(
      { length: 9 },
      () => `${words[Math.floor(random() * words.length)]}${Math.floor(random() * 900)}`,
    ).join(' ');
    const media = i % 20 === 0 ? [{ path: `pictures/${PICTURES[(i / 20) % PICTURES.length]}` }] : [];
    withPicture += media.length;
    const line = JSON.stringify({
      id: `kill-${i}`,
      text,
      createdAt: new Date(1_700_000_000_000 + i * 100).toISOString(),
      author: `a${i % 97}`,
      collection: `fault-${i % 4}`,
      media,
    });
    lines.push(line);
    if (i % 50 === 49) {
      lines.push(line);
      duplicates += 1;
    }
  }
  const bursts = Array.from({ length: count }, (_, i) => {
    const part = lines.slice((lines.length * i) / count, (lines.length * (i + 1)) / count);
    const path = join(folder, `posts-${i}.jsonl`);
    writeFileSync(path, `${part.join('\n')}\n`);
    return { path, lines: part.length };
  });
  return { bursts, withPicture, duplicates };
}

const idsOf = (records: readonly JavaRecord[]): string[] => {
  const codec = createCodec();
  return records.map((r) => {
    const label = codec.decode(r.value as Uint8Array) as Label;
    return `${label.postId}:${label.revision}`;
  });
};

/** Runs the plan and checks what must hold. Returns the figures for the report. */
export async function killAtRandom(plan: KillPlan): Promise<KillFigures> {
  const folder = temporaryFolder('tocsin-kill-');
  const target: Target = {
    bus: 'kafka',
    brokers: plan.brokers,
    dataDir: join(folder.path, 'data'),
    environment: `kill${plan.seed}-${process.pid}`,
  };
  const running = new Map<string, Running>();
  let replay: Running | null = null;
  let bus: Bus | null = null;
  let writes: Writes | null = null;
  try {
    const { cpSync, mkdirSync } = await import('node:fs');
    mkdirSync(target.dataDir, { recursive: true });
    cpSync(join(ROOT, 'test/fixtures/pictures'), join(folder.path, 'pictures'), { recursive: true });
    const random = seededRandom(plan.seed);
    const victims = SERVICES.flatMap((name) =>
      Array.from({ length: plan.kills[name] }, (_, number) => ({ name, number, order: random() })),
    ).sort((a, b) => a.order - b.order);
    // A killed worker's partitions rest for the session timeout, so every kill has a burst of its own: else the load
    // would be over after the first kill.
    const { bursts, withPicture, duplicates } = writeArchives(folder.path, plan.posts, victims.length + 1);
    await prepare(target);
    for (const name of SERVICES) running.set(name, await startService(target, name, SETTINGS));
    bus = await openTarget(target);
    const books = await watchLedger(bus);
    writes = await watchWrites({ ...plan, ...target, topics: Object.values(OUTPUTS) }, bus);
    let inside = 0;
    let sent = 0;
    for (const [i, burst] of bursts.entries()) {
      replay = startTocsin(['replay', burst.path, '--speed', 'max', ...busFlags(target)]);
      const victim = victims[i];
      if (victim) {
        const service = running.get(victim.name) as Running;
        const output = OUTPUTS[victim.name];
        // A transaction is open for milliseconds, so every second kill waits for one.
        if (output && victim.number % 2 === 1) inside += (await stopInside(service, output, writes)) ? 1 : 0;
        else {
          await reached(books, sent + burst.lines * random() * 0.9);
          await systemClock.sleep(random() * RANDOM_MS);
        }
        await service.kill('SIGKILL');
      }
      expect(await replay.exited).toBe(0);
      sent += burst.lines;
      if (victim) running.set(victim.name, await startService(target, victim.name, SETTINGS));
    }
    expect(await settled(target, sent, 240_000)).toMatchObject({
      received: sent,
      labelled: plan.posts,
      duplicate: duplicates,
      dead: 0,
      filtered: 0,
    });

    const topic = `${target.environment}.crisis.labels.v1`;
    const committed = idsOf(
      await readWithJava({ brokers: plan.brokers, topic, isolation: 'read_committed' }),
    );
    const uncommitted = await readWithJava({ brokers: plan.brokers, topic, isolation: 'read_uncommitted' });
    const expected = new Set<string>();
    for (let i = 0; i < plan.posts; i += 1) {
      expected.add(`kill-${i}:1`);
      if (i % 20 === 0) expected.add(`kill-${i}:2`);
    }
    const seen = new Set(committed);
    const lost = [...expected].filter((id) => !seen.has(id));
    const foreign = [...seen].filter((id) => !expected.has(id));
    expect({
      lost: lost.slice(0, 5),
      foreign: foreign.slice(0, 5),
      doubled: committed.length - seen.size,
    }).toEqual({
      lost: [],
      foreign: [],
      doubled: 0,
    });
    expect(seen.size).toBe(plan.posts + withPicture);
    // Every post's evidence reached a claim exactly once: the standing claims count at most all posts.
    const codec = createCodec();
    const claims = new Map<string, Claim>();
    const where = { brokers: plan.brokers, topic: `${target.environment}.crisis.claims.v1` };
    const committedClaims = await readWithJava({ ...where, isolation: 'read_committed' });
    const allClaims = await readWithJava({ ...where, isolation: 'read_uncommitted' });
    for (const r of committedClaims) {
      const claim = codec.decode(r.value as Uint8Array) as Claim;
      const known = claims.get(claim.claimId);
      if (!known || known.revision <= claim.revision) claims.set(claim.claimId, claim);
    }
    const counted = [...claims.values()]
      .filter((c) => c.mergedInto === null)
      .reduce((sum, c) => sum + c.posts, 0);
    expect(counted).toBeLessThanOrEqual(plan.posts);

    // A kill inside an open transaction leaves aborted records behind.
    const aborted = {
      label: uncommitted.length - committed.length,
      claims: allClaims.length - committedClaims.length,
    };
    if (plan.proveOpenTransactions) expect(aborted.label, `seen inside: ${inside}`).toBeGreaterThan(0);
    const audit = await tocsinOk(['audit', ...busFlags(target)]);
    expect(audit.length).toBeGreaterThan(0);
    return {
      posts: plan.posts,
      kills: victims.length,
      inside,
      labels: committed.length,
      aborted,
      lost: 0,
      doubled: 0,
    };
  } finally {
    await bus?.close();
    await writes?.close();
    replay?.child.kill('SIGKILL');
    for (const service of running.values()) service.child.kill('SIGKILL');
    folder.remove();
  }
}

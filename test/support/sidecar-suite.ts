/**
 * kill -9 of `tocsin sidecar --once` at fail points, one after the other in one round, beside an undisturbed round in another
 * data directory: the same version comes out, nothing half-written is ever seen, and nothing is announced.
 */
import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { createCodec } from '../../src/bus/codec.ts';
import { message, NO_LINEAGE } from '../../src/bus/messages.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import type { AnyRecord, Feedback, Label } from '../../src/event/records.ts';
import { loadArtefact } from '../../src/models/artefact.ts';
import { madeText, writeMadePosts } from './made-posts.ts';
import { busFlags, openTarget, prepare, recordsIn, type Target } from './pipeline.ts';
import { eventually, startTocsin, temporaryFolder } from './tocsin.ts';

/** Posts that are crafted at once (craft.ts). */
const CHUNK = 100;
/** Of the collection that a round starts from: a tenth of them is dev, which must be able to prove something. */
const SEEDS = 2_000;

/** Ten labelled posts and a ruling on each of them. */
async function writeRulings(target: Target): Promise<void> {
  const codec = createCodec();
  const random = seededRandom(6);
  const bus = await openTarget(target);
  const send = (topic: string, record: AnyRecord, key: string, id: string): Promise<void> =>
    bus.produce([
      message(codec, topic, record, {
        key,
        id,
        source: 'test',
        time: 1_700_000_000_000,
        lineage: NO_LINEAGE,
      }),
    ]);
  try {
    for (let i = 0; i < 10; i += 1) {
      const label: Label = {
        kind: 'Label',
        postId: `post-${i}`,
        revision: 1,
        collection: 'made',
        source: 'test',
        createdAt: 1_700_000_000_000 + i * 3_600_000,
        receivedAt: 1_700_000_000_000,
        text: madeText((i % 2) as 0 | 1, random),
        language: 'en',
        authorHash: `author-${i}`,
        tasks: [],
        modalities: ['text'],
        pictures: [],
        flags: [],
        normaliser: 'text-1',
        thresholds: 'test',
        modelSequence: 0,
        synthetic: true,
      };
      await send(TOPICS.labels, label, label.postId, label.postId);
      const feedback: Feedback = {
        kind: 'Feedback',
        rulingId: `ruling-${i}`,
        collection: 'made',
        claimId: null,
        postIds: [label.postId],
        task: 'informative',
        ruling: i % 2 === 1 ? 'informative' : 'not_informative',
        by: 'person',
        at: 1_700_000_000_000 + i,
        undoes: null,
      };
      await send(TOPICS.feedback, feedback, feedback.collection, feedback.rulingId);
    }
  } finally {
    await bus.close();
  }
}

interface Round {
  readonly candidate: { readonly version: string };
  readonly crafted: number;
  readonly train: number;
}

/** What a reader of the registry finds: whole artefacts, whatever else. */
async function candidatesOf({ dataDir }: Target): Promise<string[]> {
  const dir = join(dataDir, 'registry', 'candidates', 'informative');
  const names = ((): string[] => {
    try {
      return readdirSync(dir);
    } catch {
      return [];
    }
  })().filter((name) => !name.startsWith('.'));
  for (const name of names)
    expect((await loadArtefact(join(dir, name))).manifest).toMatchObject({ version: name });
  return names;
}

const LAST_IN_LINE = 19;

/** The round's result, null where a fail point ended the process, and the epochs that this process trained. */
async function once(
  target: Target,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly round: Round | null; readonly epochs: readonly number[] }> {
  const run = startTocsin(['sidecar', '--once', ...busFlags(target)], env);
  await eventually('it is the last in line', () => getPriority(run.child.pid) === LAST_IN_LINE, {
    everyMs: 20,
  });
  const ended = await run.exited;
  const epochs = [...run.stderr().matchAll(/"epoch":(\d+)/g)].map(([, epoch]) => Number(epoch));
  if (ended === 'SIGKILL') return { round: null, epochs };
  expect(ended, run.stderr().slice(-3_000)).toBe(0);
  return { round: JSON.parse(run.stdout()) as Round, epochs };
}

/** @param failPoints where the process is killed, in the order in which a round comes by */
export async function killSidecar(
  where: Pick<Target, 'bus' | 'brokers'>,
  failPoints: readonly string[],
): Promise<void> {
  const folder = temporaryFolder('tocsin-sidecar-');
  const target = (name: string): Target => ({
    ...where,
    dataDir: join(folder.path, name),
    environment: `sidecar-${name}-${process.pid}`,
  });
  const env = {
    TOCSIN_SIDECAR_DATA: join(folder.path, 'seeds.jsonl'),
    TOCSIN_SIDECAR_POSTS: '400',
    TOCSIN_SIDECAR_WORK_PERCENT: '100',
    TOCSIN_LOG: 'info',
  };
  try {
    writeMadePosts(env.TOCSIN_SIDECAR_DATA, SEEDS, 5);
    const results: { round: Round; ids: string[]; repeated: number; epochs: number[] }[] = [];
    for (const [name, points] of [
      ['calm', []],
      ['killed', failPoints],
    ] as const) {
      const at = target(name);
      await prepare(at);
      await writeRulings(at);
      const epochs: number[] = [];
      for (const point of points) {
        const run = await once(at, { ...env, TOCSIN_FAIL_POINT: point });
        expect([point, run.round]).toEqual([point, null]);
        epochs.push(...run.epochs);
        expect(await candidatesOf(at)).toHaveLength(point === 'sidecar.end' ? 1 : 0);
      }
      const last = await once(at, env);
      const round = last.round as Round;
      epochs.push(...last.epochs);
      expect(await candidatesOf(at)).toEqual([round.candidate.version]);
      // Nothing is left of what was being written.
      expect(readdirSync(join(at.dataDir, 'registry', 'candidates', 'informative'))).toEqual([
        round.candidate.version,
      ]);
      expect(readdirSync(join(at.dataDir, 'sidecar', 'informative')).sort()).toEqual([
        'buffer.jsonl',
        'rounds.json',
      ]);
      const bus = await openTarget(at);
      try {
        // The shipped champion stays the one that serves: nobody announced anything.
        expect(await recordsIn(bus, TOPICS.models)).toEqual([]);
        const told = await recordsIn(bus, TOPICS.adversarial);
        expect(told.every(({ record }) => record['kind'] === 'AdversarialSample')).toBe(true);
        const ids = [...new Set(told.map(({ key }) => key as string))].sort();
        results.push({ round, ids, repeated: told.length - ids.length, epochs });
      } finally {
        await bus.close();
      }
    }
    const [calm, killed] = results;
    expect(calm?.ids.length).toBeGreaterThan(0);
    expect(calm?.repeated).toBe(0);
    // Work was resumed: every epoch was trained once, and no more than the chunk in hand was crafted again.
    expect(killed?.epochs).toEqual(calm?.epochs);
    const cut = failPoints.filter((point) => point.startsWith('sidecar.craft')).length;
    expect(killed?.repeated).toBeLessThanOrEqual(cut * CHUNK);
    expect(killed?.ids).toEqual(calm?.ids);
    expect(killed?.round).toMatchObject({
      candidate: { version: calm?.round.candidate.version },
      crafted: calm?.round.crafted,
      train: calm?.round.train,
    });
  } finally {
    folder.remove();
  }
}

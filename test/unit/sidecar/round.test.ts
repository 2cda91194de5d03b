/** One round in this process: what it trains on, tells and leaves behind. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { createCodec } from '../../../src/bus/codec.ts';
import type { OutgoingRecord } from '../../../src/bus/port.ts';
import { TOPICS } from '../../../src/bus/topics.ts';
import type { AdversarialSample } from '../../../src/event/records.ts';
import { JUDGE_DEFAULTS } from '../../../src/judge/options.ts';
import { provenanceChecks } from '../../../src/judge/provenance.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { type Artefact, loadArtefact } from '../../../src/models/artefact.ts';
import { openEngine } from '../../../src/models/engine/engine.ts';
import { openScorer } from '../../../src/models/serving/scorer.ts';
import { CHAMPION_DIR } from '../../../src/registry/champions.ts';
import { type Engine, engineFor } from '../../../src/sidecar/champion.ts';
import { makePlan } from '../../../src/sidecar/make-plan.ts';
import { ROUND_TRAINING } from '../../../src/sidecar/retrain.ts';
import { type RoundDeps, runRound } from '../../../src/sidecar/round.ts';
import type { HumanSample } from '../../../src/sidecar/samples.ts';
import { type Seeds, seedsOfRulings } from '../../../src/sidecar/seeds.ts';
import { temporaryDir } from '../../support/embedded.ts';

const WORDS = {
  1: 'flood water rising bridge closed road rescue boat families trapped roof evacuate shelter power collapsed injured missing river levee warning'.split(
    ' ',
  ),
  0: 'coffee song game love cat dinner birthday movie weekend team pizza shopping holiday music party dance photo school bed sleep'.split(
    ' ',
  ),
} as const;
const random = seededRandom(8);
const sampleOf = (id: string, truth: 0 | 1, more: Partial<HumanSample> = {}, author = id): HumanSample => {
  const text = Array.from({ length: 8 }, () => WORDS[truth][Math.floor(random() * 20)]).join(' ');
  const createdAt = Math.floor(random() * 1e12);
  return {
    post: { id, text, author, source: 's', collection: `c-${id}`, language: 'en', createdAt },
    label: truth,
    people: 1,
    disputed: false,
    at: 1,
    ...more,
  };
};
const samples = (count: number, name: string): HumanSample[] =>
  Array.from({ length: count }, (_, i) => sampleOf(`${name}-${i}`, (i % 2) as 0 | 1));

let engine: Engine;
let champion: Artefact;
let seeds: Seeds;

beforeAll(async () => {
  champion = await loadArtefact(CHAMPION_DIR);
  engine = engineFor(await openEngine(), champion);
  const known = samples(900, 'seed');
  const held = seedsOfRulings(known, 1);
  const out = new Set([...held.dev, ...held.test].map(({ id }) => id));
  seeds = {
    ...held,
    train: known
      .filter(({ post }) => !out.has(post.id))
      .map(({ post, label }) => ({ id: post.id, text: post.text, label })),
  };
});

const PLAN = { number: 1, reason: 'asked', seed: 1, startedAt: 5, posts: 400, parent: 'p' } as const;

describe('a plan', () => {
  it('keeps poison out: flipped labels, and most of what one author wrote', () => {
    const before = engine.tf.memory().numTensors;
    const flipped = Array.from({ length: 30 }, (_, i) => {
      const truth = (i % 2) as 0 | 1;
      return sampleOf(`flip-${i}`, truth, { label: (1 - truth) as 0 | 1 });
    });
    const flood = Array.from({ length: 40 }, (_, i) => sampleOf(`flood-${i}`, 1, {}, 'one author'));
    const good = samples(30, 'good');
    const { plan, sorted } = makePlan(engine, champion, seeds, [...flipped, ...flood, ...good], PLAN);
    const human = plan.train.filter(({ provenance }) => provenance === 'human').map(({ id }) => id);
    expect(human.filter((id) => id.startsWith('flood'))).toHaveLength(4); // 1 % of the posts that there are
    expect(human.filter((id) => id.startsWith('flip')).length).toBeLessThanOrEqual(1);
    expect(human.filter((id) => id.startsWith('good')).length).toBeGreaterThanOrEqual(28);
    expect(sorted.quarantined.filter(({ reason }) => reason === 'author_share')).toHaveLength(36);
    expect(engine.tf.memory().numTensors).toBe(before);
  });

  it('never trains on what says the same as a held-out post', () => {
    const [held] = seeds.test;
    if (!held) throw new Error('nothing is held out');
    const told: HumanSample = { ...sampleOf('copy', held.label), label: held.label };
    const copy = { ...told, post: { ...told.post, text: held.text } };
    const { plan, sorted } = makePlan(engine, champion, seeds, [copy], PLAN);
    expect(sorted.quarantined.map(({ reason }) => reason)).toEqual(['holdout']);
    const trained = new Set(plan.train.map(({ id }) => id));
    for (const { id } of [...seeds.dev, ...seeds.test]) expect(trained.has(id)).toBe(false);
  });

  it('is refused where too few posts are there', () => {
    const none: Seeds = { ...seeds, train: [] };
    expect(() => makePlan(engine, champion, none, samples(5, 'few'), PLAN)).toThrow(/too few/);
  });
});

describe('a round', () => {
  it('tells its samples on their own topic and leaves a candidate that serves, and no tensor', async () => {
    const before = engine.tf.memory().numTensors;
    const told: OutgoingRecord[] = [];
    const dir = temporaryDir();
    let pauses = 0;
    const human = samples(40, 'human');
    const deps: RoundDeps = {
      tf: engine.tf,
      bus: { produce: async (records) => void told.push(...records) },
      codec: createCodec(),
      clock: systemClock,
      log: silentLog,
      metrics: createMetrics({ bare: true }),
      pause: async () => {
        pauses += 1;
      },
      dir: join(dir, 'sidecar'),
      candidates: join(dir, 'candidates'),
      champion: async () => champion,
      seeds: async () => seeds,
      samples: () => human,
      posts: 200,
      training: { ...ROUND_TRAINING, maxEpochs: 4 },
      codeVersion: '0.0.0',
    };
    const result = await runRound(deps, 'drift');
    expect(engine.tf.memory().numTensors).toBe(before);
    expect(pauses).toBeGreaterThan(10);

    expect(new Set(told.map(({ topic }) => topic))).toEqual(new Set([TOPICS.adversarial]));
    expect(told).toHaveLength(result.crafted);
    const changed = told.map(({ value }) => deps.codec.decode(value) as AdversarialSample);
    for (const { before: was, after, positions, label, origin } of changed) {
      const [a, b] = [was.split(' '), after.split(' ')];
      expect(a.flatMap((word, i) => (word === b[i] ? [] : [i]))).toEqual(
        [...positions].sort((x, y) => x - y),
      );
      expect(label).toBe(/[02468]$/.test(origin) ? 'no' : 'yes');
    }

    const { candidate } = result;
    if (!candidate) throw new Error(`nothing was handed over: ${result.withheld}`);
    const { manifest } = await loadArtefact(candidate.dir);
    expect(manifest).toMatchObject({
      parent: champion.digest,
      round: 'informative-1',
      version: candidate.version,
      task: 'informative',
      provenance: { crafted: result.crafted },
    });
    expect((manifest.provenance?.['human'] ?? 0) + (manifest.provenance?.['seed'] ?? 0)).toBe(
      result.train + result.replayed,
    );
    expect(result.replayed).toBeGreaterThan(200);
    expect(manifest.provenance?.['human']).toBeGreaterThan(20);
    // The gate looks at these shares; the sidecar's own checks keep them.
    const named = Object.keys(manifest.provenance ?? {}).map((key) => key.split(':')[0]);
    expect(new Set(named)).toEqual(new Set(['seed', 'human', 'author', 'source-hour', 'crafted']));
    for (const check of provenanceChecks(manifest, JUDGE_DEFAULTS))
      expect(check).toMatchObject({ passed: true });
    // Its golden batch is checked on the very graph that serves.
    const scorer = await openScorer({
      dir: candidate.dir,
      threads: 1,
      metrics: deps.metrics,
      log: silentLog,
    });
    expect(scorer.model.version).toBe(candidate.version);
    await scorer.close();
    // The next round learns next to nothing, and keeps that to itself.
    const training = { ...ROUND_TRAINING, maxEpochs: 1, learningRate: 1e-7 };
    expect(await runRound({ ...deps, training }, 'clock')).toMatchObject({
      round: 'informative-2',
      candidate: null,
      withheld: expect.stringContaining('gains too little'),
    });
    expect(await readdir(deps.candidates)).toEqual([candidate.version]);
    expect(engine.tf.memory().numTensors).toBe(before);
  });
});

/**
 * Rumour scores with the shipped model: the sample through all services on the embedded bus, once undisturbed and once with
 * a kill -9 of the scorer in the middle. Every request is answered, no score counts twice, and the claims are the same.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { busFlags, finalClaims, settled, startService, type Target } from '../support/pipeline.ts';
import {
  eventually,
  ROOT,
  type Running,
  type TailedRecord,
  tail,
  temporaryFolder,
  tocsinOk,
} from '../support/tocsin.ts';

/** Authors must hash alike in both runs. */
const KEYS = { TOCSIN_AUTHOR_KEY: 'aa'.repeat(32), TOCSIN_CONTEXT_KEY: 'cc'.repeat(32) };
const SAMPLE = join(ROOT, 'sample');

interface Result {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly requests: readonly string[];
  readonly answers: readonly string[];
  /** On crisis.evidence.v1. */
  readonly records: number;
  readonly outcomes: Outcomes;
}

/** What became of the records that the claim worker took in. */
const OUTCOMES = ['posts', 'revisions', 'known', 'late', 'rulings', 'scores', 'dead'] as const;
type Outcomes = Readonly<Record<(typeof OUTCOMES)[number], number>>;

/** The value of a metric of a running service; 0 while it has none. */
async function metric(dataDir: string, service: string, running: Running, pattern: RegExp): Promise<number> {
  const path = join(dataDir, 'run', `${service}.${running.child.pid}.json`);
  const { address } = JSON.parse(readFileSync(path, 'utf8')) as { address: string };
  const body = await (await fetch(`http://${address}/metrics`)).text();
  return Number(pattern.exec(body)?.[1] ?? 0);
}

async function outcomesOf(dataDir: string, claims: Running): Promise<Outcomes> {
  const counts: Partial<Record<keyof Outcomes, number>> = {};
  for (const name of OUTCOMES) {
    const line = `^tocsin_outcomes_total\\{service="claims",outcome="${name}",reason=""\\} (\\d+)`;
    counts[name] = await metric(dataDir, 'claims', claims, new RegExp(line, 'm'));
  }
  return counts as Outcomes;
}

const sum = (outcomes: Outcomes): number => Object.values(outcomes).reduce((all, n) => all + n, 0);

const idsOf = (records: readonly TailedRecord[], kind: string): string[] =>
  records.filter((record) => record.kind === kind).map(({ record }) => String(record['requestId']));

async function play(killAfter: number | null): Promise<Result> {
  const folder = temporaryFolder('tocsin-rumour-');
  const target: Target = { bus: 'embedded', dataDir: join(folder.path, 'data'), environment: 'lab' };
  const flags = busFlags(target);
  const services = new Map<string, Running>();
  try {
    for (const name of ['label', 'media', 'claims', 'scorer'])
      services.set(name, await startService(target, name, KEYS));
    await tocsinOk(['replay', SAMPLE, '--speed', 'max', ...flags], KEYS);
    if (killAfter !== null) {
      const scorer = services.get('scorer') as Running;
      await eventually(
        `${killAfter} answers`,
        async () =>
          (await metric(
            target.dataDir,
            'scorer',
            scorer,
            /^tocsin_events_consumed_total\{topic="crisis.scoring.v1"\} (\d+)/m,
          )) >= killAfter,
        { everyMs: 20 },
      );
      await scorer.kill('SIGKILL');
      services.set('scorer', await startService(target, 'scorer', KEYS));
    }
    await settled(target, SENT);
    const claimWorker = services.get('claims') as Running;
    const [requests, evidence] = await eventually(
      'an answer to every request, taken in by its claim',
      async () => {
        const asked = idsOf(await tail('crisis.scoring.v1', flags), 'ScoreRequest');
        const records = await tail('crisis.evidence.v1', flags);
        const given = new Set(idsOf(records, 'Score'));
        const isAnswered = asked.length > 0 && asked.every((id) => given.has(id));
        const taken = sum(await outcomesOf(target.dataDir, claimWorker));
        return isAnswered && taken >= records.length && ([asked, records] as const);
      },
      { everyMs: 500 },
    );
    await settled(target, SENT);
    return {
      claims: finalClaims(await tail('crisis.claims.v1', flags)),
      requests,
      answers: idsOf(evidence, 'Score'),
      records: evidence.length,
      outcomes: await outcomesOf(target.dataDir, claimWorker),
    };
  } finally {
    for (const service of services.values()) service.child.kill('SIGKILL');
    folder.remove();
  }
}

/** Lines of the sample: posts, twelve of them sent twice. */
const SENT = readFileSync(join(SAMPLE, 'posts.jsonl'), 'utf8').trimEnd().split('\n').length;

interface Scored {
  readonly rumour: { readonly status: string; readonly evidence: readonly string[] };
}

describe('the rumour scores of the sample', () => {
  it('are the same with and without a kill -9 of the scorer, every request answered and none counted twice', async () => {
    const calm = await play(null);
    const killed = await play(64);
    for (const { claims, requests, answers, records, outcomes } of [calm, killed]) {
      expect(new Set(answers)).toEqual(new Set(requests));
      expect(sum(outcomes)).toBe(records);
      expect(outcomes.scores).toBeLessThanOrEqual(new Set(requests).size);
      expect(outcomes.dead).toBe(0);
      const all = Object.values(claims) as Scored[];
      expect(all.length).toBeGreaterThan(20);
      for (const { rumour } of all) {
        expect(rumour.status).toBe('scored');
        expect(rumour.evidence.filter((reason) => reason.startsWith('pending'))).toEqual([]);
      }
    }
    expect(killed.claims).toEqual(calm.claims);
  });
});

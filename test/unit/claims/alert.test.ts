import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../src/event/records.ts';
import { evidence, finalClaims, type Input, MINUTE, runAll, START, slice, startRun } from './evidence.ts';

const CALM = ['0f0f0f0f0f0f0f0f', 'f0c3a5961e2d4b78', '00ff00ff3c3c5555', '5555aaaa3333cccc'];
const HOT = '123456789abcdef0';

let next = 0;
const post = (simhash: string, minutes: number, more: Partial<Evidence> = {}): Evidence => {
  next += 1;
  return evidence(`p${next}`, { simhash, createdAt: START + minutes * MINUTE, ...more });
};
const many = (simhash: string, posts: number, from: number, stepMinutes: number): Evidence[] =>
  Array.from({ length: posts }, (_, i) => post(simhash, from + i * stepMinutes));
const byTime = (posts: Evidence[]): Evidence[] => posts.sort((a, b) => a.createdAt - b.createdAt);

/** Four claims with a post each every 10 minutes / `perWindow`, for a number of hours. */
const usual = (hours: number, perWindow: number): Evidence[] =>
  CALM.flatMap((simhash, i) => many(simhash, hours * 6 * perWindow, i * 0.1, 10 / perWindow));

describe('claim_surge', () => {
  it('fires once when a claim gets ten posts within ten minutes, and is resolved when it calms', () => {
    const run = runAll(byTime([...usual(5, 1), ...many(HOT, 25, 120, 0.5)]), 5);
    expect(run.alerts.map(({ state }) => state)).toEqual(['firing', 'resolved']);
    const [fired, resolved] = run.alerts;
    const onset = START + (120 + 9 * 0.5) * MINUTE;
    expect(fired).toMatchObject({
      rule: 'claim_surge',
      collection: 'flood',
      since: onset,
      at: onset,
      severity: 'warning',
    });
    const claim = (finalClaims(run) as { claimId: string; posts: number }[]).find(
      ({ posts }) => posts === 25,
    );
    expect(fired?.claimIds).toEqual([claim?.claimId]);
    expect(fired?.id).toBe(`claim_surge:${claim?.claimId}:${onset}`);
    expect(fired?.summary).toContain('10 posts in 10 minutes');
    expect(resolved?.id).toBe(fired?.id);
    expect(resolved?.since).toBe(onset);
    expect(resolved?.at).toBeGreaterThan(START + 132 * MINUTE);
  });

  it('stays silent below ten posts', () => {
    expect(runAll(byTime([...usual(5, 1), ...many(HOT, 9, 120, 0.5)])).alerts).toEqual([]);
  });

  it('stays silent for ten posts spread over more than ten minutes', () => {
    expect(runAll(many(HOT, 30, 0, 1.2)).alerts).toEqual([]);
  });

  it('asks for four times the usual where claims are usually busy', () => {
    const busy = usual(3, 8);
    const fires = (posts: number): string[] =>
      runAll(byTime([...busy, ...many(HOT, posts, 120, 0.2)])).alerts.map(({ state }) => state);
    expect(fires(20)).toEqual([]);
    expect(fires(45)).toEqual(['firing', 'resolved']);
  });

  it('fires again at the next onset', () => {
    const run = runAll(byTime([...usual(6, 1), ...many(HOT, 12, 60, 0.5), ...many(HOT, 12, 180, 0.5)]));
    expect(run.alerts.map(({ state }) => state)).toEqual(['firing', 'resolved', 'firing', 'resolved']);
    expect(new Set(run.alerts.map(({ id }) => id)).size).toBe(2);
  });

  it('goes by event time alone: slices make no difference', () => {
    const posts = byTime([...usual(4, 2), ...many(HOT, 40, 60, 0.3)]);
    expect(runAll(posts, 1).alerts).toEqual(runAll(posts, 100).alerts);
  });

  it('is no news when it comes long after its time', () => {
    const run = runAll([...usual(1, 1), post(CALM[0] as string, 600), ...many(HOT, 20, 120, 0.3)]);
    expect(run.alerts).toEqual([]);
  });

  it('counts collections apart', () => {
    const posts = many(HOT, 18, 0, 0.5).map((p, i) => ({ ...p, collection: i % 2 ? 'flood' : 'quake' }));
    expect(runAll(posts).alerts).toEqual([]);
  });

  it('goes on as one alert when two surging claims turn out to be one', () => {
    const other = CALM[3] as string;
    const first = many(HOT, 12, 0, 0.5);
    const second = many(other, 12, 2, 0.5);
    const picture = [{ hash: 'f0c3a5961e2d4b78', flipped: 'f0c3a5961e2d4b78' }];
    const run = startRun();
    slice(run, byTime([...first, ...second]));
    expect(run.alerts.map(({ state }) => state)).toEqual(['firing', 'firing']);
    const tie: Input[] = [first[0], second[0]].map((p) => ({
      ...(p as Evidence),
      revision: 2,
      perceptualHashes: picture,
    }));
    slice(run, tie);
    expect(run.alerts.map(({ state }) => state)).toEqual(['firing', 'firing', 'resolved']);
    expect(run.alerts[2]?.id).toBe(run.alerts[1]?.id);
    slice(run, [post(CALM[0] as string, 60)]);
    expect(run.alerts[3]).toMatchObject({ state: 'resolved', id: run.alerts[0]?.id });
  });
});

/** The study on made-up posts whose truth is known: a cue that holds everywhere, and one that each event turns round. */
import { beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/base/random.ts';
import { fitLine, logitOf } from '../../../../src/training/dense-logistic.ts';
import type { StudyPost } from '../../../../src/training/reproduce/rumour-features.ts';
import { rumourReport } from '../../../../src/training/reproduce/rumour-report.ts';
import { type RumourStudy, studyRumours } from '../../../../src/training/reproduce/rumour-study.ts';

const EVENTS = ['ash', 'birch', 'cedar', 'dune'];

/** Twelve claims an event, eight posts each; text says the truth turned round in every second event, evidence says it. */
function madeUp(): StudyPost[] {
  const random = seededRandom(1);
  const noise = (): number => (random() - 0.5) / 2;
  return EVENTS.flatMap((event, e) =>
    Array.from({ length: 12 }, (_, c) => c).flatMap((c) =>
      Array.from({ length: 8 }, (_, place): StudyPost => {
        const label = (c % 2) as 0 | 1;
        const truth = label === 1 ? 1 : -1;
        return {
          event,
          claim: e * 12 + c,
          label,
          text: `${event} ${c} ${place} words of its own ${random()}`,
          blocks: {
            text: Float32Array.of(e % 2 ? -truth : truth, noise()),
            picture: Float32Array.of(noise()),
            style: Float32Array.of(noise()),
            evidence: Float32Array.of(2 * truth + noise()),
          },
          place,
        };
      }),
    ),
  );
}

let study: RumourStudy;
beforeAll(() => {
  study = studyRumours(madeUp(), new Set(['ash', 'birch']), [1, 2], () => {});
});

describe('studyRumours', () => {
  it('takes every event with both answers and keeps dev events apart', () => {
    expect(study.events.map(({ name, posts, claims, dev }) => [name, posts, claims, dev])).toEqual([
      ['ash', 96, 12, true],
      ['birch', 96, 12, true],
      ['cedar', 96, 12, false],
      ['dune', 96, 12, false],
    ]);
    expect(study.recycled).toBe(0);
  });

  it('finds that content fails on unseen events and that evidence carries over', () => {
    const row = (name: string): RumourStudy['evidence'][number] | undefined =>
      study.evidence.find((one) => one.name === name);
    expect(row('text')?.perPost.value).toBeLessThan(0.6);
    expect(row('corrections, authors, spread alone')?.perPost.value).toBeGreaterThan(0.95);
    expect(row('corrections, authors, spread alone')?.perClaim.value).toBe(1);
  });

  it('finds that rulings bring the head round, on the same test posts', () => {
    const row = study.rulings.find(
      ({ ruled, k, over }) => ruled === 'post' && k === 20 && over === 'test events',
    );
    expect(row?.gain?.value).toBeGreaterThan(0.2);
    expect(row?.gain?.interval[0]).toBeLessThanOrEqual(row?.gain?.value as number);
    // 50 claims are more than an event has.
    expect(study.rulings.some(({ ruled, k }) => ruled === 'claim' && k === 50)).toBe(false);
  });

  it('gives the same figures again, and a report of them', () => {
    expect(studyRumours(madeUp(), new Set(['ash', 'birch']), [1, 2], () => {})).toEqual(study);
    expect(rumourReport(study)).toContain('| cedar | 96 | 48 | 12 | no |');
  });
});

describe('fitLine', () => {
  const rows = [-2, -1, 1, 2].map((x) => ({
    features: Float32Array.of(x),
    label: (x > 0 ? 1 : 0) as 0 | 1,
    weight: 0.25,
  }));

  it('has no slope left at its end', () => {
    const line = fitLine(rows, 0.1, null);
    const gradient = rows.reduce(
      (sum, { features, label, weight }) =>
        sum + weight * (1 / (1 + Math.exp(-logitOf(line, features))) - label) * (features[0] as number),
      0.1 * (line[0] as number),
    );
    expect(Math.abs(gradient)).toBeLessThan(1e-6);
  });

  it('stays where it starts under a strong pull', () => {
    const start = Float64Array.of(-3, 1);
    const line = fitLine(rows, 1e6, start);
    expect(line[0]).toBeCloseTo(-3, 4);
    expect(line[1]).toBeCloseTo(1, 4);
  });
});

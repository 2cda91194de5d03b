/** Curves, comparisons, figures of several classes and the plain text model, against values worked out by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { mcnemar, overSeeds, pairedBootstrap } from '../../../src/training/compare.ts';
import { accuracyAt, reliability, riskCoverage } from '../../../src/training/curves.ts';
import { trainLogistic } from '../../../src/training/logistic.ts';
import { calibrationError } from '../../../src/training/measure.ts';
import {
  anyOfAnswers,
  confusionMatrix,
  measureClasses,
  oneOfAnswers,
} from '../../../src/training/measure-classes.ts';

const labels = (bits: string): (0 | 1)[] => [...bits].map((bit) => (bit === '1' ? 1 : 0));

describe('riskCoverage', () => {
  it('answers the surest posts first, ties together', () => {
    const curve = riskCoverage({ probability: [0.95, 0.1, 0.6, 0.4, 0.55], label: labels('10110') });
    expect(curve).toEqual([
      { coverage: 0.2, accuracy: 1 },
      { coverage: 0.4, accuracy: 1 },
      { coverage: 0.8, accuracy: 0.75 },
      { coverage: 1, accuracy: 0.6 },
    ]);
    expect([accuracyAt(curve, 0.5), accuracyAt(curve, 0.8), accuracyAt(curve, 1)]).toEqual([0.75, 0.75, 0.6]);
    expect(accuracyAt(riskCoverage({ probability: [], label: [] }), 0.8)).toBe(0);
  });

  it('ends at the accuracy of all answers (property)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 10 }), fc.boolean()), { minLength: 1 }),
        (list) => {
          const probability = list.map(([p]) => p / 10);
          const label = list.map(([, y]): 0 | 1 => (y ? 1 : 0));
          const right = list.filter(([p, y]) => p >= 5 === y).length / list.length;
          expect(riskCoverage({ probability, label }).at(-1)).toEqual({ coverage: 1, accuracy: right });
        },
      ),
    );
  });
});

describe('reliability', () => {
  it('compares probability and share in bins of equal size, whose gaps add up to the calibration error', () => {
    const random = seededRandom(2);
    const probability = Array.from({ length: 1_000 }, () => random());
    const label = probability.map((p): 0 | 1 => (random() < p * p ? 1 : 0));
    const bins = reliability({ probability, label }, 15);
    expect(bins).toHaveLength(15);
    expect(bins.reduce((sum, { n }) => sum + n, 0)).toBe(1_000);
    const gap = bins.reduce((sum, bin) => sum + (bin.n / 1_000) * Math.abs(bin.predicted - bin.observed), 0);
    expect(gap).toBeCloseTo(calibrationError({ probability, label }), 9);
    expect(reliability({ probability: [0.2, 0.9], label: [0, 1] }, 15)).toHaveLength(2);
  });
});

describe('comparisons', () => {
  it('McNemar gives the exact binomial tail', () => {
    const pairs = (onlyA: number, onlyB: number): [boolean[], boolean[]] => [
      [...Array(onlyA).fill(true), ...Array(onlyB).fill(false), true, false],
      [...Array(onlyA).fill(false), ...Array(onlyB).fill(true), true, false],
    ];
    expect(mcnemar(...pairs(8, 2))).toBeCloseTo(0.109375, 9);
    expect(mcnemar(...pairs(0, 6))).toBeCloseTo(0.03125, 9);
    expect(mcnemar(...pairs(3, 3))).toBe(1);
    expect(mcnemar(...pairs(0, 0))).toBe(1);
    expect(mcnemar(...pairs(2_000, 1_000))).toBeLessThan(1e-60);
  });

  it('the paired bootstrap covers the gap, and is wider over claims', () => {
    const random = seededRandom(1);
    const claims = Int32Array.from({ length: 600 }, (_, i) => Math.floor(i / 60));
    const base = Array.from(claims, () => (random() < 0.5 ? 1 : 0));
    const better = base.map((value, i) => (Math.floor(i / 60) % 2 === 0 ? 1 : value));
    const posts = pairedBootstrap(better, base, 1);
    const clustered = pairedBootstrap(better, base, 1, claims);
    const width = ({ interval }: { interval: readonly [number, number] }): number =>
      interval[1] - interval[0];
    expect(posts.value).toBeCloseTo(0.25, 1);
    expect(posts.interval[0]).toBeGreaterThan(0);
    expect(width(clustered)).toBeGreaterThan(2 * width(posts));
    expect(pairedBootstrap(better, base, 1)).toEqual(posts);
  });

  it('seeds have a mean, the spread of one run and a t-interval of the mean', () => {
    const { mean, sd, interval } = overSeeds([0.8, 0.82, 0.78, 0.81, 0.79]);
    expect(mean).toBeCloseTo(0.8, 9);
    expect(sd).toBeCloseTo(0.0158114, 6);
    expect((interval?.[1] as number) - mean).toBeCloseTo((2.776 * 0.0158114) / Math.sqrt(5), 6);
    expect(overSeeds([0.8])).toEqual({ mean: 0.8, sd: null, interval: null });
  });
});

describe('measureClasses', () => {
  const classes = ['a', 'b', 'c'];

  it('counts any-of answers by class', () => {
    const scores = [
      [0.9, 0.1, 0.7],
      [0.8, 0.6, 0.2],
      [0.2, 0.3, 0.4],
    ];
    const targets = [
      [1, 0, 0],
      [1, 1, 0],
      [0, 1, 0],
    ];
    const m = measureClasses({ classes, scores, targets }, anyOfAnswers(scores, [0.5, 0.5, 0.5]));
    expect(m.byClass['a']).toEqual({ positives: 2, precision: 1, recall: 1, f1: 1, averagePrecision: 1 });
    expect(m.byClass['b']).toMatchObject({ positives: 2, precision: 1, recall: 0.5, averagePrecision: 1 });
    expect(m.byClass['c']).toEqual({ positives: 0, precision: 0, recall: 0, f1: 0, averagePrecision: null });
    expect(m.accuracy).toBeCloseTo(7 / 9, 9);
    expect(m.exactMatch).toBeCloseTo(1 / 3, 9);
    expect(m.macroF1).toBeCloseTo((1 + 2 / 3 + 0) / 3, 9);
    expect(m.meanAveragePrecision).toBe(1);
  });

  it('averages precision over the posts that have the class, ties together', () => {
    const scores = [[0.9], [0.8], [0.8], [0.1]];
    const targets = [[1], [0], [1], [1]];
    const m = measureClasses({ classes: ['a'], scores, targets }, anyOfAnswers(scores, [0.5]));
    expect(m.byClass['a']?.averagePrecision).toBeCloseTo((1 + 2 / 3 + 3 / 4) / 3, 9);
  });

  it('counts one-of answers, accuracy being the share of right ones', () => {
    const scores = [
      [0.5, 0.3, 0.2],
      [0.1, 0.2, 0.7],
      [0.4, 0.4, 0.2],
      [0.1, 0.8, 0.1],
    ];
    const targets = [
      [1, 0, 0],
      [0, 0, 1],
      [0, 1, 0],
      [0, 1, 0],
    ];
    const answers = oneOfAnswers(scores);
    const m = measureClasses({ classes, scores, targets }, answers);
    expect([m.accuracy, m.exactMatch]).toEqual([0.75, 0.75]);
    expect(confusionMatrix(targets, answers)).toEqual([
      [1, 0, 0],
      [1, 1, 0],
      [0, 0, 1],
    ]);
  });
});

describe('logistic regression on TF-IDF', () => {
  it('learns words and pairs of words, and repeats itself', () => {
    const rows = Array.from({ length: 60 }, (_, i) =>
      i % 2 === 0
        ? { text: `road closed near mile ${i}`, label: 1 as const }
        : { text: `not closed ${i} praying`, label: 0 as const },
    );
    const predict = trainLogistic(rows);
    expect(predict('the road closed')).toBeGreaterThan(0.8);
    expect(predict('not closed')).toBeLessThan(0.2);
    expect(trainLogistic(rows)('closed road')).toBe(predict('closed road'));
  });

  it('weighs rare classes up: one positive in ten under one text is undecided', () => {
    const rows = Array.from({ length: 200 }, (_, i) => ({
      text: 'flood here',
      label: (i % 10 === 0 ? 1 : 0) as 0 | 1,
    }));
    expect(Math.abs(trainLogistic(rows)('flood here') - 0.5)).toBeLessThan(0.2);
  });
});

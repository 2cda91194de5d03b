/** Figures against values worked out by hand or by brute force. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import {
  calibrate,
  calibrationError,
  chooseThresholds,
  measure,
  sigmoid,
  wilson,
} from '../../../src/training/measure.ts';
import { trainNaiveBayes } from '../../../src/training/naive-bayes.ts';

const labels = (bits: string): (0 | 1)[] => [...bits].map((bit) => (bit === '1' ? 1 : 0));

describe('wilson', () => {
  it('gives the published intervals', () => {
    const [low, high] = wilson(140, 159);
    expect(low).toBeCloseTo(0.8206, 3);
    expect(high).toBeCloseTo(0.9223, 3);
    expect(wilson(0, 10)[0]).toBe(0);
    expect(wilson(10, 10)[1]).toBeCloseTo(1, 9);
    expect(wilson(0, 0)).toEqual([0, 1]);
  });
});

describe('measure', () => {
  it('counts a small case right', () => {
    const m = measure({ probability: [0.9, 0.8, 0.4, 0.6, 0.2, 0.1], label: labels('111000') });
    expect(m.confusion).toEqual({ tp: 2, fp: 1, fn: 1, tn: 2 });
    expect(m.accuracy.value).toBeCloseTo(4 / 6, 4);
    expect(m.balancedAccuracy.value).toBeCloseTo(2 / 3, 4);
    expect(m.macroF1.value).toBeCloseTo(2 / 3, 4);
    expect(m.auroc.value).toBeCloseTo(8 / 9, 4);
    expect([m.n, m.positives]).toEqual([6, 3]);
  });

  it('gives majority answers a balanced accuracy and an AUROC of one half', () => {
    const m = measure({ probability: Array.from({ length: 10 }, () => 0.7), label: labels('1111111000') });
    expect(m.accuracy.value).toBe(0.7);
    expect(m.balancedAccuracy.value).toBe(0.5);
    expect(m.auroc.value).toBe(0.5);
  });

  it('AUROC is the share of pairs in the right order, ties counting half', () => {
    const cases = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), {
      minLength: 2,
      maxLength: 25,
    });
    fc.assert(
      fc.property(cases, (list) => {
        const probability = list.map(([p]) => p / 5);
        const label = list.map(([, y]): 0 | 1 => (y ? 1 : 0));
        const positives = probability.filter((_, i) => label[i] === 1);
        const negatives = probability.filter((_, i) => label[i] === 0);
        const pairs = positives.flatMap((p) => negatives.map((n): number => (p > n ? 1 : p === n ? 0.5 : 0)));
        const wanted = pairs.length === 0 ? 0 : pairs.reduce((a, b) => a + b, 0) / pairs.length;
        expect(measure({ probability, label }).auroc.value).toBeCloseTo(wanted, 4);
      }),
      { numRuns: 50 },
    );
  });

  it('puts the value inside its interval and repeats itself', () => {
    const random = seededRandom(3);
    const label = Array.from({ length: 300 }, (): 0 | 1 => (random() < 0.6 ? 1 : 0));
    const probability = label.map((y) => 0.3 * y + 0.7 * random());
    const m = measure({ probability, label });
    for (const { value, interval } of [m.accuracy, m.balancedAccuracy, m.macroF1, m.auroc]) {
      expect(interval[0]).toBeLessThan(value);
      expect(interval[1]).toBeGreaterThan(value);
    }
    expect(measure({ probability, label })).toEqual(m);
  });
});

describe('calibrate', () => {
  it('takes back the scale and bias that were put on honest logits', () => {
    const random = seededRandom(1);
    const honest = Array.from({ length: 20_000 }, () => 6 * random() - 3);
    const label = honest.map((z): 0 | 1 => (random() < sigmoid(z) ? 1 : 0));
    const { scale, bias } = calibrate(
      honest.map((z) => 2 * z + 1),
      label,
    );
    expect(scale).toBeCloseTo(0.5, 1);
    expect(bias).toBeCloseTo(-0.5, 1);
    const probability = honest.map((z) => sigmoid(scale * (2 * z + 1) + bias));
    expect(calibrationError({ probability, label })).toBeLessThan(0.02);
    expect(calibrationError({ probability: honest.map((z) => sigmoid(4 * z)), label })).toBeGreaterThan(0.05);
  });

  it('gives the share of positives, whatever the logit, where higher logits mean less', () => {
    const random = seededRandom(2);
    const logits = Array.from({ length: 400 }, () => 20 * random() - 4);
    const label = logits.map((z): 0 | 1 => (random() < sigmoid(1 - z / 4) ? 1 : 0));
    const { scale, bias } = calibrate(logits, label);
    const mean = label.filter((y) => y === 1).length / label.length;
    for (const z of logits) expect(sigmoid(scale * z + bias)).toBeCloseTo(mean, 1);
  });

  it('stays finite where the classes are separable or one is missing', () => {
    for (const label of [labels('0011'), labels('1111')]) {
      const { scale, bias } = calibrate([-2, -1, 1, 2], label);
      expect(Number.isFinite(scale) && scale > 0 && Number.isFinite(bias)).toBe(true);
    }
  });
});

describe('chooseThresholds', () => {
  it('takes the widest answers that are right often enough', () => {
    const probability = [0.99, 0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1, 0.01];
    const { yes, no } = chooseThresholds({ probability, label: labels('1111001000') }, 1);
    expect({ yes, no }).toEqual({ yes: 0.7, no: 0.2 });
  });

  it('is unsure of everything where nothing reaches the target', () => {
    const probability = [0.9, 0.8, 0.2, 0.1];
    expect(chooseThresholds({ probability, label: labels('0011') }, 0.9)).toEqual({ yes: 1, no: 0 });
  });

  it('does not rest a threshold on a few lucky answers', () => {
    const probability = [0.9, 0.8, 0.7, 0.6, 0.2];
    const scored = { probability, label: labels('11000') };
    expect(chooseThresholds(scored, 0.9).yes).toBe(0.8);
    expect(chooseThresholds(scored, 0.9, 3).yes).toBe(1);
  });
});

describe('naive Bayes', () => {
  it('follows the words, and the prior where it knows none', () => {
    const predict = trainNaiveBayes([
      { text: 'bridge closed flood', label: 1 },
      { text: 'road closed', label: 1 },
      { text: 'praying for all', label: 0 },
    ]);
    expect(predict('flood on the road')).toBeGreaterThan(0.6);
    expect(predict('praying')).toBeLessThan(0.5);
    expect(predict('zzz')).toBeCloseTo(0.6, 5);
  });
});

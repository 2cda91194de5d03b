import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../../../src/training/dataset.ts';
import {
  inScope,
  mafnTwitterPlan,
  mafnWeiboPlan,
  robustPlan,
} from '../../../../src/training/reproduce/plan.ts';

const data = { name: 'Weibo', sha256: 'x', examples: [] } as unknown as Dataset;

describe('the plan of MAFN’s tables', () => {
  it('runs on Weibo what reads no picture, on the split without leaks first, seed by seed', () => {
    const plan = mafnWeiboPlan(data, ['official-disjoint', 'official'], 'zh', {
      seeds: [1, 2],
      options: { maxEpochs: 3 },
    });
    expect(plan.map(({ protocol, model, seed }) => `${seed} ${protocol} ${model}`)).toEqual(
      [1, 2].flatMap((seed) =>
        ['official-disjoint', 'official'].flatMap((protocol) =>
          ['textual', 'mafn-without-image', 'mafn-entity-only'].map(
            (model) => `${seed} ${protocol} ${model}`,
          ),
        ),
      ),
    );
    for (const { config } of plan) expect(config).not.toMatchObject({ image: true });
    expect(plan[0]?.options).toEqual({ maxEpochs: 3, maxTokens: 128, textEncoder: 'zh', tagger: 'chinese' });
  });

  it('counts only posts with a text there', () => {
    expect(inScope({ text: '', picture: null }, 'written')).toBe(false);
    expect(inScope({ text: '停水', picture: null }, 'written')).toBe(true);
    expect(inScope({ text: '停水', picture: null }, 'pictured')).toBe(false);
  });

  it('keeps the rows that the comparison rests on in the short form', () => {
    const plan = mafnTwitterPlan(data, ['official'], { seeds: [1], options: {}, short: true });
    expect(plan.map(({ model }) => model)).toEqual([
      'textual',
      'visual',
      'eann',
      'mafn',
      'mafn-without-affine',
    ]);
  });
});

describe('the plan of MMAT’s defended rows', () => {
  const mmat = {
    ...data,
    examples: [{ event: 'srilanka_floods', text: 'x', picture: null }],
  } as unknown as Dataset;
  const onPapersSplit = (short: boolean) =>
    robustPlan(mmat, { seeds: [1], options: {}, short })
      .filter(({ protocol }) => protocol === 'paper')
      .map(({ training, options }) => [training, options]);

  it('compares with the paper for several numbers of neighbours, as it names none; ten is what all else uses', () => {
    const plain = { classWeights: false };
    expect(onPapersSplit(false)).toEqual([
      ['none', plain],
      ['static', plain],
      ['none', { ...plain, neighbours: 5 }],
      ['static', { ...plain, neighbours: 5 }],
      ['none', { ...plain, neighbours: 4 }],
      ['static', { ...plain, neighbours: 4 }],
      ['none', { ...plain, neighbours: 3 }],
      ['static', { ...plain, neighbours: 3 }],
    ]);
  });

  it('keeps to ten in the short form', () => {
    expect(onPapersSplit(true)).toHaveLength(2);
  });

  it('trains every network of the honest split once, and asks where its answers should tip', () => {
    const plan = robustPlan(mmat, { seeds: [1], options: {} }).filter(
      ({ protocol }) => protocol === 'grouped',
    );
    expect(plan.map(({ training }) => training)).toEqual([
      'none',
      'static',
      'on-the-fly',
      'hull',
      'hull-balanced',
      'swap-and-hull',
      'part-way',
    ]);
    for (const { options } of plan) expect(options).toEqual({ classWeights: true, tips: true });
  });
});

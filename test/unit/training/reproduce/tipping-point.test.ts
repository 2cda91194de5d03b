/** Where answers tip is found on dev alone, and no attack depends on it. */

import type { Variable } from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import type { Posts } from '../../../../src/adversarial/attack.ts';
import { fgsm } from '../../../../src/adversarial/fgsm.ts';
import { greedyWords } from '../../../../src/adversarial/greedy-words.ts';
import { pgd } from '../../../../src/adversarial/pgd.ts';
import { probabilities } from '../../../../src/adversarial/suite.ts';
import { seededRandom } from '../../../../src/base/random.ts';
import type { Tf } from '../../../../src/models/engine/tf.ts';
import { mmn } from '../../../../src/models/zoo/mmn.ts';
import { textCnn } from '../../../../src/models/zoo/text-cnn.ts';
import { attackedPosts } from '../../../../src/training/defences.ts';
import { PAPER_EPSILON } from '../../../../src/training/picture-defences.ts';
import { type RobustResult, type Row, robustRuns } from '../../../../src/training/reproduce/robust.ts';
import { tippedAt, tippingPoint } from '../../../../src/training/reproduce/tipping-point.ts';
import { TRAINING_DEFAULTS } from '../../../../src/training/train.ts';
import { encodeScene, scenePosts, sceneSpace, sceneVictim } from '../../../support/attack-scene.ts';
import { onEngine } from '../../../support/tensor-check.ts';

let tf: Tf;
onEngine((opened) => {
  tf = opened;
});

const pointOf = (rows: readonly (readonly [number, 0 | 1])[]): number =>
  tippingPoint(
    Float32Array.from(rows, ([logit]) => logit),
    Float32Array.from(rows, ([, label]) => label),
  );

describe('tippingPoint', () => {
  it('lies where both classes are answered equally well, however many there are of each', () => {
    // Shifted by 3; five positives on either side of it for one negative on either side.
    const once = [-1, 1].flatMap((z) => [[z, 0], ...Array(5).fill([z, 1])] as [number, 0 | 1][]);
    expect(pointOf(once.map(([z, label]) => [z + 3, label]))).toBeCloseTo(3, 5);
    // Nine positives, one negative: an untold network would say yes to all.
    const lopsided = [[1, 0], ...Array(9).fill([5, 1])] as [number, 0 | 1][];
    expect(pointOf(lopsided)).toBeCloseTo(3, 5);
  });

  it('has the same mean probability of the right answer for both', () => {
    const rows = Array.from({ length: 60 }, (_, i) => [((i * 37) % 60) / 7, i % 5 === 0 ? 0 : 1] as const);
    const point = pointOf(rows);
    const right = ([0, 1] as const).map((label) => {
      const own = rows.filter(([, truth]) => truth === label).map(([z]) => 1 / (1 + Math.exp(point - z)));
      const yes = own.reduce((sum, p) => sum + p, 0) / own.length;
      return label === 1 ? yes : 1 - yes;
    });
    expect(right[0]).toBeCloseTo(right[1] as number, 5);
    expect(pointOf([...rows].reverse())).toBeCloseTo(point, 5);
  });

  it('stays at 0 where a class is absent', () => {
    expect(
      pointOf([
        [1, 1],
        [3, 1],
      ]),
    ).toBe(0);
  });
});

it('moves answers as the bias of the last layer would, and attacks do not care on which side of it they are', () => {
  for (const [architecture, pictures] of [
    [textCnn, false],
    [mmn, true],
  ] as const) {
    const posts = scenePosts(8, pictures);
    const { network, victim } = sceneVictim(tf, architecture, sceneSpace(tf));
    const crafted = (): Posts[] => [
      posts,
      attackedPosts(tf, victim, posts, PAPER_EPSILON),
      greedyWords().generate(victim, posts, seededRandom(1)).posts,
      fgsm(0.1).generate(victim, posts, seededRandom(1)).posts,
      pgd({ epsilon: 0.1, steps: 3, stepSize: 0.05, starts: 2 }).generate(victim, posts, seededRandom(1))
        .posts,
    ];
    const before = crafted();
    const answers = before.map((each) => tippedAt(probabilities(victim, each), 1.5));
    const bias = network.layers.getLayer('logit').weights[1]?.read() as Variable;
    tf.tidy(() => bias.assign(tf.sub(bias, 1.5)));
    crafted().forEach((each, i) => {
      expect(each).toEqual(before[i]);
      probabilities(victim, each).forEach((p, k) => {
        expect(answers[i]?.[k]).toBeCloseTo(p, 6);
      });
    });
    network.dispose();
  }
});

it('keeps answers that are as sure as they can be', () => {
  expect(tippedAt([0, 1], 3)).toEqual([0, 1]);
});

it('is found for every row of a table, on dev, and leaves what is answered as it is', async () => {
  const { texts, labels } = scenePosts(60, false);
  const rows = texts.map((text, i): Row => ({ text, pixels: null, label: labels[i] === 1 ? 1 : 0 }));
  // The test posts are dev, so that the answers there say where they should tip.
  const parts = { train: rows.slice(0, 30), dev: rows.slice(30), test: rows.slice(30) };
  const found = async (tips: boolean): Promise<RobustResult[]> => {
    const deps = { tf, vocabulary: { encode: encodeScene } as never, wordVectors: new Float32Array() };
    const runs: RobustResult[] = [];
    for await (const run of robustRuns(deps, sceneSpace(tf), {
      model: 'text-cnn',
      parts,
      defences: ['none', 'static', 'swap-and-hull', 'part-way'],
      options: { ...TRAINING_DEFAULTS, seed: 1, maxEpochs: 1 },
      tips,
      greedy: false,
    }))
      runs.push(run);
    return runs;
  };
  const [without, runs] = [await found(false), await found(true)];
  expect(without.map(({ tip }) => tip)).toEqual([null, null, null, null]);
  expect(runs.map((run) => ({ ...run, tip: null }))).toEqual(without);
  for (const { tip, clean } of runs) {
    const logits = clean.map((p) => Math.log(p / (1 - p)));
    expect(tip).toBeCloseTo(pointOf(logits.map((z, i) => [z, parts.test[i]?.label as 0 | 1])), 5);
    expect(Math.abs(tip as number)).toBeGreaterThan(1e-3);
  }
});

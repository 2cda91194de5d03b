/** Where answers tip is found on dev alone, and attacks are told of it. */
import { describe, expect, it } from 'vitest';
import type { Tf } from '../../../../src/models/engine/tf.ts';
import { textCnn } from '../../../../src/models/zoo/text-cnn.ts';
import { type Row, robustRuns } from '../../../../src/training/reproduce/robust.ts';
import { tipAt, tippingPoint } from '../../../../src/training/reproduce/tipping-point.ts';
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

it('is in the network that attacks are told of', () => {
  const posts = scenePosts(8, false);
  const { network, victim } = sceneVictim(tf, textCnn, sceneSpace(tf));
  const before = victim.logits(posts);
  tipAt(tf, network, 1.5);
  const after = victim.logits(posts);
  const losses = victim.losses(posts);
  after.forEach((z, i) => {
    expect(z).toBeCloseTo((before[i] as number) - 1.5, 5);
    expect(losses[i]).toBeCloseTo(Math.log1p(Math.exp(posts.labels[i] === 1 ? -z : z)), 5);
  });
  network.dispose();
});

it('is set for every row of a table before that is attacked', async () => {
  const { texts, labels } = scenePosts(60, false);
  const rows = texts.map((text, i): Row => ({ text, pixels: null, label: labels[i] === 1 ? 1 : 0 }));
  const parts = { train: rows.slice(0, 30), dev: rows.slice(30, 50), test: rows.slice(50) };
  const logits = async (balancedTip: boolean): Promise<number[][]> => {
    const vocabulary = { encode: encodeScene } as never;
    const task = {
      model: 'text-cnn',
      parts,
      defences: ['none', 'static', 'swap-and-hull', 'part-way'],
      options: { ...TRAINING_DEFAULTS, seed: 1, maxEpochs: 1 },
      balancedTip,
      greedy: false,
    } as const;
    const found: number[][] = [];
    for await (const { clean, attacked } of robustRuns(
      { tf, vocabulary, wordVectors: new Float32Array() },
      sceneSpace(tf),
      task,
    ))
      found.push([...clean, ...(attacked['adaptive'] as number[])].map((p) => Math.log(p / (1 - p))));
    return found;
  };
  const [bare, tipped] = [await logits(false), await logits(true)];
  expect(bare).toHaveLength(4);
  expect(bare[3]).not.toEqual(bare[2]);
  bare.forEach((row, at) => {
    const moved = row.map((z, i) => z - (tipped[at]?.[i] as number));
    expect(Math.abs(moved[0] as number)).toBeGreaterThan(1e-3);
    for (const by of moved) expect(by).toBeCloseTo(moved[0] as number, 3);
  });
});

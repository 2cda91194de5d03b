/** A network that goes part of the way from undefended to defended. */
import { expect, it } from 'vitest';
import type { Tf } from '../../../src/models/engine/tf.ts';
import type { Network } from '../../../src/models/zoo/contract.ts';
import { MMN_DEFAULTS, mmn } from '../../../src/models/zoo/mmn.ts';
import { mixWeights, weightsOf } from '../../../src/training/mix-weights.ts';
import type { PairSetting } from '../../../src/training/pair.ts';
import { trainPartWay } from '../../../src/training/part-way.ts';
import { TRAINING_DEFAULTS, type TrainingResult } from '../../../src/training/train.ts';
import { onEngine } from '../../support/tensor-check.ts';
import { TINY_DIMS } from '../../support/tiny-encoder.ts';

let tf: Tf;
onEngine((opened) => {
  tf = opened;
});

it('is trained without a defence, on from there under it, and keeps its share of the change', async () => {
  const build = (seed: number): Network =>
    mmn.build(tf, { ...MMN_DEFAULTS, textFilters: 2 }, TINY_DIMS, { kind: 'sigmoid', outputs: 1 }, seed);
  const network = build(1);
  const first = weightsOf(network);
  const order: [string | undefined, number][] = [];
  // Each training adds one to every weight, the one under the defence ten.
  const trainOne: PairSetting['trainOne'] = async (trained, _build, { defence }, { checkpoints }) => {
    order.push([defence, (weightsOf(trained)[0]?.[0] as number) - (first[0]?.[0] as number)]);
    expect(checkpoints).toBeNull();
    const now = weightsOf(trained);
    const step = defence === 'none' ? 1 : 10;
    mixWeights(
      tf,
      trained,
      now,
      now.map((values) => values.map((value) => value + step)),
      1,
    );
    return { epochs: order.length } as TrainingResult;
  };
  const options = { ...TRAINING_DEFAULTS, seed: 1, defence: 'hull' } as const;
  const hooks = { checkpoints: null, report: () => {} };
  const result = await trainPartWay(tf, trainOne, network, build, options, 0.25, hooks);
  expect(result).toEqual({ epochs: 2 });
  expect(order.map(([defence]) => defence)).toEqual(['none', 'hull']);
  expect(order[1]?.[1]).toBeCloseTo(1, 5);
  weightsOf(network).forEach((values, i) => {
    values.forEach((value, k) => {
      expect(value - (first[i]?.[k] as number)).toBeCloseTo(3.5, 4);
    });
  });
  network.dispose();
});

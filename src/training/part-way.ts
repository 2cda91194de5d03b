/**
 * Part of the way from an undefended network to a defended one: trained without a defence first and on under it from there, it keeps
 * a share of what the second training changed (WiSE-FT, Wortsman et al. 2022). Unlike two networks added up (pair.ts) it is no wider.
 */
import type { Tf } from '../models/engine/tf.ts';
import type { Network } from '../models/zoo/contract.ts';
import type { DefendedOptions } from './harden.ts';
import { mixWeights, weightsOf } from './mix-weights.ts';
import type { PairSetting } from './pair.ts';
import { SILENT, type TrainingHooks, type TrainingResult } from './train.ts';

/**
 * @param share of the way that is kept
 */
export async function trainPartWay(
  tf: Tf,
  trainOne: PairSetting['trainOne'],
  network: Network,
  build: (seed: number) => Network,
  options: DefendedOptions,
  share: number,
  hooks: Pick<TrainingHooks, 'checkpoints' | 'report'>,
): Promise<TrainingResult> {
  await trainOne(network, build, { ...options, defence: 'none' }, SILENT);
  const before = weightsOf(network);
  const result = await trainOne(network, build, options, hooks);
  mixWeights(tf, network, before, weightsOf(network), share);
  return result;
}

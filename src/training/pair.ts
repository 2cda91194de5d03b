/**
 * Two networks as one: a defended MMN and an undefended one of the same training, whose logits are added. The sum of two such
 * networks is an MMN again, with the filters and the fusion units of both, so it is served, attacked and retrained like any
 * other. Alone the defended one errs on clean posts where the other does not; together they are right on more of both kinds.
 */
import type { Tensor } from '@tensorflow/tfjs';
import { TocsinError } from '../base/errors.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Architecture, Dims, Head, Network } from '../models/zoo/contract.ts';
import type { MmnConfig } from '../models/zoo/mmn.ts';
import { type DefendedOptions, TWIN_SEED } from './harden.ts';
import { calibrate } from './measure.ts';
import type { Labelled } from './table.ts';
import { predict, SILENT, type TrainingHooks, type TrainingResult } from './train.ts';

export interface PairSetting {
  readonly tf: Tf;
  readonly architecture: Architecture;
  /** Of the whole. */
  readonly config: object;
  readonly dims: Dims;
  readonly head: Head;
  readonly dev: Labelled;
  /** Trains one of the two. */
  readonly trainOne: (
    network: Network,
    build: (seed: number) => Network,
    options: DefendedOptions,
    hooks: Pick<TrainingHooks, 'checkpoints' | 'report'>,
  ) => Promise<TrainingResult>;
}

/**
 * Trains both and leaves their sum in `whole`. Of the undefended one no checkpoint is kept: a killed run trains it again, to the
 * same weights. Throws BAD_USAGE for another architecture than MMN, more than one output and odd widths.
 * @param share the undefended one's, of logits that are equally sure on dev
 */
export async function trainPair(
  setting: PairSetting,
  whole: Network,
  options: DefendedOptions,
  share: number,
  hooks: Pick<TrainingHooks, 'checkpoints' | 'report'>,
): Promise<TrainingResult> {
  const { tf, architecture, dims, head, dev, trainOne } = setting;
  const config = halfOf(setting);
  const build = (seed: number): Network => architecture.build(tf, config, dims, head, seed);
  const plain = build(options.seed + TWIN_SEED);
  const defended = build(options.seed);
  try {
    await trainOne(plain, build, { ...options, defence: 'none' }, SILENT);
    const result = await trainOne(defended, build, options, hooks);
    const sureness = (network: Network): number => {
      const logits = predict(tf, network, head, dev.table);
      return calibrate(
        Array.from(logits),
        Array.from(dev.labels, (label) => (label === 1 ? 1 : 0)),
      ).scale;
    };
    addUp(tf, whole, [
      { network: plain, factor: share * sureness(plain) },
      { network: defended, factor: (1 - share) * sureness(defended) },
    ]);
    return result;
  } finally {
    plain.dispose();
    defended.dispose();
  }
}

function halfOf({ architecture, config, head }: PairSetting): MmnConfig {
  const whole = config as MmnConfig;
  const half = { ...whole, textFilters: whole.textFilters / 2, fusionUnits: whole.fusionUnits / 2 };
  if (
    architecture.name === 'mmn' &&
    head.outputs === 1 &&
    [half.textFilters, half.fusionUnits].every(Number.isInteger)
  )
    return half;
  throw new TocsinError(
    'BAD_USAGE',
    'Training two networks as one: it takes an mmn with one output, an even number of textFilters and of fusionUnits.',
  );
}

interface Summand {
  readonly network: Network;
  readonly factor: number;
}

/** Gives `whole` the weights with which its logits are the sum of the others' logits times their factors. Pictures count nothing. */
export function addUp(tf: Tf, whole: Network, summands: readonly Summand[]): void {
  tf.tidy(() => {
    const of = (layer: string): Tensor[][] =>
      summands.map(({ network }) => network.layers.getLayer(layer).getWeights());
    const joined = (layer: string, which: number, axis: number): Tensor =>
      tf.concat(
        of(layer).map((weights) => weights[which] as Tensor),
        axis,
      );
    whole.layers.getLayer('text_conv').setWeights([joined('text_conv', 0, 2), joined('text_conv', 1, 0)]);
    const [fusion] = whole.layers.getLayer('fusion').getWeights() as [Tensor];
    const [rows] = fusion.shape as [number];
    // Each reads its own filters alone: blocks on a diagonal, zeros elsewhere.
    const blocks = of('fusion').map(([kernel], i) => {
      const filters = summands[i]?.network.layers.getLayer('text_conv').getWeights()[1]?.size as number;
      const before = summands
        .slice(0, i)
        .reduce(
          (sum, { network }) => sum + (network.layers.getLayer('text_conv').getWeights()[1]?.size ?? 0),
          0,
        );
      const own = tf.slice(kernel as Tensor, [0, 0], [filters, -1]);
      return tf.pad(own, [
        [before, rows - before - filters],
        [0, 0],
      ]);
    });
    whole.layers.getLayer('fusion').setWeights([tf.concat(blocks, 1), joined('fusion', 1, 0)]);
    const scaled = of('logit').map((weights, i) =>
      weights.map((weight) => tf.mul(weight, (summands[i] as Summand).factor)),
    );
    whole.layers.getLayer('logit').setWeights([
      tf.concat(
        scaled.map(([kernel]) => kernel as Tensor),
        0,
      ),
      tf.addN(scaled.map(([, bias]) => bias as Tensor)),
    ]);
  });
}

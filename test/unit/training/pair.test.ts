/** A defended and an undefended network as one MMN: its logits are theirs, added. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createVictim } from '../../../src/adversarial/victim.ts';
import type { WordSpace } from '../../../src/adversarial/word-space.ts';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import type { Head, Network } from '../../../src/models/zoo/contract.ts';
import { MMN_DEFAULTS, mmn } from '../../../src/models/zoo/mmn.ts';
import { textCnn } from '../../../src/models/zoo/text-cnn.ts';
import { wordTable } from '../../../src/training/defences.ts';
import { calibrate } from '../../../src/training/measure.ts';
import { addUp, type PairSetting, trainPair } from '../../../src/training/pair.ts';
import { TRAINING_DEFAULTS, type TrainingResult } from '../../../src/training/train.ts';
import { encodeScene, scenePosts, sceneSpace } from '../../support/attack-scene.ts';
import { TINY_DIMS } from '../../support/tiny-encoder.ts';

const HEAD: Head = { kind: 'sigmoid', outputs: 1 };
const WHOLE = { ...MMN_DEFAULTS, textFilters: 12, fusionUnits: 8 };
const HALF = { ...WHOLE, textFilters: 6, fusionUnits: 4 };
const POSTS = scenePosts(24, false);
const OPTIONS = { ...TRAINING_DEFAULTS, seed: 5 };

let tf: Tf;
let space: WordSpace;
const opened: Network[] = [];
const built = (config: object, seed: number): Network => {
  const network = mmn.build(tf, config as typeof WHOLE, TINY_DIMS, HEAD, seed);
  opened.push(network);
  return network;
};
const logitsOf = (network: Network): number[] => [
  ...createVictim(tf, { network, head: HEAD, columns: ['words'], space, encode: encodeScene }).logits(POSTS),
];
const expectClose = (actual: readonly number[], wanted: readonly number[]): void => {
  expect(actual).toHaveLength(wanted.length);
  actual.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i] as number, 4);
  });
};

beforeAll(async () => {
  tf = await openEngine({ backend: 'wasm', report: () => {} });
  space = sceneSpace(tf);
});
afterAll(() => {
  for (const network of opened) network.dispose();
});

describe('networks added up', () => {
  it('have the sum of their logits, each times its factor', () => {
    const [first, second] = [built(HALF, 1), built(HALF, 2)];
    const whole = built(WHOLE, 3);
    // Biases are zero at first, and would not be missed.
    for (const layer of ['text_conv', 'fusion', 'logit'])
      tf.tidy(() => {
        const [kernel, bias] = second.layers.getLayer(layer).getWeights();
        second.layers.getLayer(layer).setWeights([kernel as never, tf.add(bias as never, 0.3)]);
      });
    const [one, two] = [logitsOf(first), logitsOf(second)];
    addUp(tf, whole, [
      { network: first, factor: 0.5 },
      { network: second, factor: 2 },
    ]);
    expectClose(
      logitsOf(whole),
      one.map((z, i) => 0.5 * z + 2 * (two[i] as number)),
    );
    expect([logitsOf(first), logitsOf(second)]).toEqual([one, two]);
  });
});

describe('a pair', () => {
  const dev = (): PairSetting['dev'] => wordTable(space.vectors, POSTS.words, POSTS.labels);
  const setting = (trainOne: PairSetting['trainOne'], changed: Partial<PairSetting> = {}): PairSetting => ({
    tf,
    architecture: mmn,
    config: WHOLE,
    dims: TINY_DIMS,
    head: HEAD,
    dev: dev(),
    trainOne,
    ...changed,
  });
  const hooks = { checkpoints: null, report: () => {} };

  it('is an undefended network and a defended one, by their shares of logits that are equally sure', async () => {
    const seen: { defence: string | undefined; logits: number[] }[] = [];
    const trainOne: PairSetting['trainOne'] = async (network, build, { defence }) => {
      build(9).dispose();
      seen.push({ defence, logits: logitsOf(network) });
      return { epochs: seen.length } as TrainingResult;
    };
    const whole = built(WHOLE, 4);
    const before = tf.memory().numTensors;
    const result = await trainPair(setting(trainOne), whole, { ...OPTIONS, defence: 'hull' }, 0.25, hooks);
    expect(tf.memory().numTensors).toBe(before);
    expect(result).toEqual({ epochs: 2 });
    expect(seen.map(({ defence }) => defence)).toEqual(['none', 'hull']);
    const truth = Array.from(POSTS.labels, (label): 0 | 1 => (label === 1 ? 1 : 0));
    const [plain, defended] = seen.map(({ logits }) =>
      logits.map((z) => z * calibrate(logits, truth).scale),
    ) as [number[], number[]];
    expectClose(
      logitsOf(whole),
      plain.map((z, i) => 0.25 * z + 0.75 * (defended[i] as number)),
    );
  });

  it('is refused for what has no halves', async () => {
    const trainOne = (): Promise<TrainingResult> => Promise.reject(new Error('not to be trained'));
    const whole = built(WHOLE, 4);
    for (const changed of [
      { config: { ...WHOLE, textFilters: 7 } },
      { head: { kind: 'sigmoid', outputs: 3 } as const },
      { architecture: textCnn, config: textCnn.defaults },
    ])
      await expect(
        trainPair(setting(trainOne, changed as Partial<PairSetting>), whole, OPTIONS, 0.2, hooks),
      ).rejects.toMatchObject({ code: 'BAD_USAGE' });
  });
});

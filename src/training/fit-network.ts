/** Trains a network on a split's train posts; what calibration and judgement need of it. */
import { TocsinError } from '../base/errors.ts';
import type { Basis } from '../models/class-probabilities.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Architecture, Column, Dims, Head, Network } from '../models/zoo/contract.ts';
import { buildTable, type Shown } from './build-table.ts';
import type { CheckpointStore, EpochReport } from './checkpoint.ts';
import type { Dataset, Example } from './dataset.ts';
import { dimsOf, type Encoders } from './encoders.ts';
import { type DefendedOptions, harden } from './harden.ts';
import { type PairSetting, trainPair } from './pair.ts';
import { trainPartWay } from './part-way.ts';
import { openPictures, type Pictures } from './pictures.ts';
import { isPictured, logitsOf, type Scoring, show } from './score.ts';
import { pick, type Split } from './splits.ts';
import type { Labelled } from './table.ts';
import { targetOf } from './tasks.ts';
import { taughtBy } from './taught.ts';
import type { Teaching } from './teachers.ts';
import { type TrainingResult, train } from './train.ts';

/** What is trained. */
export interface Model {
  readonly architecture: Architecture;
  readonly config: object;
  /** Yes or no: one sigmoid output, or a softmax over both. Several classes: one output each. */
  readonly head: Head;
}

export interface FitDeps {
  readonly tf: Tf;
  readonly encoders: Encoders;
  /** Opened for several runs on the same data; otherwise for this one. */
  readonly pictures?: Pictures;
  /** Tokens per text, where it is not the usual number. */
  readonly maxTokens?: number | undefined;
  /** Needed where the options ask for teachers. */
  readonly teaching?: Teaching | null;
  readonly checkpoints: CheckpointStore | null;
  readonly report: (epoch: EpochReport) => void;
}

/** An example with its picture in memory. */
export interface Loaded extends Shown {
  /** Zeros and ones, [outputs]. */
  readonly target: readonly number[];
}

export interface TrainedNetwork {
  /** The caller disposes of it. */
  readonly network: Network;
  readonly dims: Dims;
  /** Which modalities it reads and has seen in training; how many posts it was taught that teachers alone answered. */
  readonly learnt: { readonly text: boolean; readonly image: boolean; readonly unlabelled: number };
  readonly result: TrainingResult;
  readonly scoring: Scoring;
  readonly train: readonly Loaded[];
  readonly dev: readonly Loaded[];
  readonly test: readonly Loaded[];
  readonly testExamples: readonly Example[];
}

const TEXT: readonly Column[] = ['words', 'tokens', 'tokenMask', 'sentence', 'entities'];
const IMAGE: readonly Column[] = ['pixels', 'imageLogits', 'imageFeatures'];

/** Throws BAD_USAGE for a network that reads pictures alone where there are none. */
export async function trainNetwork(
  deps: FitDeps,
  model: Model,
  data: Dataset,
  split: Split,
  options: DefendedOptions,
): Promise<TrainedNetwork> {
  const { tf, encoders, checkpoints, report } = deps;
  const { architecture, config, head } = model;
  const events = [...new Set(pick(data, split.train).map(({ event }) => event))].sort();
  const load = loader(data, head, events, deps.pictures ?? openPictures());
  const testExamples = pick(data, split.test);
  const trainPosts = await load(pick(data, split.train));
  const dev = await load(pick(data, split.dev));
  const test = await load(testExamples);

  const pictures = trainPosts.some(isPictured);
  const reads = architecture.columns(config);
  const learnt = {
    text: reads.some((column) => TEXT.includes(column)),
    image: pictures && reads.some((column) => IMAGE.includes(column)),
  };
  if (!learnt.text && !learnt.image)
    throw new TocsinError(
      'BAD_USAGE',
      `Training ${architecture.name} on ${data.name}: it reads pictures alone, and the training posts have none.`,
    );
  // A network that never saw pictures is not shown any.
  const columns = reads.filter((column) => pictures || column !== 'pixels');
  const dims = dimsOf(encoders, events.length, deps.maxTokens);
  const labelled = async (posts: readonly Loaded[]): Promise<Labelled> => ({
    table: await buildTable(posts, columns, encoders, dims),
    labels: Float32Array.from(posts.flatMap(({ target }) => target)),
  });
  const network = architecture.build(tf, config, dims, head, options.seed);
  try {
    const rows = { train: await labelled(trainPosts), dev: await labelled(dev) };
    const build = (seed: number): Network => architecture.build(tf, config, dims, head, seed);
    const taught =
      options.teachersPart === undefined
        ? { ...rows.train, answered: trainPosts }
        : await taughtBy(deps, options, {
            data,
            split,
            head,
            build,
            columns,
            dims,
            rows,
            posts: { train: trainPosts, dev },
          });
    const trainOne: PairSetting['trainOne'] = async (built, build, under, own) => {
      const { train: hardened, hooks } = await harden(
        {
          tf,
          encoders,
          head,
          build,
          train: taught,
          dev: { ...rows.dev, answered: dev },
        },
        built,
        under,
      );
      return train(tf, built, head, { train: hardened, dev: rows.dev }, under, { ...own, ...hooks });
    };
    const { plainShare, defendedShare } = options;
    const own = { checkpoints, report };
    const pair = { tf, architecture, config, dims, head, dev: rows.dev, trainOne };
    let result: TrainingResult;
    if (plainShare !== undefined) result = await trainPair(pair, network, options, plainShare, own);
    else if (defendedShare !== undefined)
      result = await trainPartWay(tf, trainOne, network, build, options, defendedShare, own);
    else result = await trainOne(network, build, options, own);
    const scoring = { tf, network, head, columns, dims, encoders };
    const unlabelled = taught.answered.length - trainPosts.length;
    const posts = { train: trainPosts, dev, test, testExamples };
    return { network, dims, learnt: { ...learnt, unlabelled }, result, scoring, ...posts };
  } catch (thrown) {
    network.dispose();
    throw thrown;
  }
}

function loader(
  data: Dataset,
  head: Head,
  events: readonly string[],
  pictures: Pictures,
): (examples: readonly Example[]) => Promise<Loaded[]> {
  return async (examples) =>
    (await show(examples, events, pictures)).map((shown, i) => {
      const { id, labels } = examples[i] as Example;
      const target = targetOf(labels, data.task, data.classes);
      if (!target) throw new TocsinError('INTERNAL', `Example ${id} has no label for ${data.task}.`);
      // A yes-or-no head of one output says yes.
      return { ...shown, target: target.slice(-head.outputs) };
    });
}

/** The logits of one post, looked at in one way. */
export interface CalibrationRow {
  readonly basis: Basis;
  /** [outputs] */
  readonly logits: readonly number[];
  readonly target: readonly number[];
  /** Whether calibration learns from it. */
  readonly fits: boolean;
  /** Whether it is how the post would be served. */
  readonly own: boolean;
}

/** Every post as the network may meet it: its text alone, its picture alone, both. */
export async function calibrationRows(
  { scoring, learnt }: TrainedNetwork,
  posts: readonly Loaded[],
): Promise<CalibrationRow[]> {
  const rows = async (
    basis: Basis,
    shown: readonly Loaded[],
    hide: Partial<Shown>,
    of: { readonly fits: (post: Loaded) => boolean; readonly own: (post: Loaded) => boolean },
  ): Promise<CalibrationRow[]> => {
    const logits = await logitsOf(
      scoring,
      shown.map((post) => ({ ...post, ...hide })),
    );
    return shown.map((post, i) => ({
      basis,
      logits: logits[i] as number[],
      target: post.target,
      fits: of.fits(post),
      own: of.own(post),
    }));
  };
  const always = (): boolean => true;
  if (!learnt.image) return rows('text', posts, { pixels: null }, { fits: always, own: always });
  // Shown together, so that a network that reads pictures alone has the column.
  if (!learnt.text) return rows('image', posts, {}, { fits: isPictured, own: always });
  const pictured = posts.filter(isPictured);
  return [
    ...(await rows('text', posts, { pixels: null }, { fits: always, own: (post) => !isPictured(post) })),
    ...(await rows('image', pictured, { text: '' }, { fits: always, own: () => false })),
    ...(await rows('both', pictured, {}, { fits: always, own: always })),
  ];
}

/** A calibration for each basis that has rows to learn it from. */
export function perBasis<T>(
  rows: readonly CalibrationRow[],
  learnFrom: (rows: readonly CalibrationRow[]) => T,
): Record<Basis, T | null> {
  const of = (basis: Basis): T | null => {
    const fitting = rows.filter((row) => row.fits && row.basis === basis);
    return fitting.length === 0 ? null : learnFrom(fitting);
  };
  return { text: of('text'), image: of('image'), both: of('both') };
}

/** Does the runs of a plan one by one, each kept as soon as it is done. */

import type { WordSpace } from '../../adversarial/word-space.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { memoryStore, withCache } from '../../models/encoders/cache.ts';
import type { Encoder, Modality } from '../../models/encoders/contract.ts';
import type { EntityTagger } from '../../models/encoders/entities.ts';
import { describeEngine } from '../../models/engine/engine.ts';
import type { Tf } from '../../models/engine/tf.ts';
import { loadVocabulary, loadWordVectors } from '../../models/words.ts';
import type { Column } from '../../models/zoo/contract.ts';
import { architecture } from '../../models/zoo/zoo.ts';
import { binaryLabel, binaryTaskOf, type Dataset, type Example } from '../dataset.ts';
import type { Defence } from '../defences.ts';
import { type EncoderChoice, type Encoders, openEncoders, type TaggerName } from '../encoders.ts';
import { fitModel } from '../fit.ts';
import type { Model } from '../fit-network.ts';
import type { PictureHashes } from '../groups.ts';
import { trainNaiveBayes } from '../naive-bayes.ts';
import { openPictures, type Pictures } from '../pictures.ts';
import { recipeOf } from '../recipes.ts';
import { pick, type Split, splitBy } from '../splits.ts';
import { SILENT, type TrainingOptions } from '../train.ts';
import { type MmatModel, NEIGHBOURS } from './paper.ts';
import { architectureOf, inScope, postsPerPicture } from './plan.ts';
import { type RobustDeps, type Row, robustRuns, spaceOf } from './robust.ts';
import type { RunKey, RunResult, RunStore } from './runs.ts';

export interface ExecuteDeps {
  readonly tf: Tf;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: RunStore;
  readonly encoders: Omit<EncoderChoice, 'log'>;
  /** Which pictures look the same, for splits without leaks. */
  readonly hashes: PictureHashes;
  /** Called after each run, whether it was found or done. */
  readonly report: (done: number, of: number, result: RunResult, found: boolean) => void;
  /** No run is begun once it is aborted. */
  readonly signal: AbortSignal;
}

/** What the options of a run may hold: those of training, and how texts are read. */
type RunOptions = Partial<TrainingOptions> & {
  readonly maxTokens?: number;
  /** An encoder of the catalogue, the same for all runs of a plan; the shipped one where none is named. */
  readonly textEncoder?: string;
  readonly tagger?: TaggerName;
};

/** What the runs of a plan share, so that nothing is read, decoded or encoded twice. */
interface Bench {
  readonly encoders: Encoders;
  readonly pictures: Pictures;
  /** Of the part of the data that the run is about. */
  readonly split: (data: Dataset, key: RunKey) => Split;
}

/** Vectors of a data set that stay in memory over the runs. */
const MEMORY_BYTES = 2 ** 30;

/** The results of all runs that are done when it ends, in the plan's order. */
export async function executePlan(
  deps: ExecuteDeps,
  data: Dataset,
  plan: readonly RunKey[],
): Promise<RunResult[]> {
  const results: RunResult[] = [];
  let bench: Bench | null = null;
  try {
    for (const key of plan) {
      const found = await deps.store.find(key);
      if (!found && deps.signal.aborted) continue;
      if (!found) bench ??= await openBench(deps, plan);
      const result = found ?? (await execute(deps, bench as Bench, data, key));
      if (!found) await deps.store.keep(result);
      results.push(result);
      deps.report(results.length, plan.length, result, found !== null);
    }
  } finally {
    await bench?.encoders.close();
  }
  return results;
}

/** The papers' networks read words as MMAT does. */
const READING = 'first';

async function openBench(deps: ExecuteDeps, plan: readonly RunKey[]): Promise<Bench> {
  const columns = new Set(plan.flatMap((key) => modelOf(key).columns));
  const { textEncoder, tagger } = (plan[0] as RunKey).options as RunOptions;
  const opened = await openEncoders([...columns], {
    ...deps.encoders,
    ...(textEncoder === undefined ? {} : { text: textEncoder }),
    ...(tagger === undefined ? {} : { tagger }),
    reading: READING,
    log: deps.log,
  });
  const remembered = <M extends Modality>(encoder: Encoder<M> | null): Encoder<M> | null =>
    encoder && withCache(encoder, memoryStore(MEMORY_BYTES));
  const splits = new Map<string, Split>();
  return {
    encoders: {
      ...opened,
      text: remembered(opened.text),
      image: remembered(opened.image),
      tagger: opened.tagger && rememberedTags(opened.tagger),
    },
    pictures: openPictures({ keepLarge: true }),
    split(data, { event, scope, protocol, seed }) {
      const name = JSON.stringify([event, scope, protocol, seed]);
      const split = splits.get(name) ?? splitBy(data, protocol, seed, deps.hashes);
      splits.set(name, split);
      return split;
    },
  };
}

/** Tagging is the slowest thing that is done to a text without a network. */
function rememberedTags(tagger: EntityTagger): EntityTagger {
  const known = new Map<string, ReturnType<EntityTagger['tag']>>();
  return {
    ...tagger,
    tag(text) {
      const tags = known.get(text) ?? tagger.tag(text);
      known.set(text, tags);
      return tags;
    },
  };
}

function modelOf(key: RunKey): Model & { readonly columns: readonly Column[] } {
  const row = architecture(architectureOf(key.model));
  const config = { ...row.defaults, ...key.config };
  return { architecture: row, config, head: recipeOf(row.name).head, columns: row.columns(config) };
}

async function execute(deps: ExecuteDeps, bench: Bench, data: Dataset, key: RunKey): Promise<RunResult> {
  const { tf, clock } = deps;
  const began = clock.monotonic();
  const scoped = scopedTo(data, key);
  const model = modelOf(key);
  const { maxTokens, textEncoder: _, tagger: __, ...options } = key.options as RunOptions;
  const training = { ...recipeOf(model.architecture.name).options, ...options, seed: key.seed };
  const split = bench.split(scoped, key);
  const { encoders, pictures } = bench;
  const fitted = await fitModel(
    { tf, encoders, pictures, maxTokens, ...SILENT },
    model,
    scoped,
    split,
    training,
  );
  const { test } = await fitted.judge(fitted.calibration);
  fitted.network.dispose();
  return {
    key,
    ids: fitted.testExamples.map(({ id }) => id),
    probability: test.probability.map((p) => Number(p.toFixed(6))),
    label: test.label,
    ...plainModels(scoped, split),
    attacked: {},
    tip: null,
    trainRows: split.train.length,
    epochs: fitted.result.epochs,
    caught: fitted.result.caught,
    seconds: (clock.monotonic() - began) / 1_000,
    engine: describeEngine(tf),
  };
}

/** The examples that count in a run. */
function scopedTo(data: Dataset, { event, scope }: RunKey): Dataset {
  const examples = data.examples.filter(
    (example) => (event === null || example.event === event) && inScope(example, scope),
  );
  return { ...data, examples: fewPerPicture(examples, postsPerPicture(scope)) };
}

/** At most that many posts of each picture, spread evenly over them. */
function fewPerPicture(examples: readonly Example[], most: number): readonly Example[] {
  const sizes = new Map<string, number>();
  for (const { picture } of examples) if (picture) sizes.set(picture.key, (sizes.get(picture.key) ?? 0) + 1);
  const seen = new Map<string, number>();
  return examples.filter(({ picture }) => {
    if (!picture) return true;
    const [size, place] = [sizes.get(picture.key) as number, seen.get(picture.key) ?? 0];
    seen.set(picture.key, place + 1);
    const share = Math.min(1, most / size);
    return Math.floor((place + 1) * share) > Math.floor(place * share);
  });
}

/**
 * MMAT's networks under every defence: the runs of one network, event, split and seed share the undefended twin, so they
 * are done together; what is done already is not done again.
 */
export async function executeRobust(
  deps: ExecuteDeps,
  data: Dataset,
  plan: readonly RunKey[],
): Promise<RunResult[]> {
  const { store, tf } = deps;
  const bench: RobustBench = {
    words: { tf, vocabulary: loadVocabulary(READING), wordVectors: loadWordVectors(READING) },
    pictures: openPictures(),
    spaces: new Map(),
  };
  const results: RunResult[] = [];
  const groups = new Map<string, RunKey[]>();
  for (const key of plan) {
    const { event, protocol, model, options, seed } = key;
    const name = JSON.stringify([event, protocol, model, options, seed]);
    groups.set(name, [...(groups.get(name) ?? []), key]);
  }
  for (const group of groups.values()) {
    const missing: RunKey[] = [];
    const take = (result: RunResult, found: boolean): void => {
      results.push(result);
      deps.report(results.length, plan.length, result, found);
    };
    for (const key of group) {
      const result = await store.find(key);
      if (result) take(result, true);
      else missing.push(key);
    }
    if (missing.length === 0 || deps.signal.aborted) continue;
    for await (const result of robustGroup(deps, bench, data, missing)) {
      await store.keep(result);
      take(result, false);
      if (deps.signal.aborted) break;
    }
  }
  return results;
}

/** What the options of a robust run may hold. */
type RobustOptions = Partial<TrainingOptions> & {
  readonly tips?: boolean;
  readonly neighbours?: number;
};

/** What groups of robust runs share. */
interface RobustBench {
  readonly words: RobustDeps;
  readonly pictures: Pictures;
  /** By event and number of neighbours. */
  readonly spaces: Map<string, WordSpace>;
}

async function* robustGroup(
  { tf, clock, hashes }: ExecuteDeps,
  { words, pictures, spaces }: RobustBench,
  data: Dataset,
  keys: readonly RunKey[],
): AsyncGenerator<RunResult> {
  const first = keys[0] as RunKey;
  const { event, scope, protocol, seed } = first;
  const model = first.model as MmatModel;
  const scoped = scopedTo(data, first);
  const { tips = false, neighbours = NEIGHBOURS, ...changed } = first.options as RobustOptions;
  const spaceName = `${event} ${neighbours}`;
  const space = spaces.get(spaceName) ?? spaceOf(words, scoped.examples, neighbours);
  spaces.set(spaceName, space);
  const split = splitBy(scoped, protocol, seed, hashes);
  const task = binaryTaskOf(scoped);
  const rows = (ids: readonly string[]): Promise<Row[]> =>
    Promise.all(
      pick(scoped, ids).map(async (example) => ({
        text: example.text,
        pixels: scope === 'all' ? null : await pictures.pixels(example.picture),
        label: binaryLabel(example, task),
      })),
    );
  const parts = { train: await rows(split.train), dev: await rows(split.dev), test: await rows(split.test) };
  const options = { ...recipeOf(model).options, ...changed, seed };
  const defences = keys.map(({ training }) => training as Defence);
  let began = clock.monotonic();
  // The comparison with the paper needs its attack alone.
  const greedy = protocol !== 'paper';
  for await (const run of robustRuns(words, space, {
    model,
    parts,
    defences,
    options,
    tips,
    greedy,
  })) {
    const now = clock.monotonic();
    yield {
      key: keys.find(({ training }) => training === run.defence) as RunKey,
      ids: split.test,
      probability: run.clean,
      label: parts.test.map(({ label }) => label),
      ...plainModels(scoped, split),
      attacked: run.attacked,
      tip: run.tip,
      trainRows: split.train.length,
      epochs: run.epochs,
      caught: run.caught,
      seconds: (now - began) / 1_000,
      engine: describeEngine(tf),
    };
    began = now;
  }
}

/** The plain models' answers on the test part: how many are positive, and naive Bayes on the words. */
function plainModels(data: Dataset, split: Split): Pick<RunResult, 'prior' | 'naiveBayes'> {
  const task = binaryTaskOf(data);
  const rows = pick(data, split.train).map((example) => ({
    text: example.text,
    label: binaryLabel(example, task),
  }));
  const naiveBayes = trainNaiveBayes(rows);
  return {
    prior: rows.filter(({ label }) => label === 1).length / Math.max(1, rows.length),
    naiveBayes: pick(data, split.test).map(({ text }) => Number(naiveBayes(text).toFixed(6))),
  };
}

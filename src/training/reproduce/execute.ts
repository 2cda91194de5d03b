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
import { binaryLabel, binaryTaskOf, type Dataset } from '../dataset.ts';
import { type EncoderChoice, type Encoders, openEncoders } from '../encoders.ts';
import { fitModel } from '../fit.ts';
import type { Model } from '../fit-network.ts';
import type { PictureHashes } from '../groups.ts';
import { trainNaiveBayes } from '../naive-bayes.ts';
import { openPictures, type Pictures } from '../pictures.ts';
import { recipeOf } from '../recipes.ts';
import { pick, type Split, splitBy } from '../splits.ts';
import type { TrainingOptions } from '../train.ts';
import { architectureOf, inScope } from './plan.ts';
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

async function openBench(deps: ExecuteDeps, plan: readonly RunKey[]): Promise<Bench> {
  const columns = new Set(plan.flatMap((key) => modelOf(key).columns));
  const opened = await openEncoders([...columns], { ...deps.encoders, log: deps.log });
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
  const { maxTokens, ...options } = key.options as Partial<TrainingOptions> & { maxTokens?: number };
  const training = { ...recipeOf(model.architecture.name).options, ...options, seed: key.seed };
  const split = bench.split(scoped, key);
  const { encoders, pictures } = bench;
  const fitted = await fitModel(
    { tf, encoders, pictures, maxTokens, checkpoints: null, report: () => {} },
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
    trainRows: split.train.length,
    epochs: fitted.result.epochs,
    seconds: (clock.monotonic() - began) / 1_000,
    engine: describeEngine(tf),
  };
}

/** The examples that count in a run. */
function scopedTo(data: Dataset, { event, scope }: RunKey): Dataset {
  const examples = data.examples.filter(
    (example) => (event === null || example.event === event) && inScope(example, scope),
  );
  return { ...data, examples };
}

/**
 * The Text-CNN under every defence: the runs of one event and seed share their split and the undefended twin, so they are
 * done together. Missing ones are done again as a whole.
 */
export async function executeRobust(
  deps: ExecuteDeps,
  data: Dataset,
  plan: readonly RunKey[],
): Promise<RunResult[]> {
  const { tf, clock, store } = deps;
  const words: RobustDeps = { tf, vocabulary: loadVocabulary(), wordVectors: loadWordVectors() };
  const spaces = new Map<string | null, WordSpace>();
  const results: RunResult[] = [];
  const groups = new Map<string, RunKey[]>();
  for (const key of plan) {
    const name = `${key.event} ${key.seed}`;
    groups.set(name, [...(groups.get(name) ?? []), key]);
  }
  for (const group of groups.values()) {
    const found = await Promise.all(group.map((key) => store.find(key)));
    const first = group[0] as RunKey;
    const whole = found.every((result) => result !== null);
    if (!whole) {
      if (deps.signal.aborted) continue;
      const began = clock.monotonic();
      const scoped = scopedTo(data, first);
      const space = spaces.get(first.event) ?? spaceOf(words, scoped.examples);
      spaces.set(first.event, space);
      const split = splitBy(scoped, first.protocol, first.seed, deps.hashes);
      const task = binaryTaskOf(scoped);
      const rows = (ids: readonly string[]): Row[] =>
        pick(scoped, ids).map((example) => ({ text: example.text, label: binaryLabel(example, task) }));
      const parts = { train: rows(split.train), dev: rows(split.dev), test: rows(split.test) };
      const training = { ...recipeOf('text-cnn').options, ...first.options, seed: first.seed };
      const runs = await robustRuns(words, space, parts, training as TrainingOptions);
      const seconds = (clock.monotonic() - began) / 1_000 / runs.length;
      for (const [i, key] of group.entries()) {
        const run = runs.find(({ defence }) => defence === key.training);
        if (!run) continue;
        const result: RunResult = {
          key,
          ids: split.test,
          probability: run.clean,
          label: parts.test.map(({ label }) => label),
          ...plainModels(scoped, split),
          attacked: run.attacked,
          trainRows: split.train.length,
          epochs: run.epochs,
          seconds,
          engine: describeEngine(tf),
        };
        await store.keep(result);
        found[i] = result;
      }
    }
    for (const result of found)
      if (result) {
        results.push(result);
        deps.report(results.length, plan.length, result, whole);
      }
  }
  return results;
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

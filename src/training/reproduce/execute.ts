/** Does the runs of a plan one by one, each kept as soon as it is done. */

import type { WordSpace } from '../../adversarial/word-space.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { describeEngine } from '../../models/engine/engine.ts';
import type { Tf } from '../../models/engine/tf.ts';
import { loadVocabulary, loadWordVectors } from '../../models/words.ts';
import { architecture } from '../../models/zoo/zoo.ts';
import { binaryLabel, binaryTaskOf, type Dataset } from '../dataset.ts';
import { type EncoderChoice, openEncoders } from '../encoders.ts';
import { fitModel } from '../fit.ts';
import type { PictureHashes } from '../groups.ts';
import { trainNaiveBayes } from '../naive-bayes.ts';
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

/** The results of all runs that are done when it ends, in the plan's order. */
export async function executePlan(
  deps: ExecuteDeps,
  data: Dataset,
  plan: readonly RunKey[],
): Promise<RunResult[]> {
  const results: RunResult[] = [];
  for (const key of plan) {
    const found = await deps.store.find(key);
    if (!found && deps.signal.aborted) continue;
    const result = found ?? (await execute(deps, data, key));
    if (!found) await deps.store.keep(result);
    results.push(result);
    deps.report(results.length, plan.length, result, found !== null);
  }
  return results;
}

async function execute(deps: ExecuteDeps, data: Dataset, key: RunKey): Promise<RunResult> {
  const { tf, clock, log } = deps;
  const began = clock.monotonic();
  const scoped = scopedTo(data, key);
  const row = architecture(architectureOf(key.model));
  const config = { ...row.defaults, ...key.config };
  const { head, options } = recipeOf(row.name);
  const training: TrainingOptions = {
    ...options,
    ...(key.options as Partial<TrainingOptions>),
    seed: key.seed,
  };
  const encoders = await openEncoders(row.columns(config), { ...deps.encoders, log });
  try {
    const split = splitBy(scoped, key.protocol, key.seed, deps.hashes);
    const fitted = await fitModel(
      { tf, encoders, checkpoints: null, report: () => {} },
      { architecture: row, config, head },
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
  } finally {
    await encoders.close();
  }
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

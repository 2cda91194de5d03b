/** Does the runs of a plan one by one, each kept as soon as it is done. */
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { describeEngine } from '../../models/engine/engine.ts';
import type { Tf } from '../../models/engine/tf.ts';
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
  const scoped: Dataset = {
    ...data,
    examples: data.examples.filter(
      (example) => (key.event === null || example.event === key.event) && inScope(example, key.scope),
    ),
  };
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
      trainRows: split.train.length,
      epochs: fitted.result.epochs,
      seconds: (clock.monotonic() - began) / 1_000,
      engine: describeEngine(tf),
    };
  } finally {
    await encoders.close();
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

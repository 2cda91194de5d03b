/** `tocsin evaluate`: how good is a model on labelled posts? */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { TocsinError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { cacheDir } from '../config/cache.ts';
import { createLog } from '../metrics/log.ts';
import type { Artefact } from '../models/artefact.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Example } from '../training/dataset.ts';
import type { Encoders } from '../training/encoders.ts';
import type { ArtefactEvaluation, EvaluationFacts, ScorePosts } from '../training/evaluate.ts';
import type { ClassArtefactEvaluation } from '../training/evaluate-classes.ts';
import type { Robustness } from '../training/robustness/figures.ts';
import { assessModel, attackFlags, sayFlags, withAttackFlags, writeAttackReport } from './assessment.ts';
import { attackTable } from './attack-table.ts';
import { openAskedEngine, withBackendFlag } from './backend-flag.ts';
import {
  type Flags,
  loadModel,
  oneOf,
  openOwnEncoders,
  readChoice,
  withChoiceFlags,
} from './choice-flags.ts';
import { EXIT, reportFailure } from './runtime.ts';

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

const notesOf = (data: EvaluationFacts['data']): string[] => [
  ...(data.weak ? [`Labels are weak: ${data.weak}.`] : []),
  ...(data.sameAsTraining ? [] : ['This is not the file that the model was trained on.']),
  ...(data.missing > 0 ? [`${data.missing} posts of the split are not in these data.`] : []),
  ...(data.seenInTraining > 0
    ? [`${data.seenInTraining} of the posts were trained or tuned on: the figures are too good.`]
    : []),
];

function table(result: ArtefactEvaluation): string {
  const { model, data, metrics, answers, unscored, claims, baselines } = result;
  const figure = (name: string, value: number, [low, high]: readonly [number, number]): string =>
    `${name.padEnd(22)}${percent(value)}  (${percent(low)} to ${percent(high)})`;
  const plain = (name: string, m: ArtefactEvaluation['metrics'] | null): string[] =>
    m
      ? [`${name.padEnd(22)}macro-F1 ${percent(m.macroF1.value)}, accuracy ${percent(m.accuracy.value)}`]
      : [];
  return [
    `${model.name} ${model.version} on ${data.name}, split ${data.split}, ${data.part}: ${metrics.n} posts, ${metrics.positives} labelled yes`,
    ...notesOf(data),
    ...(claims ? [`${claims.count} claims; intervals are over claims.`] : []),
    figure('accuracy', result.accuracy, result.intervals.accuracy),
    figure('balanced accuracy', result.balancedAccuracy, result.intervals.balancedAccuracy),
    figure('macro-F1', result.macroF1, result.intervals.macroF1),
    figure('AUROC', result.auroc, result.intervals.auroc),
    ...(claims ? plain('one answer a claim', claims.perClaim) : []),
    ...plain('logistic regression', baselines.logistic),
    ...plain('naive Bayes', baselines.naiveBayes),
    ...plain('majority', baselines.majority),
    `${'calibration error'.padEnd(22)}${percent(result.ece)}`,
    `${'accuracy at coverage'.padEnd(22)}80 %: ${percent(result.selective.at80)}, 100 %: ${percent(result.selective.at100)}`,
    `${'answers'.padEnd(22)}yes ${percent(answers.yes.share)}, right ${percent(answers.yes.right)}; no ${percent(answers.no.share)}, right ${percent(answers.no.right)}; unsure ${percent(answers.unsure)}`,
    `${'without a score'.padEnd(22)}${unscored}`,
  ].join('\n');
}

function classTable(result: ClassArtefactEvaluation): string {
  const { model, data, intervals } = result;
  const figure = (name: string, value: number, [low, high]: readonly [number, number]): string =>
    `${name.padEnd(24)}${percent(value)}  (${percent(low)} to ${percent(high)})`;
  return [
    `${model.name} ${model.version} on ${data.name}, split ${data.split}, ${data.part}: ${result.n} posts, ${result.classes.length} classes`,
    ...notesOf(data),
    figure('accuracy', result.accuracy, intervals.accuracy),
    figure('balanced accuracy', result.balancedAccuracy, intervals.balancedAccuracy),
    figure('macro-F1', result.macroF1, intervals.macroF1),
    figure('mean average precision', result.meanAveragePrecision, intervals.meanAveragePrecision),
    figure('AUROC', result.auroc, intervals.auroc),
    figure('majority', result.majority, intervals.majority),
    `${'calibration error'.padEnd(24)}${percent(result.ece)}`,
    `${'decided'.padEnd(24)}${percent(result.coverage)}`,
    `${'without a score'.padEnd(24)}${result.unscored}`,
    ...Object.entries(result.byClass).map(
      ([name, c]) =>
        `${name.padEnd(24)}F1 ${percent(c.f1)}, precision ${percent(c.precision)}, recall ${percent(c.recall)}, ${c.positives} posts`,
    ),
  ].join('\n');
}

interface ScoreWays<T> {
  readonly served: (artefact: Artefact, log: Log) => T;
  readonly network: (tf: Tf, artefact: Artefact, encoders: Encoders) => T;
}

/** How the artefact scores: as it serves, or by its network on the engine where it is not served. */
async function scoresOf<R>(
  artefact: Artefact,
  flags: Flags,
  ways: ScoreWays<(examples: readonly Example[]) => Promise<R>>,
): Promise<(examples: readonly Example[]) => Promise<R>> {
  const { servedFile } = await import('../training/evaluate.ts');
  const log = createLog('evaluate', 'warn');
  if (servedFile(artefact) !== null) return ways.served(artefact, log);
  const opened = await openOwnEncoders(artefact, log);
  const score = ways.network(await openAskedEngine(flags), artefact, opened);
  return async (examples) => {
    try {
      return await score(examples);
    } finally {
      await opened.close();
    }
  };
}

export function register(program: Command): void {
  withAttackFlags(withChoiceFlags(withBackendFlag(program.command('evaluate'))))
    .description('judges a model on labelled posts: with the files that serve, else by its network')
    .option('--robust', 'also under the attacks of --suite, as tocsin attack does: clean, attacked, flags')
    .option('--output <format>', 'table or json', 'table')
    .option('--report <dir>', 'also write report.md, report.json and plots there')
    .action(async (model: string, flags: Flags) => {
      try {
        const output = oneOf('output', flags['output'], ['table', 'json'] as const);
        const artefact = await loadModel(model);
        if (flags['robust'] === true) await attackFlags(flags);
        const chosen = await readChoice(artefact, flags);
        const clean = await evaluate(artefact, chosen, flags);
        process.exitCode = EXIT.ok;
        if (flags['robust'] !== true) {
          process.stdout.write(`${output === 'json' ? JSON.stringify(clean.result) : clean.table}\n`);
          return;
        }
        const assessment = await assessModel(artefact, chosen.data, chosen.choice, flags);
        const { robustness } = assessment;
        if (flags['report'] !== undefined)
          await writeAttackReport(resolve(String(flags['report'])), assessment);
        process.stdout.write(
          output === 'json'
            ? `${JSON.stringify({ ...clean.result, ...attackFigures(robustness) })}\n`
            : `${clean.table}\n\n${attackTable(robustness)}\n`,
        );
        process.exitCode = sayFlags(robustness);
      } catch (thrown) {
        reportFailure('evaluate', thrown);
      }
    });
}

/** What a report of attacks has and an evaluation has not. */
const attackFigures = (report: Robustness): Partial<Robustness> => {
  const { suite, crafter, epsilon, clean, attacked, worst, epsSweep, flags, checks } = report;
  return { suite, crafter, epsilon, clean, attacked, worst, epsSweep, flags, checks };
};

interface Evaluated {
  readonly result: ArtefactEvaluation | ClassArtefactEvaluation;
  readonly table: string;
}

async function evaluate(
  artefact: Artefact,
  { data, choice }: Awaited<ReturnType<typeof readChoice>>,
  flags: Flags,
): Promise<Evaluated> {
  // Loaded here, not above: `tocsin --help` loads every command.
  const { evaluateArtefact, networkScores, servedRumourScores, servedScores } = await import(
    '../training/evaluate.ts'
  );
  const { evaluateClasses, networkClassScores, servedClassScores } = await import(
    '../training/evaluate-classes.ts'
  );
  if (artefact.manifest.classes) {
    if (flags['report'] !== undefined && flags['robust'] !== true)
      throw new TocsinError('BAD_USAGE', '--report is for tasks with two answers; take --output json.');
    const ways = { served: servedClassScores, network: networkClassScores };
    const result = await evaluateClasses(artefact, data, choice, await scoresOf(artefact, flags, ways));
    return { result, table: classTable(result) };
  }
  const { openCatalogued } = await import('../models/encoders/catalogued.ts');
  const ways: ScoreWays<ScorePosts> = {
    served: (served, log) =>
      served.manifest.task === 'rumour'
        ? servedRumourScores(served, openCatalogued({ cacheDir: cacheDir(), threads: 2, log }), log)
        : servedScores(served, log),
    network: networkScores,
  };
  const result = await evaluateArtefact(artefact, data, choice, await scoresOf(artefact, flags, ways));
  if (flags['report'] !== undefined) {
    const { writeReport } = await import('../training/report/write-report.ts');
    await writeReport(resolve(String(flags['report'])), result);
  }
  return { result, table: table(result) };
}

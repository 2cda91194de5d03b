/** `tocsin evaluate`: how good is a model on labelled posts? */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { cacheDir } from '../config/cache.ts';
import { createLog } from '../metrics/log.ts';
import { type Artefact, loadArtefact } from '../models/artefact.ts';
import type { ArtefactEvaluation, EvaluatedPart, ScorePosts } from '../training/evaluate.ts';
import { openAskedEngine, withBackendFlag } from './backend-flag.ts';
import { EXIT, reportFailure } from './runtime.ts';

type Flags = Readonly<Record<string, unknown>>;

const PARTS: readonly string[] = ['test', 'dev', 'all'];

function oneOf(name: string, value: unknown, allowed: readonly string[]): string {
  if (typeof value === 'string' && allowed.includes(value)) return value;
  throw new TocsinError('BAD_USAGE', `--${name} ${String(value)}: one of ${allowed.join(', ')} is needed.`);
}

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

function table({ model, data, metrics, answers, unscored }: ArtefactEvaluation): string {
  const figure = (name: string, m: { value: number; interval: readonly [number, number] }): string =>
    `${name.padEnd(20)}${percent(m.value)}  (${percent(m.interval[0])} to ${percent(m.interval[1])})`;
  return [
    `${model.name} ${model.version} on ${data.name}, ${data.part}: ${metrics.n} posts, ${metrics.positives} labelled yes`,
    ...(data.sameAsTraining ? [] : ['This is not the file that the model was trained on.']),
    ...(data.missing > 0 ? [`${data.missing} posts of the split are not in these data.`] : []),
    figure('accuracy', metrics.accuracy),
    figure('balanced accuracy', metrics.balancedAccuracy),
    figure('macro-F1', metrics.macroF1),
    figure('AUROC', metrics.auroc),
    `${'calibration error'.padEnd(20)}${percent(metrics.ece)}`,
    `${'answers'.padEnd(20)}yes ${percent(answers.yes.share)}, right ${percent(answers.yes.right)}; no ${percent(answers.no.share)}, right ${percent(answers.no.right)}; unsure ${percent(answers.unsure)}`,
    `${'without a score'.padEnd(20)}${unscored}`,
  ].join('\n');
}

/** How the artefact scores: as it serves, or by its network on the engine where it is not served. */
async function scoresOf(artefact: Artefact, flags: Flags): Promise<ScorePosts> {
  const { isServed, networkScores, servedScores } = await import('../training/evaluate.ts');
  const log = createLog('evaluate', 'warn');
  if (isServed(artefact)) return servedScores(artefact, log);
  const { architecture } = await import('../models/zoo/zoo.ts');
  const { openEncoders } = await import('../training/encoders.ts');
  const { architecture: made, encoders } = artefact.manifest;
  const opened = await openEncoders(architecture(made.name).columns(made.config), {
    ...Object.fromEntries(encoders.map(({ modality, id }) => [modality, id])),
    cacheDir: cacheDir(),
    threads: 2,
    log,
  });
  const score = networkScores(await openAskedEngine(flags), artefact, opened);
  return async (examples) => {
    try {
      return await score(examples);
    } finally {
      await opened.close();
    }
  };
}

export function register(program: Command): void {
  withBackendFlag(program.command('evaluate'))
    .description('judges a model on labelled posts: with the files that serve, else by its network')
    .argument('<artefact>', 'folder of the model')
    .requiredOption('--data <path>', 'labelled posts: any folder or file that a reader knows')
    .option('--part <name>', "test or dev of the model's own split, or all", 'test')
    .option('--output <format>', 'table or json', 'table')
    .action(async (dir: string, flags: Flags) => {
      try {
        // Loaded here, not above: `tocsin --help` loads every command.
        const { evaluateArtefact } = await import('../training/evaluate.ts');
        const { readDataset } = await import('../training/read-dataset.ts');
        const part = oneOf('part', flags['part'], PARTS) as EvaluatedPart;
        const output = oneOf('output', flags['output'], ['table', 'json']);
        const artefact = await loadArtefact(resolve(dir));
        const data = await readDataset(resolve(String(flags['data'])), {
          task: artefact.manifest.task,
          now: systemClock.now(),
        });
        const result = await evaluateArtefact(artefact, data, part, await scoresOf(artefact, flags));
        process.stdout.write(`${output === 'json' ? JSON.stringify(result) : table(result)}\n`);
        process.exitCode = EXIT.ok;
      } catch (thrown) {
        reportFailure('evaluate', thrown);
      }
    });
}

/** `tocsin attack`: what is left of a model's answers when posts are changed on purpose? */
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { createLog } from '../metrics/log.ts';
import type { Robustness } from '../training/robustness/figures.ts';
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

function table(report: Robustness): string {
  const { model, data, crafter, clean, attacked, worst, flags } = report;
  const row = (name: string, cells: readonly string[]): string =>
    [name.padEnd(22), ...cells.map((cell) => cell.padStart(20))].join('');
  const figures = ({ accuracy, balancedAccuracy, macroF1, intervals }: Robustness['clean']): string[] => [
    percent(accuracy),
    `${percent(balancedAccuracy)} (${intervals.balancedAccuracy.map((x) => (100 * x).toFixed(0)).join('–')})`,
    percent(macroF1),
  ];
  const under = (run: Robustness['worst']): string[] => [
    ...figures(run),
    percent(run.success),
    percent(run.wordsReplaced),
  ];
  return [
    `${model.name} ${model.version} on ${data.name}, split ${data.split}, ${data.part}: ${report.n} posts, suite ${report.suite}`,
    `crafted on ${crafter.name}: ${crafter.why}`,
    row('', ['accuracy', 'balanced (95 %)', 'macro-F1', 'success', 'words replaced']),
    row('clean', figures(clean)),
    ...Object.entries(attacked).map(([name, run]) => row(name, under(run))),
    row('worst per post', under(worst)),
    ...flags.map(({ flag, check, detail }) => `${flag}: ${check} failed (${detail})`),
  ].join('\n');
}

/** Bounds may be written as a share of 255 grey levels: 8/255. */
function bound(value: unknown): number {
  const [, above, below] = /^([0-9.]+)(?:\/([0-9.]+))?$/.exec(String(value)) ?? [];
  const number = Number(above) / Number(below ?? 1);
  if (number > 0 && number <= 1) return number;
  throw new TocsinError('BAD_USAGE', `--epsilon ${String(value)}: a number in (0, 1] is needed, like 8/255.`);
}

export function register(program: Command): void {
  withChoiceFlags(withBackendFlag(program.command('attack')))
    .description('attacks a model by its network and says what is left of its answers')
    .option(
      '--suite <name>',
      'static (crafted on the undefended twin), adaptive (on the model itself) or strong (more attacks, worst per post)',
      'adaptive',
    )
    .option('--twin <folder>', 'the undefended twin that static examples are crafted on')
    .option('--crafter <folder>', 'crafts on another model instead: transfer')
    .option('--epsilon <e>', 'bound of attacks on pictures, like 8/255 or 0.1', '8/255')
    .option('--output <format>', 'table or json', 'table')
    .addHelpText(
      'after',
      '\nExit code 3: a sanity check failed, so the figures are OVERESTIMATED (docs/robustness.md).',
    )
    .action(async (model: string, flags: Flags) => {
      try {
        const output = oneOf('output', flags['output'], ['table', 'json'] as const);
        const report = await attack(model, flags);
        process.stdout.write(`${output === 'json' ? JSON.stringify(report) : table(report)}\n`);
        process.exitCode = sayFlags(report);
      } catch (thrown) {
        reportFailure('attack', thrown);
      }
    });
}

/** The exit code of a report; failed checks are said on stderr. */
function sayFlags({ flags }: Robustness): number {
  for (const { flag, check, detail } of flags) process.stderr.write(`${flag}: ${check} (${detail})\n`);
  return flags.length > 0 ? EXIT.problems : EXIT.ok;
}

async function attack(model: string, flags: Flags): Promise<Robustness> {
  // Loaded here, not above: `tocsin --help` loads every command.
  const { ASSESS_DEFAULTS, assess } = await import('../training/robustness/assess.ts');
  const { SUITES } = await import('../adversarial/suite.ts');
  const suite = oneOf('suite', flags['suite'], SUITES);
  const epsilon = bound(flags['epsilon']);
  const [twin, crafter] = [flags['twin'], flags['crafter']];
  if (twin !== undefined && crafter !== undefined)
    throw new TocsinError('BAD_USAGE', '--twin and --crafter: only one model crafts.');
  if (twin !== undefined && suite !== 'static')
    throw new TocsinError('BAD_USAGE', `--twin is for --suite static; --suite ${suite} takes --crafter.`);
  const log = createLog('attack', 'warn');
  const artefact = await loadModel(model);
  const { data, choice } = await readChoice(artefact, flags);
  const foreign = twin ?? crafter;
  const otherArtefact = foreign === undefined ? null : await loadModel(String(foreign));
  const tf = await openAskedEngine(flags);
  const encoders = await openOwnEncoders(artefact, log);
  const otherEncoders = otherArtefact && (await openOwnEncoders(otherArtefact, log));
  try {
    const deps = {
      tf,
      clock: systemClock,
      report: (line: string) => process.stderr.write(`${line} …\n`),
    };
    const { robustness } = await assess(
      deps,
      { artefact, encoders },
      data,
      choice,
      { ...ASSESS_DEFAULTS, suite, epsilon, seed: choice.seed },
      otherArtefact && otherEncoders
        ? { artefact: otherArtefact, encoders: otherEncoders, kind: twin === undefined ? 'other' : 'twin' }
        : null,
    );
    return robustness;
  } finally {
    await encoders.close();
    await otherEncoders?.close();
  }
}

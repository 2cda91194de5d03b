/** A model's assessment under attack, as the flags of `tocsin attack` and `tocsin evaluate --robust` ask for it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { ConstraintName } from '../adversarial/constraints.ts';
import { systemClock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { createLog } from '../metrics/log.ts';
import type { Artefact } from '../models/artefact.ts';
import type { Dataset } from '../training/dataset.ts';
import type { Choice } from '../training/evaluate.ts';
import type { Assessment } from '../training/robustness/assess.ts';
import type { Robustness } from '../training/robustness/figures.ts';
import { openAskedEngine } from './backend-flag.ts';
import { type Flags, loadModel, oneOf, openOwnEncoders } from './choice-flags.ts';
import { EXIT } from './runtime.ts';

export function withAttackFlags(command: Command): Command {
  return command
    .option(
      '--suite <name>',
      'static (crafted on the undefended twin), adaptive (on the model itself) or strong (more attacks, worst per post)',
      'adaptive',
    )
    .option('--twin <folder>', 'the undefended twin that static examples are crafted on')
    .option('--crafter <folder>', 'crafts on another model instead: transfer')
    .option(
      '--constraints [names]',
      'what word attacks keep, all or some of part-of-speech (names, numbers, negations stay), antonyms, language-model ' +
        "(trigrams counted on the split's training part)",
    )
    .option('--epsilon <e>', 'bound of attacks on pictures, like 8/255 or 0.1', '8/255');
}

/** Attacks the model on the posts of the choice. Throws BAD_USAGE for flags that do not go together. */
export async function assessModel(
  artefact: Artefact,
  data: Dataset,
  choice: Choice,
  flags: Flags,
): Promise<Assessment> {
  // Loaded here, not above: `tocsin --help` loads every command.
  const { ASSESS_DEFAULTS, assess } = await import('../training/robustness/assess.ts');
  const { suite, epsilon, twin, crafter, constraints } = await attackFlags(flags);
  const log = createLog('attack', 'warn');
  const foreign = twin ?? crafter;
  const other = foreign === undefined ? null : await loadModel(foreign);
  const tf = await openAskedEngine(flags);
  const encoders = await openOwnEncoders(artefact, log, true);
  const otherEncoders = other && (await openOwnEncoders(other, log, true));
  try {
    return await assess(
      { tf, clock: systemClock, report: (line) => process.stderr.write(`${line} …\n`) },
      { artefact, encoders },
      data,
      choice,
      { ...ASSESS_DEFAULTS, suite, epsilon, seed: choice.seed, constraints },
      other &&
        otherEncoders && {
          artefact: other,
          encoders: otherEncoders,
          kind: twin === undefined ? 'other' : 'twin',
        },
    );
  } finally {
    await encoders.close();
    await otherEncoders?.close();
  }
}

interface AttackFlags {
  readonly suite: Robustness['suite'];
  readonly epsilon: number;
  readonly twin: string | undefined;
  readonly crafter: string | undefined;
  readonly constraints: readonly ConstraintName[];
}

/** Throws BAD_USAGE. */
export async function attackFlags(flags: Flags): Promise<AttackFlags> {
  const { SUITES } = await import('../adversarial/suite.ts');
  const { CONSTRAINTS } = await import('../adversarial/constraints.ts');
  const suite = oneOf('suite', flags['suite'], SUITES);
  const [twin, crafter] = [flags['twin'], flags['crafter']] as (string | undefined)[];
  if (twin !== undefined && crafter !== undefined)
    throw new TocsinError('BAD_USAGE', '--twin and --crafter: only one model crafts.');
  if (twin !== undefined && suite !== 'static')
    throw new TocsinError('BAD_USAGE', `--twin is for --suite static; --suite ${suite} takes --crafter.`);
  const asked = flags['constraints'];
  const constraints =
    typeof asked === 'string'
      ? asked.split(',').map((name) => oneOf('constraints', name, CONSTRAINTS))
      : asked === true
        ? CONSTRAINTS
        : [];
  return { suite, epsilon: bound(flags['epsilon']), twin, crafter, constraints };
}

/** Bounds may be written as a share of 255 grey levels: 8/255. */
function bound(value: unknown): number {
  const [, above, below] = /^([0-9.]+)(?:\/([0-9.]+))?$/.exec(String(value)) ?? [];
  const number = Number(above) / Number(below ?? 1);
  if (number > 0 && number <= 1) return number;
  throw new TocsinError('BAD_USAGE', `--epsilon ${String(value)}: a number in (0, 1] is needed, like 8/255.`);
}

/** Says failed checks on stderr and gives the exit code that they deserve. */
export function sayFlags({ flags }: Robustness): number {
  for (const { flag, check, detail } of flags) process.stderr.write(`${flag}: ${check} (${detail})\n`);
  return flags.length > 0 ? EXIT.problems : EXIT.ok;
}

/** Examples that a page shows of each attack. */
const SHOWN = 6;

/** Writes attack.html and attack.json. They quote posts: keep them as the data are kept. */
export async function writeAttackReport(
  dir: string,
  { robustness, result, posts, naming }: Assessment,
): Promise<void> {
  const { examplesOf } = await import('../training/robustness/examples.ts');
  const { attackPage } = await import('../training/robustness/page.ts');
  const examples = examplesOf(posts, result.clean, result.attacked, naming, SHOWN);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'attack.html'), attackPage(robustness, examples));
  await writeFile(join(dir, 'attack.json'), `${JSON.stringify(robustness, null, 1)}\n`);
}

/** `tocsin train <model>`: labelled posts → a model artefact. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { nearest } from '../base/nearest.ts';
import { cacheDir } from '../config/cache.ts';
import { createLog } from '../metrics/log.ts';
import type { Architecture } from '../models/zoo/contract.ts';
import type { Other } from '../training/as-often.ts';
import type { Dataset } from '../training/dataset.ts';
import type { DefendedOptions, WordDefence } from '../training/harden.ts';
import type { Task } from '../training/tasks.ts';
import type { Teaching } from '../training/teachers.ts';
import { openAskedEngine, withBackendFlag } from './backend-flag.ts';
import { EXIT, reportFailure } from './runtime.ts';

type Flags = Readonly<Record<string, unknown>>;

/** `--name` as a number that `fits`; undefined where it was not given. Throws BAD_USAGE. */
function number(flags: Flags, name: string, what: string, fits: (n: number) => boolean): number | undefined {
  const value = flags[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
  if (value === undefined) return undefined;
  if (value !== '' && fits(Number(value))) return Number(value);
  throw new TocsinError('BAD_USAGE', `--${name} ${String(value)}: ${what} is needed.`);
}

const whole = (flags: Flags, name: string, least: number): number | undefined =>
  number(flags, name, `a whole number of at least ${least}`, (n) => Number.isSafeInteger(n) && n >= least);

/** `--name` as one of the names. Throws BAD_USAGE with the nearest one. */
function oneOf<T extends string>(flags: Flags, name: string, known: readonly T[]): T | undefined {
  const value = flags[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
  if (value === undefined) return undefined;
  const found = known.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw new TocsinError(
    'BAD_USAGE',
    `--${name} ${String(value)}: did you mean ${nearest(String(value), known)}? All: ${known.join(', ')}.`,
  );
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without what was not given. */
const given = <T extends object>(values: T): Given<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>;

/** What `--` says beside the architecture's recipe. */
const trainingOf = (flags: Flags, defences: readonly WordDefence[]): Partial<DefendedOptions> =>
  given({
    seed: whole(flags, 'seed', 0),
    batch: whole(flags, 'batch', 1),
    maxEpochs: whole(flags, 'max-epochs', 1),
    patience: whole(flags, 'patience', 1),
    learningRate: number(flags, 'learning-rate', 'a number above 0', (n) => n > 0),
    schedule: oneOf(flags, 'schedule', ['constant', 'eann', 'linear'] as const),
    stopOn: oneOf(flags, 'stop-on', ['loss', 'macroF1', 'balancedAccuracy'] as const),
    classWeights: flags['classWeights'] === false ? false : undefined,
    defence: oneOf(flags, 'defence', defences),
    teachersPart: number(flags, 'teachers-part', 'a number above 0, at most 1', (n) => n > 0 && n <= 1),
    defendedShare: number(flags, 'defended-share', 'a number above 0, at most 1', (n) => n > 0 && n <= 1),
    plainShare: number(flags, 'plain-share', 'a number between 0 and 1', (n) => n > 0 && n < 1),
  });

/** The architecture's config with the values of `--config` in it. Throws BAD_USAGE for a name that it does not have. */
function configOf({ name, defaults }: Architecture, json: unknown): object {
  if (json === undefined) return defaults;
  let changes: unknown;
  try {
    changes = JSON.parse(String(json));
  } catch (cause) {
    throw new TocsinError('BAD_USAGE', `--config ${String(json)}: a JSON object is needed.`, { cause });
  }
  if (typeof changes !== 'object' || changes === null || Array.isArray(changes))
    throw new TocsinError('BAD_USAGE', `--config ${String(json)}: a JSON object is needed.`);
  const known = Object.keys(defaults);
  for (const key of Object.keys(changes))
    if (!known.includes(key))
      throw new TocsinError(
        'BAD_USAGE',
        `--config: ${name} has no ${key}; did you mean ${nearest(key, known)}? All: ${known.join(', ')}.`,
      );
  return { ...defaults, ...changes };
}

/** A model of the same task that reads words, as it serves. Throws BAD_USAGE for another. */
async function openOther(dir: string, task: Task): Promise<Other> {
  const { ARTEFACT_FILES, loadArtefact } = await import('../models/artefact.ts');
  const { servedFile, servedScores } = await import('../training/evaluate.ts');
  const artefact = await loadArtefact(resolve(dir));
  const { name, version, task: its } = artefact.manifest;
  if (its !== task || servedFile(artefact) !== ARTEFACT_FILES.text)
    throw new TocsinError(
      'BAD_USAGE',
      `--as-often-as ${dir}: ${name} ${version} is of ${its}; a model of ${task} that reads words is needed.`,
    );
  return { version: `${name} ${version}`, score: servedScores(artefact, createLog('train', 'warn')) };
}

const ownVersion = (): string =>
  (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
    .version;

/** Everyday posts beside the 27,000 of CrisisLexT26: enough to be refused, too few to outweigh them. */
const EVERYDAY_LIMIT = 3_000;

/** Posts without a label: about half as many as have one. */
const UNLABELLED_LIMIT = 12_000;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

async function trainModel(name: string, flags: Flags): Promise<void> {
  // Loaded here, not above: `tocsin --help` loads every command.
  const { architecture } = await import('../models/zoo/zoo.ts');
  const { buildArtefact } = await import('../training/build.ts');
  const { WORD_DEFENCES } = await import('../training/harden.ts');
  const { openEncoders } = await import('../training/encoders.ts');
  const { hashesOf, openPictures } = await import('../training/pictures.ts');
  const { splitBy } = await import('../training/splits.ts');
  const { withEveryday } = await import('../training/everyday.ts');
  const { readDataset } = await import('../training/read-dataset.ts');
  const { readSentences } = await import('../training/teachers.ts');
  const { recipeOf } = await import('../training/recipes.ts');
  const { TASK_NAMES } = await import('../training/tasks.ts');
  const { READINGS } = await import('../models/words.ts');

  const row = architecture(name);
  const config = configOf(row, flags['config']);
  const task = oneOf<Task>(flags, 'task', TASK_NAMES) ?? 'informative';
  const training: DefendedOptions = {
    seed: 1,
    ...recipeOf(name).options,
    ...trainingOf(flags, WORD_DEFENCES),
  };
  const read = (path: unknown, of: Task): Promise<Dataset> =>
    readDataset(resolve(String(path)), { task: of, now: systemClock.now() });
  const own = await read(flags['data'], task);
  const data =
    flags['everyday'] === undefined
      ? own
      : withEveryday(own, await read(flags['everyday'], 'informative'), {
          limit: whole(flags, 'everyday-limit', 1) ?? EVERYDAY_LIMIT,
          seed: training.seed,
        });
  say(`${data.name}: ${data.examples.length} examples, left out ${JSON.stringify(data.left)}`);
  if (data.weak) say(`Labels are weak: ${data.weak}`);
  const split = splitBy(
    data,
    String(flags['split']),
    training.seed,
    await hashesOf(data.examples, openPictures()),
  );
  const tf = await openAskedEngine(flags);
  const encoders = await openEncoders(row.columns(config), {
    ...given({
      text: flags['textEncoder'] as string | undefined,
      image: flags['imageEncoder'] as string | undefined,
      reading: oneOf(flags, 'reading', READINGS),
    }),
    cacheDir: cacheDir(),
    threads: 2,
    log: createLog('train', 'warn'),
  });
  const teachers =
    training.teachersPart === undefined
      ? null
      : await openEncoders(['sentence'], {
          ...given({ text: flags['textEncoder'] as string | undefined }),
          cacheDir: cacheDir(),
          threads: 2,
          log: createLog('train', 'warn'),
          passingTexts: true,
        });
  const teaching: Teaching | null = teachers?.text
    ? {
        sentences: readSentences(teachers.text),
        unlabelled:
          flags['unlabelled'] === undefined
            ? null
            : {
                data: await read(flags['unlabelled'], 'informative'),
                limit: whole(flags, 'unlabelled-limit', 1) ?? UNLABELLED_LIMIT,
              },
      }
    : null;
  try {
    const artefact = await buildArtefact(tf, {
      model: { architecture: row, config, head: recipeOf(name, data).head },
      data,
      split,
      encoders,
      training,
      teaching,
      out: resolve(String(flags['out'])),
      asOftenAs: flags['asOftenAs'] === undefined ? null : await openOther(String(flags['asOftenAs']), task),
      unseenFolds: whole(flags, 'unseen-folds', 2) ?? 0,
      leaveOut: flags['leaveOut'] as string[],
      codeVersion: ownVersion(),
      report: (run, { epoch, trainLoss, devLoss, devMacroF1, best }) =>
        say(
          `${run} epoch ${epoch}: train loss ${trainLoss.toFixed(4)}, dev loss ${devLoss.toFixed(4)}, ` +
            `dev macro-F1 ${devMacroF1.toFixed(4)}${best ? ' *' : ''}`,
        ),
    });
    const { version, metrics } = artefact.manifest;
    const line = { name: artefact.manifest.name, version, dir: artefact.dir, test: metrics.test };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  } finally {
    await encoders.close();
    await teachers?.close();
  }
}

export function register(program: Command): void {
  withBackendFlag(program.command('train'))
    .description(
      'trains a model of the zoo from labelled posts. Continues where a killed run with the same options stopped.',
    )
    .argument('<model>', 'architecture: mmn, text-cnn, mafn, eann, … (an unknown one lists all)')
    .requiredOption('--data <path>', 'labelled posts: any folder or file that a reader knows')
    .requiredOption('--out <dir>', 'folder of the new model; must not exist')
    .option('--task <name>', 'informative, rumour, humanitarian or damage', 'informative')
    .option(
      '--split <protocol>',
      'grouped, paper, official, official-disjoint, agreed, event:EVENT or event-fold:I/K',
      'grouped',
    )
    .option('--seed <n>', 'seed of split, weights and order (default 1)')
    .option('--config <json>', "values that differ from the architecture's defaults")
    .option(
      '--everyday <path>',
      'posts off topic there (labelled 0) join as not informative and telling of nothing: CrisisLexT6',
    )
    .option('--everyday-limit <n>', `at most so many of them (default ${EVERYDAY_LIMIT})`)
    .option('--max-epochs <n>', 'most epochs (early stopping ends sooner)')
    .option('--patience <n>', 'epochs without a better dev figure before training ends')
    .option('--stop-on <figure>', 'dev figure that decides: loss or macroF1')
    .option('--batch <n>', 'rows in a step')
    .option('--learning-rate <r>', "Adam's rate")
    .option('--schedule <name>', 'of the rate: constant, eann or linear')
    .option('--no-class-weights', 'lets a large class weigh more than a small one')
    .option(
      '--defence <name>',
      'against word attacks: none, static, on-the-fly, hull or swap-and-hull (default: none)',
    )
    .option(
      '--plain-share <s>',
      'add an undefended mmn whose logits make this share of the answer, as half of the filters and units',
    )
    .option(
      '--defended-share <s>',
      'train without a defence first and on under it, and keep this share of what the latter changed',
    )
    .option(
      '--teachers-part <p>',
      'first train four teachers on the same posts; of what is taught of a labelled post, this part is what they say',
    )
    .option('--unlabelled <path>', 'posts that the teachers alone answer, whatever their labels: CrisisLexT6')
    .option('--unlabelled-limit <n>', `at most so many of them (default ${UNLABELLED_LIMIT})`)
    .option(
      '--reading <name>',
      'which words of a text are read: first or known (default: as the shipped models)',
    )
    .option('--text-encoder <id>', 'frozen text encoder, where the model reads one')
    .option('--image-encoder <id>', 'frozen picture encoder, where the model reads one')
    .option(
      '--unseen-folds <k>',
      'also train k models without a fold of the events each; calibration and thresholds then come from events unseen (default: from dev)',
    )
    .option(
      '--as-often-as <dir>',
      'set the bias such that this model says yes of dev as often as the one in that folder does',
    )
    .option('--leave-out <event...>', 'also train without this event and test on it, for the card', [])
    .action(async (model: string, flags: Flags) => {
      try {
        await trainModel(model, flags);
        process.exitCode = EXIT.ok;
      } catch (thrown) {
        reportFailure('train', thrown);
      }
    });
}

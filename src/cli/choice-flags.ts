/** Which model, and which labelled posts: the flags of the commands that judge a model. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { cacheDir } from '../config/cache.ts';
import { type Artefact, loadArtefact } from '../models/artefact.ts';
import { championDir } from '../registry/champions.ts';
import type { Dataset } from '../training/dataset.ts';
import type { Encoders } from '../training/encoders.ts';
import type { Choice } from '../training/evaluate.ts';

export type Flags = Readonly<Record<string, unknown>>;

const PARTS = ['train', 'dev', 'test', 'all'] as const;
/** Models that a name stands for. */
const CHAMPIONS = ['informative', 'humanitarian', 'rumour'] as const;

export function oneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw new TocsinError('BAD_USAGE', `--${name} ${String(value)}: one of ${allowed.join(', ')} is needed.`);
}

/** `--name` as a whole number of at least `least`. Throws BAD_USAGE. */
function wholeNumber(name: string, value: unknown, least: number): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new TocsinError(
    'BAD_USAGE',
    `--${name} ${String(value)}: a whole number of at least ${least} is needed.`,
  );
}

export function withChoiceFlags(command: Command): Command {
  return command
    .argument('<model>', 'informative, humanitarian or rumour (the shipped ones), or the folder of a model')
    .requiredOption('--data <path>', 'labelled posts: any folder or file that a reader knows')
    .option(
      '--split <protocol>',
      "own (the model's own), all, or a split of these data: grouped, paper, official, official-disjoint, agreed, " +
        'event:EVENT, event-fold:I/K; default own for the data of its training, else all',
    )
    .option('--part <name>', 'train, dev, test or all of the split', 'test')
    .option('--seed <n>', 'seed of the split and of --limit', '1')
    .option('--with-picture', 'only posts whose picture is at hand')
    .option('--limit <n>', 'at most so many posts, drawn by the seed');
}

/** A model by its name, or of a folder. */
export const loadModel = (model: string): Promise<Artefact> =>
  loadArtefact((CHAMPIONS as readonly string[]).includes(model) ? championDir(model) : resolve(model));

/** The data of the flags, read for the model's task, and the choice of posts. */
export async function readChoice(
  artefact: Artefact,
  flags: Flags,
): Promise<{ readonly data: Dataset; readonly choice: Choice }> {
  // Loaded here, not above: `tocsin --help` loads every command.
  const { readDataset } = await import('../training/read-dataset.ts');
  const { CHOICE_DEFAULTS } = await import('../training/evaluate.ts');
  const part = oneOf('part', flags['part'], PARTS);
  const seed = wholeNumber('seed', flags['seed'], 0);
  const limit = flags['limit'] === undefined ? null : wholeNumber('limit', flags['limit'], 1);
  const data = await readDataset(resolve(String(flags['data'])), {
    task: artefact.manifest.task,
    now: systemClock.now(),
  });
  const usual = data.sha256 === artefact.manifest.data.sha256 ? 'own' : 'all';
  const split = flags['split'] === undefined ? usual : String(flags['split']);
  const withPicture = flags['withPicture'] === true;
  return { data, choice: { ...CHOICE_DEFAULTS, split, part, seed, limit, withPicture } };
}

/** The frozen encoders that a model was trained on; the caller closes them. @param passingTexts as `openEncoders` takes it */
export async function openOwnEncoders(
  { manifest }: Artefact,
  log: Log,
  passingTexts = false,
): Promise<Encoders> {
  const { architecture } = await import('../models/zoo/zoo.ts');
  const { openEncoders } = await import('../training/encoders.ts');
  const { readingOf } = await import('../models/words.ts');
  const { architecture: made, encoders, words } = manifest;
  return openEncoders(architecture(made.name).columns(made.config), {
    ...Object.fromEntries(encoders.map(({ modality, id }) => [modality, id])),
    ...(words ? { reading: readingOf(words.id) } : {}),
    cacheDir: cacheDir(),
    threads: 2,
    log,
    passingTexts,
  });
}

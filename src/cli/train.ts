/** `tocsin train`: labelled posts → a model artefact. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { openAskedEngine, withBackendFlag } from './backend-flag.ts';
import { EXIT, reportFailure } from './runtime.ts';

type Flags = Readonly<Record<string, unknown>>;

/** `--name` as a whole number of at least `least`. Throws BAD_USAGE. */
function wholeNumber(name: string, value: unknown, least: number): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < least)
    throw new TocsinError(
      'BAD_USAGE',
      `--${name} ${String(value)}: a whole number of at least ${least} is needed.`,
    );
  return number;
}

const ownVersion = (): string =>
  (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
    .version;

async function trainMmn(flags: Flags): Promise<void> {
  // Loaded here, not above: `tocsin --help` loads every command.
  const { readDataset } = await import('../training/read-dataset.ts');
  const { buildMmnArtefact } = await import('../training/build-mmn.ts');
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const seed = wholeNumber('seed', flags['seed'], 0);
  const data = await readDataset(resolve(String(flags['data'])), {
    task: 'informative',
    now: systemClock.now(),
  });
  say(`${data.name}: ${data.examples.length} posts, left out ${JSON.stringify(data.left)}`);
  const artefact = await buildMmnArtefact(await openAskedEngine(flags), {
    data,
    seed,
    out: resolve(String(flags['out'])),
    leaveOut: flags['leaveOut'] as string[],
    ...(flags['maxEpochs'] === undefined
      ? {}
      : { maxEpochs: wholeNumber('max-epochs', flags['maxEpochs'], 1) }),
    codeVersion: ownVersion(),
    report: (run, { epoch, trainLoss, devLoss, devMacroF1, best }) =>
      say(
        `${run} epoch ${epoch}: train loss ${trainLoss.toFixed(4)}, dev loss ${devLoss.toFixed(4)}, ` +
          `dev macro-F1 ${devMacroF1.toFixed(4)}${best ? ' *' : ''}`,
      ),
  });
  const { name, version, metrics } = artefact.manifest;
  const line = { name, version, dir: artefact.dir, test: metrics.test };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

export function register(program: Command): void {
  const train = program.command('train').description('trains models from labelled posts');
  withBackendFlag(train.command('mmn'))
    .description('MMN: is a post informative? Continues where a killed run with the same options stopped.')
    .requiredOption('--data <path>', 'labelled posts: any folder or file that a reader knows')
    .requiredOption('--out <dir>', 'folder of the new model; must not exist')
    .option('--seed <n>', 'seed of split, weights and order', '1')
    .option('--leave-out <event...>', 'also train without this event and test on it, for the card', [])
    .option('--max-epochs <n>', 'most epochs (early stopping ends sooner)')
    .action(async (flags: Flags) => {
      try {
        await trainMmn(flags);
        process.exitCode = EXIT.ok;
      } catch (thrown) {
        reportFailure('train', thrown);
      }
    });
}

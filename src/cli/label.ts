/** `tocsin label`: the label worker, from posts to labels. */
import type { Command } from 'commander';
import type { Consumer } from '../bus/port.ts';
import { loadKeys } from '../config/keys.ts';
import { labelOpeners } from '../models/serving/label-openers.ts';
import { createLineUps } from '../models/serving/line-up.ts';
import { loadAllWords } from '../models/words.ts';
import { openLanguages } from '../normalise/languages.ts';
import { CHAMPION_DIR, HUMANITARIAN_CHAMPION_DIR } from '../registry/champions.ts';
import { openInForce } from '../registry/in-force.ts';
import { startLabelWorker } from './label-worker.ts';
import { type Runtime, run, runWorker, withBusFlags } from './runtime.ts';
import { openRegistry, withModels } from './serving-models.ts';

/** Adds the command. */
export function register(program: Command): void {
  withBusFlags(program.command('label'))
    .description('label worker: decode, normalise, score and label posts. Example: tocsin label --bus kafka')
    .action((flags: Readonly<Record<string, unknown>>) =>
      run('label', flags, (runtime) => runWorker(runtime, () => start(runtime))),
    );
}

/** The worker as a consumer whose close also ends its threads, after the last slice. */
async function start(runtime: Runtime): Promise<Consumer> {
  const { settings, metrics, log } = runtime;
  const words = loadAllWords();
  const registry = openRegistry(settings);
  const lineUps = createLineUps(
    labelOpeners(
      {
        informative: await registry.source('informative', settings.modelDir || CHAMPION_DIR),
        humanitarian: await registry.source(
          'humanitarian',
          settings.humanitarianModelDir || HUMANITARIAN_CHAMPION_DIR,
        ),
      },
      { threads: settings.scoringThreads, words: Object.values(words), metrics, log },
    ),
  );
  const models = await openInForce({
    ...runtime,
    keys: registry.keys,
    environment: settings.environment,
    lineUps,
  });
  const languages = openLanguages();
  const closeThreads = async (): Promise<void> => {
    await Promise.all([models.close(), languages.close()]);
  };
  try {
    const { context: key } = loadKeys(settings.dataDir);
    const consumer = await startLabelWorker({
      ...runtime,
      models,
      languages,
      words,
      key,
    });
    return withModels(consumer, models.ended, closeThreads);
  } catch (thrown) {
    await closeThreads();
    throw thrown;
  }
}

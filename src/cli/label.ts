/** `tocsin label`: the label worker, from posts to labels. */
import type { Command } from 'commander';
import type { Consumer } from '../bus/port.ts';
import { loadKeys } from '../config/keys.ts';
import { openScorers } from '../models/serving/scorers.ts';
import { loadVocabulary } from '../models/words.ts';
import { openLanguages } from '../normalise/languages.ts';
import { CHAMPION_DIR, HUMANITARIAN_CHAMPION_DIR } from '../registry/champions.ts';
import { startLabelWorker } from './label-worker.ts';
import { type Runtime, run, runWorker, withBusFlags } from './runtime.ts';

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
  const scorers = await openScorers({
    dirs: {
      informative: settings.modelDir || CHAMPION_DIR,
      humanitarian: settings.humanitarianModelDir || HUMANITARIAN_CHAMPION_DIR,
    },
    threads: settings.scoringThreads,
    metrics,
    log,
  });
  const languages = openLanguages();
  const closeThreads = async (): Promise<void> => {
    await Promise.all([scorers.close(), languages.close()]);
  };
  let consumer: Consumer;
  try {
    const { context: key } = loadKeys(settings.dataDir);
    consumer = await startLabelWorker({
      ...runtime,
      scorers,
      languages,
      vocabulary: loadVocabulary(),
      key,
    });
  } catch (thrown) {
    await closeThreads();
    throw thrown;
  }
  return {
    assigned: () => consumer.assigned(),
    idleMs: () => consumer.idleMs(),
    ended: consumer.ended,
    close: async () => {
      await consumer.close();
      await closeThreads();
    },
  };
}

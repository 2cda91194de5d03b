/** `tocsin scorer`: answers how likely a claim's contents are rumours, with MAFN and its frozen encoders. */
import { setPriority } from 'node:os';
import type { Command } from 'commander';
import type { Log } from '../base/log.ts';
import type { Consumer } from '../bus/port.ts';
import { cacheDir } from '../config/cache.ts';
import { previewPixels } from '../media/preview.ts';
import { type MediaArea, openMediaStore } from '../media/store.ts';
import { openCatalogued } from '../models/encoders/catalogued.ts';
import { openRumourScorer } from '../models/serving/rumour-scorer.ts';
import { RUMOUR_CHAMPION_DIR } from '../registry/champions.ts';
import { SCORER_SERVICE, startScorerWorker } from '../scoring/worker.ts';
import { type Runtime, run, runWorker, withBusFlags } from './runtime.ts';

/** Labels come first: the scorer takes the processor time that they leave. */
const NICE = 10;

export function register(program: Command): void {
  withBusFlags(program.command('scorer'))
    .description('scorer: rumour scores of the contents that claims ask for')
    .action((flags: Readonly<Record<string, unknown>>) =>
      run(SCORER_SERVICE, flags, (runtime) => runWorker(runtime, () => start(runtime))),
    );
}

/** The worker as a consumer whose close also ends the threads, after the last slice. */
async function start(runtime: Runtime): Promise<Consumer> {
  const { settings, log, metrics } = runtime;
  setPriority(NICE);
  const scorer = await openRumourScorer({
    dir: settings.rumourModelDir || RUMOUR_CHAMPION_DIR,
    openEncoder: openCatalogued({ cacheDir: cacheDir(), threads: settings.rumourThreads, log }),
    metrics,
    log,
  });
  const { previews } = openMediaStore(settings.dataDir);
  let consumer: Consumer;
  try {
    consumer = await startScorerWorker({
      ...runtime,
      scorer,
      picture: (key) => readPreview(previews, key, log),
    });
  } catch (thrown) {
    await scorer.close();
    throw thrown;
  }
  return {
    assigned: () => consumer.assigned(),
    idleMs: () => consumer.idleMs(),
    ended: consumer.ended,
    close: async () => {
      await consumer.close();
      await scorer.close();
    },
  };
}

/** Null for a preview that is not there; the media worker wrote it, so one that cannot be decoded is worth a line. */
async function readPreview(previews: MediaArea, key: string, log: Log): Promise<Uint8Array | null> {
  const preview = await previews.get(key);
  try {
    return preview && (await previewPixels(preview));
  } catch (error) {
    log.warn({ key, error: error instanceof Error ? error.message : null }, 'A preview cannot be decoded.');
    return null;
  }
}

/** `tocsin scorer`: answers how likely a claim's contents are rumours, with MAFN and its frozen encoders. */
import { setPriority } from 'node:os';
import type { Command } from 'commander';
import type { Log } from '../base/log.ts';
import type { Consumer } from '../bus/port.ts';
import { cacheDir } from '../config/cache.ts';
import { previewPixels } from '../media/preview.ts';
import { type MediaArea, openMediaStore } from '../media/store.ts';
import { openCatalogued } from '../models/encoders/catalogued.ts';
import { createLineUps } from '../models/serving/line-up.ts';
import { rumourOpeners } from '../models/serving/rumour-openers.ts';
import { RUMOUR_CHAMPION_DIR } from '../registry/champions.ts';
import { openInForce } from '../registry/in-force.ts';
import { SCORER_SERVICE, startScorerWorker } from '../scoring/worker.ts';
import { type Runtime, run, runWorker, withBusFlags } from './runtime.ts';
import { openRegistry, withModels } from './serving-models.ts';

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
  const registry = openRegistry(settings);
  const source = await registry.source('rumour', settings.rumourModelDir || RUMOUR_CHAMPION_DIR);
  const openEncoder = openCatalogued({ cacheDir: cacheDir(), threads: settings.rumourThreads, log });
  const models = await openInForce({
    ...runtime,
    keys: registry.keys,
    environment: settings.environment,
    lineUps: createLineUps(rumourOpeners(source, { openEncoder, metrics, log })),
  });
  const { previews } = openMediaStore(settings.dataDir);
  try {
    const consumer = await startScorerWorker({
      ...runtime,
      models,
      shadowShare: settings.shadowShare,
      picture: (key) => readPreview(previews, key, log),
    });
    return withModels(consumer, models.ended, () => models.close());
  } catch (thrown) {
    await models.close();
    throw thrown;
  }
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

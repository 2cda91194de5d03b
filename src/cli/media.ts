/** `tocsin media`: fetches, checks and decodes the pictures that the label worker asks for. */
import type { Command } from 'commander';
import type { Consumer } from '../bus/port.ts';
import { createDecoder } from '../media/decoder.ts';
import { createPictures } from '../media/pictures.ts';
import { openMediaStore } from '../media/store.ts';
import { startMediaWorker } from '../media/worker.ts';
import { type Runtime, run, runWorker, withBusFlags } from './runtime.ts';

/** Adds the command. */
export function register(program: Command): void {
  withBusFlags(
    program.command('media').description('media worker: fetch, check and decode the pictures of posts'),
  ).action((flags: Readonly<Record<string, unknown>>) =>
    run('media', flags, (runtime) => runWorker(runtime, () => start(runtime))),
  );
}

/** The worker as a consumer whose close also ends the decoding processes, after the last slice. */
async function start(runtime: Runtime): Promise<Consumer> {
  const { settings, clock, log, metrics } = runtime;
  const decoder = createDecoder({
    settings: {
      fetchHosts: settings.fetchHosts,
      fetchPrivate: settings.fetchPrivate,
      dataDir: settings.dataDir,
    },
    limits: { decodes: settings.decodeConcurrency },
    clock,
    log,
    metrics,
  });
  const { previews } = openMediaStore(settings.dataDir);
  const pictures = createPictures({ previews, decoder, clock, metrics });
  const consumer = await startMediaWorker({ ...runtime, pictures });
  return {
    assigned: () => consumer.assigned(),
    idleMs: () => consumer.idleMs(),
    ended: consumer.ended,
    close: async () => {
      await consumer.close();
      await pictures.close();
    },
  };
}

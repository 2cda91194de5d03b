/** `tocsin serve`: the dashboard, its HTTP interface and the door for posts. */
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { loadKeys } from '../config/keys.ts';
import { openDashboard } from '../dashboard/server/dashboard.ts';
import { openMediaStore } from '../media/store.ts';
import { CHAMPION_DIR } from '../registry/champions.ts';
import { registryPaths } from '../registry/layout.ts';
import { createExplainer } from './explainer.ts';
import { writeRunFile } from './run-file.ts';
import { announceReady, EXIT, run, withBusFlags } from './runtime.ts';

/** Registers the command. */
export function register(program: Command): void {
  withBusFlags(program.command('serve'))
    .description('Serves the live page and its API, and takes posts in. Example: tocsin serve --port 8787')
    .option('--port <n>', 'port, 0 for a free one (TOCSIN_PORT)')
    .option('--host <address>', 'loopback address to bind to (TOCSIN_HOST)')
    .action(async (flags: Readonly<Record<string, unknown>>) => {
      await run('serve', flags, async ({ settings, bus, codec, clock, log, metrics, signal }) => {
        const explainer = createExplainer(settings.modelDir || CHAMPION_DIR, registryPaths(settings).models);
        const dashboard = await openDashboard(
          {
            bus,
            codec,
            clock,
            log,
            metrics,
            media: openMediaStore(settings.dataDir),
            authorKey: loadKeys(settings.dataDir).author,
            newId: randomUUID,
            explain: (revision) =>
              explainer.explain(revision).catch((thrown: unknown) => {
                log.warn({ err: thrown }, 'A label could not be explained.');
                return null;
              }),
          },
          { host: settings.host, port: settings.port },
        );
        const removeRunFile = writeRunFile(settings.dataDir, 'serve', new URL(dashboard.url).host);
        try {
          log.info({ url: dashboard.url }, 'Ready.');
          announceReady(dashboard.url);
          process.stdout.write(`${dashboard.url}\n`);
          await new Promise<void>((resolve) => {
            if (signal.aborted) resolve();
            signal.addEventListener('abort', () => resolve(), { once: true });
          });
          return EXIT.ok;
        } finally {
          removeRunFile();
          await dashboard.close();
          await explainer.close();
          log.info({}, 'Stopped.');
        }
      });
    });
}

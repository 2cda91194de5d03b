/** `tocsin models`: which models are here, and are their files what they should be? */
import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { silentLog } from '../base/log.ts';
import { cacheDir } from '../config/cache.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { ARTEFACT_FILES, loadArtefact } from '../models/artefact.ts';
import { CHAMPION_DIR } from '../registry/champions.ts';
import { EXIT, reportFailure } from './runtime.ts';

type Flags = Readonly<Record<string, unknown>>;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Folders below `root` that hold a manifest. */
async function artefactsIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter((entry) => entry.isDirectory())
      .map(async ({ name }) => {
        const files = await readdir(join(root, name));
        return files.includes(ARTEFACT_FILES.manifest) ? [join(root, name)] : [];
      }),
  );
  return found.flat().sort();
}

async function list(root: string, json: boolean): Promise<void> {
  for (const dir of await artefactsIn(root)) {
    const { manifest } = await loadArtefact(dir);
    const { name, version, task, modalities, metrics } = manifest;
    if (json) say(JSON.stringify({ dir, name, version, task, modalities, test: metrics.test }));
    else
      say(
        `${name} ${version}  ${task}  text ${modalities.text}, picture ${modalities.image}  ` +
          `test macro-F1 ${metrics.test.macroF1.value.toFixed(3)}  ${dir}`,
      );
  }
}

async function verify(dir: string): Promise<void> {
  // Loaded here, not above: it brings ONNX Runtime, and `tocsin --help` loads every command.
  const { openScorer } = await import('../models/serving/scorer.ts');
  const { openClassScorer } = await import('../models/serving/class-scorer.ts');
  const { openCatalogued } = await import('../models/encoders/catalogued.ts');
  const { openRumourScorer } = await import('../models/serving/rumour-scorer.ts');
  const deps = { dir, metrics: createMetrics({ bare: true }), log: silentLog };
  const { manifest } = await loadArtefact(dir);
  const scorer =
    manifest.task === 'rumour'
      ? await openRumourScorer({
          ...deps,
          openEncoder: openCatalogued({ cacheDir: cacheDir(), threads: 1, log: silentLog }),
        })
      : await (manifest.classes ? openClassScorer : openScorer)({ ...deps, threads: 1 });
  await scorer.close();
  say(`${scorer.model.name} ${scorer.model.version}: all files verified, golden batch reproduced.`);
}

async function act(body: () => Promise<void>): Promise<void> {
  try {
    await body();
    process.exitCode = EXIT.ok;
  } catch (thrown) {
    reportFailure('models', thrown);
  }
}

export function register(program: Command): void {
  const models = program.command('models').description('lists and verifies models');
  models
    .command('list')
    .description('models in a folder, each one verified')
    .argument('[folder]', 'folder of model folders (default: the shipped ones)')
    .option('--output <format>', 'table or json', 'table')
    .action((folder: string | undefined, flags: Flags) =>
      act(() => list(folder ? resolve(folder) : dirname(CHAMPION_DIR), flags['output'] === 'json')),
    );
  models
    .command('verify')
    .description('checks the hash of every file and the golden batch')
    .argument('[artefact]', 'folder of the model (default: the shipped informative one)')
    .action((dir: string | undefined) => act(() => verify(dir ? resolve(dir) : CHAMPION_DIR)));
}

/** `tocsin models`: which models are here, who serves, who served, and are their files what they should be? */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { silentLog } from '../base/log.ts';
import { cacheDir } from '../config/cache.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { ARTEFACT_FILES, type Artefact, loadArtefact } from '../models/artefact.ts';
import { CHAMPION_DIR } from '../registry/champions.ts';
import { registryPaths } from '../registry/layout.ts';
import { hasBus, listRegistry, viewRegistry } from './model-registry.ts';
import { registerRequests } from './model-requests.ts';
import { why } from './model-why.ts';
import { EXIT, type Runtime, reportFailure, run, settingsFrom, withBusFlags } from './runtime.ts';
import { shippedArtefacts } from './shipped-models.ts';

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
    const artefact = await loadArtefact(dir);
    say(json ? JSON.stringify(described(artefact)) : summary(artefact));
  }
}

const described = ({ dir, manifest: { name, version, task, modalities, metrics } }: Artefact): object => ({
  dir,
  name,
  version,
  task,
  modalities,
  test: metrics.test,
});

const summary = ({ dir, manifest: { name, version, task, modalities, metrics } }: Artefact): string =>
  `${name} ${version}  ${task}  text ${modalities.text}, picture ${modalities.image}  ` +
  `test macro-F1 ${metrics.test.macroF1.value.toFixed(3)}  ${dir}`;

/** All versions that are known, each verified, with their places in the state in force. */
async function listKnown(flags: Flags, json: boolean): Promise<void> {
  if (!hasBus(flags)) {
    const shipped = await shippedArtefacts(settingsFrom(flags));
    const paths = registryPaths(settingsFrom(flags));
    tell(await listRegistry({ paths, shipped, history: [], keys: { find: () => null } }), 0, json);
    process.exitCode = EXIT.ok;
    return;
  }
  await run('models', flags, async (runtime) => {
    const view = await viewRegistry(runtime);
    const found = await listRegistry(view);
    tell(found, view.history.at(-1)?.sequence ?? 0, json);
    return found.broken.length > 0 ? EXIT.problems : EXIT.ok;
  });
}

function tell(
  { versions, broken }: Awaited<ReturnType<typeof listRegistry>>,
  sequence: number,
  json: boolean,
): void {
  for (const { artefact, role, canary, pinned } of versions)
    if (json)
      say(
        JSON.stringify({ ...described(artefact), digest: artefact.digest, role, canary, pinned, sequence }),
      );
    else {
      const place = `${role ?? '-'}${pinned ? ' (pinned)' : ''}${canary.length > 0 ? ` on ${canary.join(', ')}` : ''}`;
      say(`${place.padEnd(18)} ${summary(artefact)}`);
    }
  for (const { task, version, why: reason } of broken)
    if (json) say(JSON.stringify({ task, version, broken: reason, sequence }));
    else say(`BROKEN             ${task} ${version}  ${reason}`);
}

/** Every state and every other audit entry, oldest first. */
async function history(runtime: Runtime, json: boolean): Promise<number> {
  const { chain, history: states, refused } = await viewRegistry(runtime);
  for (const { at, who, what, why: reason, before, after } of chain.entries) {
    const sequence = /^state (\d+):/.exec(what)?.[1];
    const state = states.find((other) => String(other.sequence) === sequence);
    if (json) say(JSON.stringify({ at, who, what, why: reason, before, after, tasks: state?.tasks ?? null }));
    else say(`${new Date(at).toISOString()}  ${who.padEnd(10)} ${what}: ${reason}`);
  }
  for (const { offset, why: reason } of [...chain.breaks, ...refused])
    process.stderr.write(`tocsin models: offset ${offset} is not to be believed: ${reason}\n`);
  return chain.breaks.length > 0 ? EXIT.problems : EXIT.ok;
}

/** Signatures and files of the registry, the states and the audit chain. */
async function verifyKnown(runtime: Runtime, json: boolean): Promise<number> {
  const view = await viewRegistry(runtime);
  const { versions, broken } = await listRegistry(view);
  const { chain, refused, history: states } = view;
  const breaks = chain.breaks.map(({ offset, why: reason }) => ({ offset: Number(offset), why: reason }));
  if (json)
    say(
      JSON.stringify({
        versions: versions.map(({ artefact }) => described(artefact)),
        broken,
        states: { valid: states.length, refused },
        audit: { entries: chain.entries.length, breaks },
      }),
    );
  else {
    say(`registry: ${versions.length} versions whole and signed or shipped, ${broken.length} broken`);
    for (const { task, version, why: reason } of broken) say(`  ${task} ${version}: ${reason}`);
    say(`states: ${states.length} valid, ${refused.length} refused`);
    for (const { offset, why: reason } of refused) say(`  offset ${offset}: ${reason}`);
    say(`audit: ${chain.entries.length} entries, ${breaks.length} breaks in the chain`);
    for (const { offset, why: reason } of breaks) say(`  offset ${offset}: ${reason}`);
  }
  return broken.length + breaks.length > 0 ? EXIT.problems : EXIT.ok;
}

async function verify(dir: string, json: boolean): Promise<void> {
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
  const { name, version } = scorer.model;
  say(
    json
      ? JSON.stringify({ dir, name, version, verified: true })
      : `${name} ${version}: all files verified, golden batch reproduced.`,
  );
}

async function act(body: () => Promise<void>): Promise<void> {
  try {
    await body();
    process.exitCode ??= EXIT.ok;
  } catch (thrown) {
    reportFailure('models', thrown);
  }
}

export function register(program: Command): void {
  const models = program.command('models').description('which models serve, and who may change it');
  withBusFlags(models.command('list'))
    .description(
      'versions with their roles (champion, challenger, previous), or the models in a folder; each one verified',
    )
    .argument('[folder]', 'folder of model folders (default: the shipped ones and the registry)')
    .option('--output <format>', 'table or json', 'table')
    .action((folder: string | undefined, { output, ...flags }: Flags) =>
      act(() => (folder ? list(resolve(folder), output === 'json') : listKnown(flags, output === 'json'))),
    );
  withBusFlags(models.command('verify'))
    .description(
      'checks the hash of every file and the golden batch; without a folder also signatures, states and audit chain (exit 3 when something is wrong)',
    )
    .argument('[artefact]', 'folder of the model (default: the shipped informative one, and the registry)')
    .option('--output <format>', 'text or json', 'text')
    .action((dir: string | undefined, { output, ...flags }: Flags) =>
      act(async () => {
        const json = output === 'json';
        await verify(dir ? resolve(dir) : CHAMPION_DIR, json);
        if (!dir && hasBus(flags)) await run('models', flags, (runtime) => verifyKnown(runtime, json));
      }),
    );
  withBusFlags(models.command('why'))
    .description(
      'which models labelled a post, and what those of today say. Example: tocsin models why post-17',
    )
    .argument('<post>', 'id of the post')
    .option('--output <format>', 'text or json', 'text')
    .action((post: string, { output, ...flags }: Flags) =>
      run('models', flags, (runtime) => why(post, runtime, String(output))),
    );
  withBusFlags(models.command('history'))
    .description('every change of what serves, who asked and why; exit 3 when the audit chain is broken')
    .option('--output <format>', 'text or json', 'text')
    .action(({ output, ...flags }: Flags) =>
      run('models', flags, (runtime) => history(runtime, output === 'json')),
    );
  registerRequests(models);
}

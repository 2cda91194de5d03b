/** `tocsin gate`: judges candidates, signs, and says which models serve. It alone has the signing key and the vault. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { TocsinError } from '../base/errors.ts';
import type { Consumer } from '../bus/port.ts';
import { type GateRules, openGate } from '../registry/gate/gate.ts';
import { keyPaths, registryPaths } from '../registry/layout.ts';
import { openSigner } from '../registry/signing.ts';
import { trustedKeys } from '../registry/verify.ts';
import { lockDataDir } from './data-lock.ts';
import { judgeInProcess } from './gate-judge.ts';
import { type Runtime, run, runWorker, withBusFlags } from './runtime.ts';
import { shippedArtefacts } from './shipped-models.ts';

const SERVICE = 'gate';
/** A worker has so long to follow a new state before it counts as refusing it. */
const GRACE_MS = 30_000;
const POLL_MS = 1_000;

export function register(program: Command): void {
  withBusFlags(program.command(SERVICE))
    .description(
      'judge candidates, sign models, lead them from shadow to canary to all. Example: tocsin gate --vault ./vault',
    )
    .option('--vault <dir>', 'labelled posts that judge candidates (TOCSIN_VAULT)')
    .action(({ vault, ...flags }: Readonly<Record<string, unknown>>) =>
      run(SERVICE, { ...flags, vaultDir: vault }, (runtime) => runWorker(runtime, () => start(runtime))),
    );
}

/** The gate as a consumer: it has no partitions, but it lives and ends like one. */
async function start(runtime: Runtime): Promise<Consumer> {
  const { settings, codec, log } = runtime;
  const paths = registryPaths(settings);
  const unlock = lockDataDir(paths.root, SERVICE);
  try {
    const gate = await openGate({
      ...runtime,
      environment: settings.environment,
      paths,
      signer: openSigner(codec, settings.dataDir),
      keys: trustedKeys(keyPaths(settings.dataDir).public),
      shipped: await shippedArtefacts(settings),
      rules: rulesOf(settings),
      judge: settings.vaultDir ? judgeInProcess(vaultOf(settings.vaultDir)) : null,
    });
    if (!settings.vaultDir) log.warn({}, 'No vault: candidates wait, requests of people are served.');
    return {
      assigned: () => [],
      idleMs: () => gate.idleMs(),
      ended: gate.ended,
      async close() {
        await gate.close();
        unlock();
      },
    };
  } catch (thrown) {
    unlock();
    throw thrown;
  }
}

const rulesOf = (settings: Runtime['settings']): GateRules => ({
  shadowEvents: settings.shadowEvents,
  shadowMs: settings.shadowMs,
  canaryMs: settings.canaryMs,
  graceMs: GRACE_MS,
  promotionIntervalMs: settings.promotionIntervalMs,
  twoPersons: settings.twoPersons,
  pollMs: POLL_MS,
});

function vaultOf(dir: string): string {
  if (!existsSync(dir)) throw new TocsinError('BAD_CONFIG', `TOCSIN_VAULT: there is nothing at ${dir}.`);
  return resolve(dir);
}

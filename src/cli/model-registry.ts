/** What `tocsin models` looks at: the states, the audit and the versions, as anybody may read them. Writes nothing. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DesiredState, DesiredTask, ModelVersion } from '../event/records.ts';
import type { Artefact } from '../models/artefact.ts';
import { type Chain, readChain } from '../registry/audit-chain.ts';
import { readDesired } from '../registry/desired-state.ts';
import { shippedVersions } from '../registry/gate/announce.ts';
import { championsOf, type Shipped, sameVersion, tasksInForce } from '../registry/gate/lineage.ts';
import { keyPaths, type RegistryPaths, registryPaths } from '../registry/layout.ts';
import { versionOf } from '../registry/open-version.ts';
import { type TrustedKeys, trustedKeys } from '../registry/verify.ts';
import { findSigned, listVersions } from '../registry/versions.ts';
import { type Runtime, settingsFrom } from './runtime.ts';
import { shippedArtefacts } from './shipped-models.ts';

export interface RegistryView {
  readonly paths: RegistryPaths;
  readonly keys: TrustedKeys;
  readonly shipped: readonly Artefact[];
  /** Valid states, oldest first. */
  readonly history: readonly DesiredState[];
  /** Messages on the topic that are no valid state: offset and why. */
  readonly refused: readonly { readonly offset: number; readonly why: string }[];
  readonly chain: Chain;
}

export async function viewRegistry({ settings, bus, codec, clock }: Runtime): Promise<RegistryView> {
  const keys = trustedKeys(keyPaths(settings.dataDir).public);
  const refused: { offset: number; why: string }[] = [];
  const desired = await readDesired({
    bus,
    codec,
    keys,
    environment: settings.environment,
    now: () => clock.now(),
    refused: (error, { offset }) => refused.push({ offset: Number(offset), why: error.message }),
  });
  return {
    paths: registryPaths(settings),
    keys,
    shipped: await shippedArtefacts(settings),
    history: desired.history,
    refused,
    chain: await readChain(bus, codec),
  };
}

/** Whether there is a bus to look at: an embedded one is made by those that write, not by a look. */
export function hasBus(flags: Readonly<Record<string, unknown>>): boolean {
  const settings = settingsFrom(flags);
  return settings.bus === 'kafka' || existsSync(join(settings.dataDir, 'bus'));
}

export type Role = 'champion' | 'challenger' | 'previous' | null;

/** A version as `tocsin models list` shows it. */
export interface ListedVersion {
  readonly artefact: Artefact;
  readonly role: Role;
  /** Partitions on which a challenger answers. */
  readonly canary: readonly number[];
  readonly pinned: boolean;
}

/** Every version that can be opened, with its place in the state in force; and those that cannot, with the reason. */
export async function listRegistry(
  view: Pick<RegistryView, 'paths' | 'keys' | 'shipped' | 'history'>,
): Promise<{
  readonly versions: readonly ListedVersion[];
  readonly broken: readonly { readonly task: string; readonly version: string; readonly why: string }[];
}> {
  const { paths, keys, shipped, history } = view;
  const artefacts: Artefact[] = [...shipped];
  const broken: { task: string; version: string; why: string }[] = [];
  for (const { task, version } of await listVersions(paths.models))
    try {
      const artefact = await findSigned(paths.models, task, version, keys);
      if (!shipped.some(({ digest }) => digest === artefact.digest)) artefacts.push(artefact);
    } catch (thrown) {
      broken.push({ task, version, why: (thrown as Error).message });
    }
  const ships = shippedVersions(shipped);
  const tasks = tasksInForce(history, ships);
  const versions = artefacts.map((artefact): ListedVersion => {
    const task = tasks.find(({ task: name }) => name === artefact.manifest.task);
    const role = task ? roleOf(versionOf(artefact), task, history, ships) : null;
    return {
      artefact,
      role,
      canary: role === 'challenger' ? (task?.canary ?? []) : [],
      pinned: role === 'champion' && task?.pinned === true,
    };
  });
  return { versions, broken };
}

function roleOf(
  version: ModelVersion,
  task: DesiredTask,
  history: readonly DesiredState[],
  shipped: Shipped,
): Role {
  if (sameVersion(version, task.champion)) return 'champion';
  if (sameVersion(version, task.challenger)) return 'challenger';
  const previous = championsOf(history, shipped, task.task).at(-2) ?? null;
  return sameVersion(version, previous) ? 'previous' : null;
}

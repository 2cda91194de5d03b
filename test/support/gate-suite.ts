/**
 * A gate that is killed (SIGKILL) at any step leaves one active model and nothing half written, and goes on at its next start.
 * The same on either bus.
 */
import { spawn } from 'node:child_process';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { message, NO_LINEAGE } from '../../src/bus/messages.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import type { AuditEntry, DesiredState, ModelRequest } from '../../src/event/records.ts';
import { readChain } from '../../src/registry/audit-chain.ts';
import { readDesired } from '../../src/registry/desired-state.ts';
import { isSegment } from '../../src/registry/layout.ts';
import { findSigned } from '../../src/registry/versions.ts';
import { openTarget, prepare, type Target } from './pipeline.ts';
import { type TestRegistry, temporaryRegistry, writePlainArtefact } from './registry.ts';
import { ROOT } from './tocsin.ts';

/** Every step of two candidates' ways: the shipped model is signed first, then the candidate. */
export const GATE_STEPS = [
  'gate.judged',
  'gate.copied',
  'gate.signed',
  'gate.renamed',
  'gate.signed:2',
  'gate.state-signed',
  'gate.announced',
  'gate.audited',
  'gate.announced:3',
] as const;

type Where = Pick<Target, 'bus' | 'brokers'>;

/** A gate's data directory and its bus. */
interface Scene {
  readonly registry: TestRegistry;
  readonly target: Target;
}

const shippedDir = ({ registry }: Scene): string => join(registry.dataDir, 'shipped');

/** @param name tells this scene's topics from others on the same broker */
async function prepared(where: Where, name: string): Promise<Scene> {
  const registry = temporaryRegistry();
  const environment = `gate-${name.replace(/[^a-z0-9]/g, '-')}-${process.pid}`;
  const scene = { registry, target: { ...where, dataDir: registry.dataDir, environment } };
  await writePlainArtefact(shippedDir(scene), 'shipped');
  await writePlainArtefact(join(registry.paths.candidates, 'informative', 'c1'), 'c1');
  await prepare(scene.target);
  return scene;
}

/** The signal that ended the gate; null when it came to the state with this sequence. */
function runGate(scene: Scene, sequence: number, failPoint?: string): Promise<string | null> {
  const { TOCSIN_FAIL_POINT: _, ...env } = process.env;
  const child = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      join(ROOT, 'test/support/gate-child.ts'),
      JSON.stringify(scene.target),
      shippedDir(scene),
      `${sequence}`,
    ],
    {
      env: failPoint ? { ...env, TOCSIN_FAIL_POINT: failPoint } : env,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  return new Promise((resolve) =>
    child.once('close', (code, signal) => resolve(signal ?? (code ? `${code}` : null))),
  );
}

/** What a reader finds: the valid states, the audit, and the versions, each of which must open. */
async function found({ registry, target }: Scene): Promise<{
  readonly states: readonly DesiredState[];
  readonly messages: number;
  readonly entries: readonly AuditEntry[];
  readonly versions: readonly string[];
  readonly aside: readonly string[];
}> {
  const { codec, keys, paths } = registry;
  const bus = await openTarget(target);
  try {
    const desired = await readDesired({
      bus,
      codec,
      keys,
      environment: target.environment,
      now: () => 0,
      refused: (error) => {
        throw error;
      },
    });
    const chain = await readChain(bus, codec);
    expect(chain.breaks).toEqual([]);
    await mkdir(join(paths.models, 'informative'), { recursive: true });
    const names = await readdir(join(paths.models, 'informative'));
    const versions = names.filter(isSegment).sort();
    for (const version of versions) await findSigned(paths.models, 'informative', version, keys);
    return {
      states: desired.history,
      messages: Number(desired.end),
      entries: chain.entries,
      versions,
      aside: names.filter((name) => !isSegment(name)),
    };
  } finally {
    await bus.close();
  }
}

const serving = (states: readonly DesiredState[]): readonly string[] =>
  states.map(({ tasks }) => tasks[0]?.champion.version ?? '');

/** Killed there on the way from the shipped model to a candidate, it goes on where it was. */
export async function killGate(where: Where, failPoint: string): Promise<void> {
  const scene = await prepared(where, failPoint);
  expect(await runGate(scene, 3, failPoint)).toBe('SIGKILL');
  const left = await found(scene);
  expect(left.states.map(({ sequence }) => sequence)).toEqual([1, 2, 3].slice(0, left.states.length));
  expect(await runGate(scene, 3)).toBeNull();

  const after = await found(scene);
  expect(serving(after.states)).toEqual(['shipped', 'shipped', 'c1']);
  expect(after.messages).toBe(3);
  expect(after.versions).toEqual(['c1', 'shipped']);
  expect(after.aside).toEqual([]);
  expect(after.entries.map(({ what }) => what).filter((what) => what.startsWith('state'))).toEqual([
    'state 1: shadow informative',
    'state 2: canary informative',
    'state 3: promote informative',
  ]);
}

/** Killed between announcing and auditing a rollback, it does not roll back twice. */
export async function killGateInRollback(where: Where): Promise<void> {
  const scene = await prepared(where, 'rollback');
  expect(await runGate(scene, 3)).toBeNull();
  await rm(join(scene.registry.paths.candidates, 'informative'), { recursive: true });
  const request: ModelRequest = {
    kind: 'ModelRequest',
    id: 'once',
    action: 'rollback',
    task: 'informative',
    version: null,
    by: 'ada',
    why: 'drill',
    approvals: [],
    at: 0,
  };
  const bus = await openTarget(scene.target);
  const options = { key: 'informative', id: 'once', source: 'test', time: 0, lineage: NO_LINEAGE };
  await bus.produce([message(scene.registry.codec, TOPICS.requests, request, options)]);
  await bus.close();
  expect(await runGate(scene, 4, 'gate.announced')).toBe('SIGKILL');
  expect(await runGate(scene, 4)).toBeNull();
  const { states, entries } = await found(scene);
  expect(serving(states)).toEqual(['shipped', 'shipped', 'c1', 'shipped']);
  expect(entries.at(-1)).toMatchObject({
    who: 'ada',
    what: 'state 4: rollback informative',
    why: 'drill [request once]',
  });
}

/** A gate that is killed (SIGKILL) at any step leaves one active model and nothing half written, and goes on at its next start. */
import { spawn } from 'node:child_process';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { message, NO_LINEAGE } from '../../src/bus/messages.ts';
import { openBus } from '../../src/bus/open.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import type { AuditEntry, DesiredState, ModelRequest } from '../../src/event/records.ts';
import { readChain } from '../../src/registry/audit-chain.ts';
import { readDesired } from '../../src/registry/desired-state.ts';
import { isSegment } from '../../src/registry/layout.ts';
import { findSigned } from '../../src/registry/versions.ts';
import { type TestRegistry, temporaryRegistry, writePlainArtefact } from '../support/registry.ts';
import { ROOT } from '../support/tocsin.ts';

const shippedDir = (registry: TestRegistry): string => join(registry.dataDir, 'shipped');

async function prepared(): Promise<TestRegistry> {
  const registry = temporaryRegistry();
  await writePlainArtefact(shippedDir(registry), 'shipped');
  await writePlainArtefact(join(registry.paths.candidates, 'informative', 'c1'), 'c1');
  return registry;
}

/** The signal that ended the gate; null when it came to the state with this sequence. */
function runGate(registry: TestRegistry, sequence: number, failPoint?: string): Promise<string | null> {
  const { TOCSIN_FAIL_POINT: _, ...env } = process.env;
  const child = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      join(ROOT, 'test/support/gate-child.ts'),
      registry.dataDir,
      shippedDir(registry),
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
async function found(registry: TestRegistry): Promise<{
  readonly states: readonly DesiredState[];
  readonly messages: number;
  readonly entries: readonly AuditEntry[];
  readonly versions: readonly string[];
  readonly aside: readonly string[];
}> {
  const { codec, keys, paths, dataDir } = registry;
  const bus = await openBus(
    { bus: 'embedded', brokers: [], dataDir, environment: 'lab', embeddedMaxBytes: 100_000_000 },
    { clock: systemClock, log: silentLog },
  );
  try {
    const desired = await readDesired({
      bus,
      codec,
      keys,
      environment: 'lab',
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

describe('a gate that is killed', () => {
  it.each([
    'gate.judged',
    'gate.copied',
    'gate.signed',
    'gate.renamed',
    'gate.signed:2',
    'gate.state-signed',
    'gate.announced',
    'gate.audited',
    'gate.announced:3',
  ])('at %s goes on where it was', async (failPoint) => {
    const registry = await prepared();
    expect(await runGate(registry, 3, failPoint)).toBe('SIGKILL');
    const left = await found(registry);
    expect(left.states.map(({ sequence }) => sequence)).toEqual([1, 2, 3].slice(0, left.states.length));
    expect(await runGate(registry, 3)).toBeNull();

    const after = await found(registry);
    expect(serving(after.states)).toEqual(['shipped', 'shipped', 'c1']);
    expect(after.messages).toBe(3);
    expect(after.versions).toEqual(['c1', 'shipped']);
    expect(after.aside).toEqual([]);
    expect(after.entries.map(({ what }) => what).filter((what) => what.startsWith('state'))).toEqual([
      'state 1: shadow informative',
      'state 2: canary informative',
      'state 3: promote informative',
    ]);
  });

  it('between announcing and auditing a rollback does not roll back twice', async () => {
    const registry = await prepared();
    expect(await runGate(registry, 3)).toBeNull();
    await rm(join(registry.paths.candidates, 'informative'), { recursive: true });
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
    const bus = await openBus(
      {
        bus: 'embedded',
        brokers: [],
        dataDir: registry.dataDir,
        environment: 'lab',
        embeddedMaxBytes: 100_000_000,
      },
      { clock: systemClock, log: silentLog },
    );
    const options = { key: 'informative', id: 'once', source: 'test', time: 0, lineage: NO_LINEAGE };
    await bus.produce([message(registry.codec, TOPICS.requests, request, options)]);
    await bus.close();
    expect(await runGate(registry, 4, 'gate.announced')).toBe('SIGKILL');
    expect(await runGate(registry, 4)).toBeNull();
    const { states, entries } = await found(registry);
    expect(serving(states)).toEqual(['shipped', 'shipped', 'c1', 'shipped']);
    expect(entries.at(-1)).toMatchObject({
      who: 'ada',
      what: 'state 4: rollback informative',
      why: 'drill [request once]',
    });
  });
});

/** One archive through both buses, with one and with two label workers: the same labels, the same claims, balanced books. */
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  busFlags,
  finalClaims,
  labelMultiset,
  prepare,
  scored,
  settled,
  startService,
  type Target,
} from './pipeline.ts';
import { type Ledger, type Running, tail, temporaryFolder, tocsinOk } from './tocsin.ts';

export interface RunResult {
  readonly labels: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
  readonly ledger: Ledger;
}

/** Authors must hash alike in every run, whatever its data directory. */
const KEYS = { TOCSIN_AUTHOR_KEY: 'aa'.repeat(32), TOCSIN_CONTEXT_KEY: 'cc'.repeat(32) };

let runs = 0;

/** Replays `archive` at full speed through fresh services and waits until everything is accounted for. */
export async function runArchive(
  bus: 'embedded' | 'kafka',
  options: {
    readonly archive: string;
    readonly posts: number;
    readonly labelWorkers: number;
    /** Whether claims are scored too. */
    readonly scorer?: boolean;
    readonly brokers?: string;
  },
): Promise<RunResult> {
  const folder = temporaryFolder('tocsin-equality-');
  runs += 1;
  const target: Target = {
    bus,
    dataDir: join(folder.path, 'data'),
    environment: `eq${runs}-${process.pid}`,
    ...(bus === 'kafka' && options.brokers ? { brokers: options.brokers } : {}),
  };
  const services: Running[] = [];
  try {
    await prepare(target);
    const names = [...Array.from({ length: options.labelWorkers }, () => 'label'), 'media', 'claims'];
    if (options.scorer) names.push('scorer');
    for (const name of names) services.push(await startService(target, name, KEYS));
    await tocsinOk(['replay', options.archive, '--speed', 'max', ...busFlags(target)], KEYS);
    const ledger = await settled(target, options.posts, 300_000);
    if (options.scorer) await scored(target, 300_000);
    await tocsinOk(['audit', ...busFlags(target)]);
    return {
      labels: labelMultiset(await tail('crisis.labels.v1', busFlags(target))),
      claims: finalClaims(await tail('crisis.claims.v1', busFlags(target))),
      ledger,
    };
  } finally {
    for (const service of services) await service.kill('SIGTERM');
    folder.remove();
  }
}

/** At most three, so that a failure can be read. */
const onlyIn = (here: readonly string[], there: readonly string[]): string[] => {
  const known = new Set(there);
  return here.filter((label) => !known.has(label)).slice(0, 3);
};

/** What must hold between all runs of one archive. */
export function expectSameResults(results: readonly RunResult[]): void {
  const [first, ...others] = results;
  if (!first) throw new Error('nothing was run');
  const { received, labelled, filtered, duplicate, dead, inFlight, pictures } = first.ledger;
  expect(received).toBe(labelled + filtered + duplicate + dead);
  expect(inFlight).toBe(0);
  expect(pictures.requested).toBe(pictures.ready + pictures.refused);
  for (const other of others) {
    expect(onlyIn(other.labels, first.labels)).toEqual([]);
    expect(onlyIn(first.labels, other.labels)).toEqual([]);
    expect(other.labels.length).toBe(first.labels.length);
    expect(other.claims).toEqual(first.claims);
    expect(other.ledger).toEqual(first.ledger);
  }
}

/** The services as processes of their own on one bus, with what the end-to-end suites ask of them. */
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { createCodec } from '../../src/bus/codec.ts';
import { openBus } from '../../src/bus/open.ts';
import type { Bus } from '../../src/bus/port.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import { CLAIMS_SERVICE } from '../../src/claims/tell.ts';
import { ledgerOf, summariseLedger, watchLedger } from '../../src/pipeline/ledger.ts';
import { SCORER_SERVICE } from '../../src/scoring/worker.ts';
import { caughtUp, readAll } from '../contract/bus/support.ts';
import {
  eventually,
  type Ledger,
  ledger,
  type Running,
  startTocsin,
  type TailedRecord,
  tocsinOk,
} from './tocsin.ts';

export interface Target {
  readonly bus: 'embedded' | 'kafka';
  readonly dataDir: string;
  /** Only on Kafka. */
  readonly brokers?: string;
  readonly environment: string;
}

const codec = createCodec();
const EMBEDDED_MAX_BYTES = 1e9;

export function busFlags(target: Target): string[] {
  return [
    '--bus',
    target.bus,
    '--data',
    target.dataDir,
    '--environment',
    target.environment,
    ...(target.brokers ? ['--brokers', target.brokers] : []),
  ];
}

/** Makes the topics (the embedded bus makes its own). */
export async function prepare(target: Target): Promise<void> {
  if (target.bus === 'kafka') await tocsinOk(['topics', 'apply', '--yes', ...busFlags(target)]);
}

/** Starts one service and waits until it works. */
export async function startService(
  target: Target,
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const running = startTocsin([name, ...busFlags(target)], env);
  await eventually(`${name} to be ready`, () => {
    if (running.stderr().includes('"Ready."')) return true;
    throw new Error(`exit code ${running.child.exitCode}, it said:\n${running.stderr().slice(-3_000)}`);
  });
  return running;
}

/** The bus of the target, opened in this process. */
export function openTarget({ brokers, ...target }: Target): Promise<Bus> {
  return openBus(
    { ...target, brokers: brokers ? [brokers] : [], embeddedMaxBytes: EMBEDDED_MAX_BYTES },
    { clock: systemClock, log: silentLog },
  );
}

/** Decoded records of a topic with their keys, as they are committed now. Cheaper than `tail`, which starts a process. */
export async function recordsIn(
  bus: Bus,
  topic: string,
): Promise<{ readonly key: string | null; readonly record: Readonly<Record<string, unknown>> }[]> {
  return (await readAll(bus, topic)).map(({ key, value }) => ({
    key,
    record: codec.decode(value as Uint8Array) as unknown as Readonly<Record<string, unknown>>,
  }));
}

/** Waits until every post and picture is accounted for. */
export async function accounted(
  target: Target,
  expectReceived: number,
  timeoutMs = 120_000,
): Promise<Ledger> {
  const bus = await openTarget(target);
  const books = await watchLedger(bus);
  try {
    await eventually(
      `${expectReceived} posts accounted for`,
      async () => {
        await books.refresh();
        const now = await summariseLedger(bus, ledgerOf(books));
        if (now.received === expectReceived && now.inFlight === 0 && now.pictures.pending === 0) return true;
        throw new Error(JSON.stringify(now));
      },
      { timeoutMs },
    );
  } finally {
    await books.close();
    await bus.close();
  }
  return ledger(busFlags(target));
}

/** The same, and the claim worker has worked off all evidence. */
export async function settled(target: Target, expectReceived: number, timeoutMs = 120_000): Promise<Ledger> {
  const books = await accounted(target, expectReceived, timeoutMs);
  const bus = await openTarget(target);
  try {
    await eventually('all evidence in claims', () => caughtUp(bus, CLAIMS_SERVICE, TOPICS.evidence), {
      timeoutMs,
    });
  } finally {
    await bus.close();
  }
  return books;
}

/** Waits until the scorer has answered every request and its answers are in the claims. Call it once all is settled. */
export async function scored(target: Target, timeoutMs: number): Promise<void> {
  const bus = await openTarget(target);
  try {
    await eventually('all requests answered', () => caughtUp(bus, SCORER_SERVICE, TOPICS.scoring), {
      timeoutMs,
    });
    await eventually('all answers in claims', () => caughtUp(bus, CLAIMS_SERVICE, TOPICS.evidence), {
      timeoutMs,
    });
  } finally {
    await bus.close();
  }
}

/** Fields of a label that must not depend on where and when it was made (contracts, Revisions). */
export function deterministicLabel(tailed: TailedRecord): string {
  const { receivedAt: _receivedAt, ...rest } = tailed.record;
  return JSON.stringify(rest, Object.keys(flatten(rest)).sort());
}

function flatten(value: unknown, keys: Record<string, true> = {}): Record<string, true> {
  if (Array.isArray(value)) for (const item of value) flatten(item, keys);
  else if (value !== null && typeof value === 'object')
    for (const [key, inner] of Object.entries(value)) {
      keys[key] = true;
      flatten(inner, keys);
    }
  return keys;
}

/** Labels as a sorted multiset. */
export function labelMultiset(records: readonly TailedRecord[]): string[] {
  return records.map(deterministicLabel).sort();
}

/** The final snapshot of every claim that still stands, by id, without the volatile fields. */
export function finalClaims(records: readonly TailedRecord[]): Record<string, unknown> {
  const newest = new Map<string, Readonly<Record<string, unknown>>>();
  for (const { record } of records) {
    const id = String(record['claimId']);
    const seen = newest.get(id);
    if (!seen || Number(seen['revision']) <= Number(record['revision'])) newest.set(id, record);
  }
  const standing = [...newest.values()].filter((claim) => claim['mergedInto'] === null);
  return Object.fromEntries(
    standing
      .map(
        ({ claimId, collection, posts, authors, firstSeen, lastSeen, membersDigest, ruling, rumour }) =>
          [
            String(claimId),
            { collection, posts, authors, firstSeen, lastSeen, membersDigest, ruling, rumour },
          ] as const,
      )
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** The services as processes of their own on one bus, with what the end-to-end suites ask of them. */
import {
  eventually,
  type Ledger,
  ledger,
  type Running,
  startTocsin,
  type TailedRecord,
  tail,
  tocsinOk,
} from './tocsin.ts';

export interface Target {
  readonly bus: 'embedded' | 'kafka';
  readonly dataDir: string;
  /** Only on Kafka. */
  readonly brokers?: string;
  readonly environment: string;
}

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

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Waits until every post and picture is accounted for and the claim worker has read all evidence. */
export async function settled(target: Target, expectReceived: number, timeoutMs = 120_000): Promise<Ledger> {
  const flags = busFlags(target);
  const done = await eventually(
    `${expectReceived} posts accounted for`,
    async () => {
      const now = await ledger(flags);
      if (now.received > expectReceived)
        throw new Error(`received ${now.received}, more than ${expectReceived}`);
      return now.received === expectReceived && now.inFlight === 0 && now.pictures.pending === 0 && now;
    },
    { timeoutMs, everyMs: 500 },
  );
  let before: unknown = null;
  await eventually(
    'claims to come to rest',
    async () => {
      const now = finalClaims(await tail('crisis.claims.v1', flags));
      const rest = before !== null && same(before, now);
      before = now;
      return rest;
    },
    { timeoutMs, everyMs: 1_000 },
  );
  return done;
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

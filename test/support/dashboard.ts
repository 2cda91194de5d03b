/** A dashboard on a free port over a bus in memory, and records to fill it with. */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { type Codec, createCodec } from '../../src/bus/codec.ts';
import { message, NO_LINEAGE, traceparentFor } from '../../src/bus/messages.ts';
import type { Bus } from '../../src/bus/port.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import {
  type Dashboard,
  type DashboardOptions,
  openDashboard,
} from '../../src/dashboard/server/dashboard.ts';
import type { Alert, Claim, Decision, Label, TaskScore } from '../../src/event/records.ts';
import { type MediaStore, openMediaStore } from '../../src/media/store.ts';
import { createMetrics, type Metrics } from '../../src/metrics/metrics.ts';
import { EMPTY_ROW, encodeRow, LEDGER_ENTRY, type LedgerRow } from '../../src/pipeline/ledger.ts';
import { createMemoryBus, type MemoryBus } from './memory-bus.ts';

export const codec: Codec = createCodec();

export const NO_PAGE: string = join(tmpdir(), 'tocsin-no-page-here');

export interface Bench<B extends Bus = MemoryBus> {
  readonly bus: B;
  readonly dashboard: Dashboard;
  readonly url: string;
  readonly media: MediaStore;
  readonly metrics: Metrics;
  /** Starts another server on the same bus and port, after the first was closed. */
  reopen(): Promise<Dashboard>;
  close(): Promise<void>;
}

/** Over a bus in memory unless another is given. */
export function openBench(options?: Partial<DashboardOptions>): Promise<Bench>;
export function openBench<B extends Bus>(options: Partial<DashboardOptions>, bus: B): Promise<Bench<B>>;
export async function openBench(
  options: Partial<DashboardOptions> = {},
  bus: Bus = createMemoryBus(),
): Promise<Bench<Bus>> {
  const dir = mkdtempSync(join(tmpdir(), 'tocsin-dashboard-'));
  const media = openMediaStore(dir);
  const metrics = createMetrics({ bare: true });
  const open = (port: number): Promise<Dashboard> =>
    openDashboard(
      {
        bus,
        codec,
        clock: systemClock,
        log: silentLog,
        metrics,
        media,
        authorKey: new Uint8Array(32),
        newId: randomUUID,
        // An answer that shows what was asked about.
        explain: async ({ revision, modalities }) =>
          modalities.includes('image') ? null : [`word:revision${revision}:+0.31`],
      },
      { host: '127.0.0.1', port, uiDir: NO_PAGE, pulseMs: 50, ...options },
    );
  let dashboard = await open(options.port ?? 0);
  return {
    bus,
    media,
    metrics,
    dashboard,
    url: dashboard.url,
    async reopen() {
      dashboard = await open(Number(new URL(dashboard.url).port));
      return dashboard;
    },
    async close() {
      await dashboard.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const MODEL = { name: 'mmn', version: '1.0.0', sha256: 'ab'.repeat(32) };

export function scored(
  probability: number | null,
  decision: Decision,
  evidence: readonly string[] = [],
): TaskScore {
  return {
    task: 'informative',
    label: null,
    probability,
    decision,
    byModality: { text: probability, image: null },
    evidence,
    model: probability === null ? null : MODEL,
    challenger: null,
  };
}

/** What a post tells of. */
export const told = (name: string, probability: number, decision: Decision): TaskScore => ({
  ...scored(probability, decision),
  task: 'humanitarian',
  label: name,
});

export function label(postId: string, more: Partial<Label> = {}): Label {
  return {
    kind: 'Label',
    postId,
    revision: 1,
    collection: 'flood-2026',
    source: 'http',
    createdAt: Date.now(),
    receivedAt: Date.now(),
    text: `Post ${postId}: the river road is closed near the school.`,
    language: 'en',
    authorHash: null,
    tasks: [scored(0.91, 'yes')],
    modalities: ['text'],
    pictures: [],
    flags: [],
    normaliser: 'n1',
    thresholds: 'default',
    modelSequence: 0,
    synthetic: false,
    ...more,
  };
}

export function claim(claimId: string, more: Partial<Claim> = {}): Claim {
  return {
    kind: 'Claim',
    claimId,
    revision: 1,
    collection: 'flood-2026',
    posts: 3,
    authors: 2,
    firstSeen: Date.now() - 600_000,
    lastSeen: Date.now(),
    headline: `Claim ${claimId}: the dam upstream has failed`,
    membersDigest: 'd',
    storeKeys: [],
    rumour: { status: 'not_scored', probability: null, decision: 'unsure', evidence: [], model: null },
    ruling: null,
    aliases: [],
    mergedInto: null,
    ...more,
  };
}

export function alert(id: string, more: Partial<Alert> = {}): Alert {
  return {
    kind: 'Alert',
    id,
    rule: 'claim_surge',
    collection: 'flood-2026',
    claimIds: ['c1'],
    since: Date.now() - 60_000,
    at: Date.now(),
    severity: 'warning',
    state: 'firing',
    summary: 'A claim grows faster than usual in flood-2026.',
    ...more,
  };
}

export interface PutOptions {
  readonly replayId?: string;
  readonly timestamp?: number;
}

/** Writes labels, claims and alerts to the topics that the dashboard follows. */
export async function put(
  bus: Bus,
  records: readonly (Label | Claim | Alert)[],
  options: PutOptions = {},
): Promise<void> {
  await bus.produce(
    records.map((record) => {
      const [topic, key] =
        record.kind === 'Label'
          ? [TOPICS.labels, record.postId]
          : record.kind === 'Claim'
            ? [TOPICS.claims, record.claimId]
            : [TOPICS.alerts, record.collection];
      const lineage = { ...NO_LINEAGE, traceparent: traceparentFor(key), replayId: options.replayId ?? null };
      const made = message(codec, topic, record, { key, id: key, source: 'label', time: 0, lineage });
      return options.timestamp === undefined ? made : { ...made, timestamp: options.timestamp };
    }),
  );
}

/** Writes the ledger row that `GET /api/ledger` sums up. */
export function setLedger(bus: MemoryBus, row: Partial<LedgerRow>, upto = 0n): void {
  bus.state.set(0, { upto, entries: new Map([[LEDGER_ENTRY, encodeRow({ ...EMPTY_ROW, ...row })]]) });
}

/** Asks until the answer is neither null nor false nor undefined. */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  timeoutMs = 20_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer as NonNullable<T>;
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms for ${what}.`);
    await systemClock.sleep(10);
  }
}

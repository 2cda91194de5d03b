/** A gate over a memory bus, a temporary registry and a clock moved by hand; the judge is what the test says. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { silentLog } from '../../src/base/log.ts';
import { message, NO_LINEAGE } from '../../src/bus/messages.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import type { AuditEntry, DesiredState, Feedback, Label, ModelRequest } from '../../src/event/records.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import type { Artefact } from '../../src/models/artefact.ts';
import { readChain } from '../../src/registry/audit-chain.ts';
import { type Gate, type GateRules, openGate } from '../../src/registry/gate/gate.ts';
import type { Judge } from '../../src/registry/gate/judging.ts';
import { feedback } from './feedback.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';
import { createMemoryBus, type MemoryBus } from './memory-bus.ts';
import { type TestRegistry, temporaryRegistry, writePlainArtefact } from './registry.ts';
import { until } from './until.ts';

export const RULES: GateRules = {
  shadowEvents: 1_000,
  shadowMs: 600_000,
  canaryMs: 300_000,
  graceMs: 30_000,
  promotionIntervalMs: 3_600_000,
  twoPersons: false,
  pollMs: 1_000,
};

export const passing: Judge = async () => ({ passed: true, checks: [{ name: 'clean', passed: true }] });

export interface GateScene {
  readonly registry: TestRegistry;
  readonly bus: MemoryBus;
  readonly clock: ManualClock;
  readonly shipped: readonly Artefact[];
  /** Starts a gate; more than one after another over the same bus and folders. */
  start(options?: { readonly judge?: Judge | null; readonly rules?: Partial<GateRules> }): Promise<Gate>;
  candidate(version: string): Promise<Artefact>;
  ask(request: Partial<ModelRequest> & Pick<ModelRequest, 'action'>): Promise<void>;
  label(label: Label, partition: number): Promise<void>;
  /** A person's word on one post. */
  rule(postId: string, ruling: Feedback['ruling']): Promise<void>;
  states(): DesiredState[];
  /** Moves the clock by `ms`, in steps that let the gate look, until the condition holds. */
  pass(ms: number): Promise<void>;
  /** Steps the clock by single polls until `n` states were announced. */
  untilStates(n: number): Promise<void>;
  audit(): Promise<readonly AuditEntry[]>;
  /** What the gate that was started last exposes: `name{labels} value` lines of one metric. */
  metric(name: string): Promise<string[]>;
}

export async function gateScene(): Promise<GateScene> {
  const registry = temporaryRegistry();
  const clock = createManualClock();
  const bus = createMemoryBus(() => clock.now());
  const { codec } = registry;
  const shipped = [await writePlainArtefact(join(registry.dataDir, 'shipped', 'informative'), 'shipped')];
  let requests = 0;
  let running: Gate | null = null;
  let metrics = createMetrics({ bare: true });
  const produce = (topic: string, record: ModelRequest | Label | Feedback, key: string, partition?: number) =>
    bus.produce([
      message(codec, topic, record, {
        key,
        id: key,
        source: 'test',
        time: clock.now(),
        lineage: NO_LINEAGE,
        ...(partition === undefined ? {} : { partition }),
      }),
    ]);
  const states = (): DesiredState[] =>
    bus.records(TOPICS.models).map(({ value }) => codec.decode(value as Uint8Array) as DesiredState);
  /** Two turns of the gate's loop: what was under way at the call is over, and one look was taken after it. */
  const look = async (): Promise<void> => {
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 2; i += 1) {
      clock.advance(RULES.pollMs);
      await turn();
      await until(() => running === null || running.idleMs() < RULES.pollMs, 'the gate looks');
      await turn();
    }
  };
  return {
    registry,
    bus,
    clock,
    shipped,
    states,
    async start({ judge = passing, rules = {} } = {}) {
      metrics = createMetrics({ bare: true });
      const gate = await openGate({
        ...registry,
        bus,
        clock,
        log: silentLog,
        metrics,
        environment: 'lab',
        shipped,
        rules: { ...RULES, ...rules },
        judge,
      });
      running = gate;
      onTestFinished(() => gate.close());
      return gate;
    },
    candidate: (version) =>
      writePlainArtefact(join(registry.paths.candidates, 'informative', version), version),
    async ask(given) {
      requests += 1;
      const request: ModelRequest = {
        kind: 'ModelRequest',
        id: `r${requests}`,
        task: 'informative',
        version: null,
        by: 'ada',
        why: 'drill',
        approvals: [],
        at: clock.now(),
        ...given,
      };
      await produce(TOPICS.requests, request, request.task);
    },
    label: (record, partition) => produce(TOPICS.labels, record, record.postId, partition),
    rule: (postId, ruling) => produce(TOPICS.feedback, feedback(postId, { ruling, at: clock.now() }), 'lab'),
    async pass(ms) {
      clock.advance(ms);
      await look();
    },
    untilStates: (n) =>
      until(
        async () => {
          if (states().length >= n) return true;
          await look();
          return states().length >= n;
        },
        () => `${n} states; there are ${states().length}`,
      ),
    metric: async (name) => (await metrics.expose()).body.split('\n').filter((line) => line.startsWith(name)),
    audit: async () => {
      const { entries, breaks } = await readChain(bus, codec);
      if (breaks.length > 0) throw new Error(`The chain is broken: ${JSON.stringify(breaks, null, 1)}`);
      return entries;
    },
  };
}

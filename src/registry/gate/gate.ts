/**
 * The gate's process (architecture §7): answers people's requests, has candidates judged, leads challengers through shadow
 * and canary, takes back what fails. It alone signs and writes crisis.models.v1. All that it knows is on the topics and in the
 * registry's folders: a gate that was killed reads them and goes on.
 */

import type { Clock } from '../../base/clock.ts';
import { asTocsinError, TocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { type Codec, expectKind } from '../../bus/codec.ts';
import type { Bus, ReceivedRecord } from '../../bus/port.ts';
import { TOPICS } from '../../bus/topics.ts';
import { failPoint } from '../../config/fail-point.ts';
import type { DesiredState, DesiredTask, ModelRequest, ModelVersion } from '../../event/records.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { Artefact } from '../../models/artefact.ts';
import { openAuditLog } from '../audit-chain.ts';
import { readDesired } from '../desired-state.ts';
import type { RegistryPaths } from '../layout.ts';
import { versionOf } from '../open-version.ts';
import { sweepUnfinished } from '../publish.ts';
import type { Signer } from '../signer.ts';
import type { TrustedKeys } from '../verify.ts';
import { findSigned } from '../versions.ts';
import {
  type AnnounceDeps,
  type Announced,
  announce,
  answeredRequests,
  completeAudit,
  shippedVersions,
} from './announce.ts';
import { withRequest } from './cause.ts';
import { VERBS, verbOf } from './change.ts';
import { createJudging, type Judge } from './judging.ts';
import { challengerSince, championSince, tasksInForce } from './lineage.ts';
import { answerRequest } from './requests.ts';
import { dueStep, probationMs, type RolloutRules } from './rollout.ts';
import { type FiledVerdict, verdictFiles } from './verdicts.ts';
import { createWatch, type Watch, watchAnswers } from './watch.ts';

/** Where nothing can be judged, it is tried again after so long. */
const UNABLE_MS = 60_000;

export interface GateRules extends RolloutRules {
  readonly twoPersons: boolean;
  /** How often candidates and rollouts are looked at. */
  readonly pollMs: number;
}

export interface GateDeps {
  readonly bus: Bus;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly environment: string;
  readonly paths: RegistryPaths;
  readonly signer: Signer;
  readonly keys: TrustedKeys;
  readonly shipped: readonly Artefact[];
  readonly rules: GateRules;
  /** Null without a vault: people's requests are answered, candidates wait. */
  readonly judge: Judge | null;
}

export interface Gate {
  /** Settles when the gate can go on no longer: null after `close`, else what broke it. */
  readonly ended: Promise<Error | null>;
  /** Ms since the last look at everything. */
  idleMs(): number;
  /** Finishes the step in hand. */
  close(): Promise<void>;
}

/** Reads where things stand, finishes what was left half done, and goes on. */
export async function openGate(deps: GateDeps): Promise<Gate> {
  const { bus, codec, clock, log, metrics, environment, paths, keys, rules } = deps;
  const stop = new AbortController();
  const shipped = shippedVersions(deps.shipped);
  const verdicts = verdictFiles(paths.verdicts);
  await sweepUnfinished(paths.models);

  const now = (): number => clock.now();
  const desired = await readDesired({
    bus,
    codec,
    keys,
    environment,
    now,
    refused: (error) => {
      metrics.count('tocsin_gate_refusals_total', { what: 'state' });
      log.warn({ code: error.code, error: error.message }, 'A state on the topic is not the gate’s.');
    },
  });
  const history: DesiredState[] = [...desired.history];
  const audit = await openAuditLog({ bus, codec, now });
  await completeAudit(history, shipped, audit);
  const answered = answeredRequests(audit);
  const announceDeps: AnnounceDeps = { ...deps, modelsDir: paths.models, audit, now };
  const judging = createJudging({ ...announceDeps, paths, judge: deps.judge, verdicts, history, log });

  for (const action of VERBS) metrics.count('tocsin_promotions_total', { action }, 0);
  for (const result of ['passed', 'refused']) metrics.count('tocsin_gate_queries_total', { result }, 0);
  let refusedInRow = 0;
  metrics.set('tocsin_gate_refused_in_row', refusedInRow);
  let watch: Watch | null = null;
  let stopWatching = new AbortController();
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });

  /** Looks at labels, scores and rulings only while a rollout may need it. */
  const watchNewest = (): void => {
    stopWatching.abort();
    const state = history.at(-1);
    metrics.set('tocsin_desired_sequence', state?.sequence ?? 0);
    for (const { task } of tasksInForce(history, shipped))
      metrics.set('tocsin_gate_step_timestamp_seconds', (challengerSince(history, task) ?? 0) / 1_000, {
        task,
      });
    if (!state || !(state.tasks.some(({ challenger }) => challenger) || isYoung(state))) {
      watch = null;
      return;
    }
    const signal = new AbortController();
    stopWatching = signal;
    watch = createWatch(state, rules.graceMs);
    watchAnswers(watch, state, { bus, codec, signal: signal.signal }).catch(fail);
  };
  const isYoung = (state: DesiredState): boolean => now() - state.issuedAt <= probationMs(rules);

  const change = async (announced: Announced): Promise<void> => {
    const state = await announce(history, announced, announceDeps);
    history.push(state);
    metrics.count('tocsin_promotions_total', { action: verbOf(announced.change) });
    log.info(
      {
        sequence: state.sequence,
        action: verbOf(announced.change),
        task: announced.change.task,
        why: announced.why,
      },
      'Desired state announced.',
    );
    watchNewest();
  };

  // One thing at a time: everything that reads or changes the history goes through here.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(body: () => Promise<T>): Promise<T> => {
    const mine = last.then(body);
    last = mine.catch(() => {});
    return mine;
  };

  const find = async (task: string, version: string): Promise<ModelVersion | string> => {
    const own = deps.shipped.find(({ manifest }) => manifest.task === task && manifest.version === version);
    if (own) return versionOf(own);
    try {
      return versionOf(await findSigned(paths.models, task, version, keys));
    } catch (thrown) {
      const verdict = await verdicts.get(task, version).catch(() => null);
      if (verdict && !verdict.passed) return `The gate refused ${version}: ${verdict.why}`;
      return asTocsinError(thrown, `Looking for ${task} ${version}`).message;
    }
  };

  const handle = async (request: ModelRequest): Promise<void> => {
    if (answered.has(request.id)) return;
    const tasks = tasksInForce(history, shipped);
    const { twoPersons } = rules;
    let answer = await answerRequest(request, { history, shipped, tasks, twoPersons, find });
    if (answer.kind === 'change')
      try {
        await change({ change: answer.change, who: request.by, why: answer.why, request: request.id });
      } catch (thrown) {
        // A version that is no longer what was signed; nothing was announced.
        if (!(thrown instanceof TocsinError && thrown.code.startsWith('MODEL_'))) throw thrown;
        answer = { kind: 'refused', why: thrown.message };
      }
    if (answer.kind === 'refused') {
      metrics.count('tocsin_gate_refusals_total', { what: 'request' });
      await audit.append({
        who: 'gate',
        what: `refused: ${request.action} ${request.task} ${request.version ?? ''}`.trimEnd(),
        why: withRequest(`${request.by} asked (${request.why}). ${answer.why}`, request.id),
        before: null,
        after: null,
      });
    }
    answered.add(request.id);
  };

  const serveRequests = async (): Promise<void> => {
    for await (const batch of bus.read(TOPICS.requests, { from: 'earliest', signal: stop.signal }))
      for (const record of batch) {
        const request = requestIn(record);
        if (request) await inTurn(() => handle(request));
      }
  };

  const requestIn = (record: ReceivedRecord): ModelRequest | null => {
    try {
      return expectKind(codec.decode(record.value ?? new Uint8Array()), 'ModelRequest');
    } catch (thrown) {
      if (!(thrown instanceof TocsinError)) throw thrown;
      metrics.count('tocsin_gate_refusals_total', { what: 'request' });
      log.warn({ error: thrown.message, offset: Number(record.offset) }, 'A request cannot be read.');
      return null;
    }
  };

  const advance = async (): Promise<void> => {
    const state = history.at(-1);
    if (!state || !watch) return;
    for (const task of state.tasks) {
      const partitions = (await bus.admin.ranges(TOPICS.events)).length;
      const step = dueStep({ history, shipped, task, observation: watch, partitions, now: now(), rules });
      if (!step) continue;
      await change({ ...step, who: 'gate', request: null });
      return;
    }
    if (!state.tasks.some(({ challenger }) => challenger) && !isYoung(state)) watchNewest();
  };

  /** Begins the shadow of a version that passed, unless something else is under way. */
  const startShadow = async (): Promise<void> => {
    for (const verdict of await verdicts.all()) {
      const task = tasksInForce(history, shipped).find((other) => other.task === verdict.task);
      if (!task || !judging.isUsable(verdict, task) || !mayStart(task)) continue;
      const artefact = await judging.openAccepted(verdict);
      if (!artefact) continue;
      await change({
        change: { kind: 'shadow', task: task.task, challenger: versionOf(artefact) },
        who: 'gate',
        why: `It passed ${verdict.checks.length} checks.`,
        request: null,
      });
    }
  };

  const mayStart = (task: DesiredTask): boolean => {
    const since = championSince(history, shipped, task.task);
    return !task.pinned && !task.challenger && (!since || now() - since.at >= rules.promotionIntervalMs);
  };

  const judgeNext = async (): Promise<boolean> => {
    try {
      const verdict = await judging.next(stop.signal);
      if (!verdict || stop.signal.aborted) return false;
      await inTurn(() => file(verdict));
      return true;
    } catch (thrown) {
      if (!(thrown instanceof TocsinError && thrown.code === 'DEPENDENCY_MISSING')) throw thrown;
      log.error({ error: thrown.message }, 'Candidates cannot be judged now.');
      await clock.sleep(UNABLE_MS, stop.signal);
      return false;
    }
  };

  const file = async (verdict: FiledVerdict): Promise<void> => {
    const { task, version, digest, passed, why } = verdict;
    metrics.count('tocsin_gate_queries_total', { result: passed ? 'passed' : 'refused' });
    if (!passed) metrics.count('tocsin_gate_refusals_total', { what: 'candidate' });
    refusedInRow = passed ? 0 : refusedInRow + 1;
    metrics.set('tocsin_gate_refused_in_row', refusedInRow);
    log.info({ task, version, passed, why }, 'Candidate judged.');
    await verdicts.put(verdict);
    failPoint('gate.judged');
    await audit.append({
      who: 'gate',
      what: `${passed ? 'accepted' : 'refused'}: candidate ${task} ${version}`,
      why,
      before: null,
      after: digest,
    });
  };

  let lookedAt = clock.monotonic();
  const poll = async (body: () => Promise<unknown>): Promise<void> => {
    while (!stop.signal.aborted) {
      await body();
      await clock.sleep(rules.pollMs, stop.signal);
    }
  };
  watchNewest();
  const work = Promise.all([
    serveRequests(),
    poll(async () => {
      await inTurn(advance);
      await inTurn(startShadow);
      lookedAt = clock.monotonic();
    }),
    poll(async () => {
      while (await judgeNext());
    }),
  ]);
  const ended = Promise.race([
    failed,
    work.then(
      () => null,
      (thrown: unknown) => asTocsinError(thrown, 'The gate'),
    ),
  ]);
  void ended.then(() => stop.abort());
  return {
    ended,
    idleMs: () => clock.monotonic() - lookedAt,
    async close() {
      stop.abort();
      stopWatching.abort();
      await work.catch(() => {});
      await last;
    },
  };
}

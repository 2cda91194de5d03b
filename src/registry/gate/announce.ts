/** The gate's one way to change what serves: sign every version that is named, sign the state, write it, write the audit entry. */
import { TocsinError } from '../../base/errors.ts';
import type { Codec } from '../../bus/codec.ts';
import { message, NO_LINEAGE } from '../../bus/messages.ts';
import type { Bus } from '../../bus/port.ts';
import { TOPICS } from '../../bus/topics.ts';
import { failPoint } from '../../config/fail-point.ts';
import type { DesiredState, DesiredTask, ModelVersion } from '../../event/records.ts';
import type { Artefact } from '../../models/artefact.ts';
import type { AuditLog } from '../audit-chain.ts';
import { verifyState } from '../desired-state.ts';
import { openVersion, versionOf } from '../open-version.ts';
import { type PublishDeps, publishVersion } from '../publish.ts';
import { requestOf, withRequest } from './cause.ts';
import { applyChange, type Change, verbOf } from './change.ts';
import { type Shipped, sameVersion, tasksInForce } from './lineage.ts';

/** A worker that hears of a state later than this after it was issued takes it only at its next start. */
const VALID_MS = 10 * 60_000;

export interface AnnounceDeps extends PublishDeps {
  readonly bus: Bus;
  readonly codec: Codec;
  readonly audit: AuditLog;
  readonly environment: string;
  readonly now: () => number;
  /** The shipped artefacts, one a task. */
  readonly shipped: readonly Artefact[];
}

export interface Announced {
  readonly change: Change;
  readonly who: string;
  readonly why: string;
  /** Id of the request that asked for it. */
  readonly request: string | null;
}

export const shippedVersions = (artefacts: readonly Artefact[]): Shipped =>
  artefacts.map((artefact) => ({ task: artefact.manifest.task, version: versionOf(artefact) }));

/** Writes the next state; gives it as workers will read it. Throws MODEL_INVALID or MODEL_FORGED for a version that is not what was signed. */
export async function announce(
  history: readonly DesiredState[],
  { change, who, why, request }: Announced,
  deps: AnnounceDeps,
): Promise<DesiredState> {
  const { bus, codec, signer, keys, environment, now } = deps;
  const before = tasksInForce(history, shippedVersions(deps.shipped));
  const tasks = applyChange(before, change);
  for (const task of tasks)
    for (const version of [task.champion, task.challenger])
      if (version && !isNamed(history.at(-1), task.task, version))
        await ensureSigned(task.task, version, deps);
  const seenSequence = history.at(-1)?.sequence ?? 0;
  const issuedAt = now();
  const sequence = seenSequence + 1;
  const bytes = signer.state({
    sequence,
    environment,
    issuedAt,
    notAfter: issuedAt + VALID_MS,
    tasks,
    why: withRequest(`${verbOf(change)} ${change.task}, by ${who}: ${why}`, request),
  });
  const state = verifyState(codec, bytes, keys, {
    environment,
    seenSequence,
    now: issuedAt,
    firstActivation: true,
  });
  const options = {
    key: 'models',
    id: `state/${environment}/${sequence}`,
    source: 'gate',
    time: issuedAt,
    lineage: NO_LINEAGE,
  };
  failPoint('gate.state-signed');
  await bus.produce([{ ...message(codec, TOPICS.models, state, options), value: bytes }]);
  failPoint('gate.announced');
  await deps.audit.append({
    who,
    what: `state ${sequence}: ${verbOf(change)} ${change.task}`,
    why: withRequest(why, request),
    before: describe(before, change.task),
    after: describe(tasks, change.task),
  });
  failPoint('gate.audited');
  return state;
}

/**
 * Audit entries for states that have none: the gate was killed between the two. `who` and `why` come from the state.
 */
export async function completeAudit(
  history: readonly DesiredState[],
  shipped: Shipped,
  audit: AuditLog,
): Promise<void> {
  const told = new Set(audit.entries.map(({ what }) => /^state (\d+):/.exec(what)?.[1]));
  for (const [index, state] of history.entries()) {
    if (told.has(String(state.sequence))) continue;
    const before = tasksInForce(history.slice(0, index), shipped);
    const [, verb, task, who, why] = /^(\S+) (\S+), by (.+?): (.*)$/s.exec(state.why) ?? [];
    await audit.append({
      who: who ?? 'gate',
      what: `state ${state.sequence}: ${verb ?? 'change'} ${task ?? ''}`.trimEnd(),
      why: why ?? state.why,
      before: task ? describe(before, task) : null,
      after: task ? describe(state.tasks, task) : null,
    });
  }
}

/** Ids of the requests that are answered already; `completeAudit` has told of those that only a state answers. */
export function answeredRequests(audit: AuditLog): Set<string> {
  const ids = audit.entries.map(({ why }) => requestOf(why));
  return new Set(ids.filter((id) => id !== null));
}

/** What the state before names was signed then; a damaged one must not hold up the change of another. */
const isNamed = (state: DesiredState | undefined, task: string, version: ModelVersion): boolean =>
  state?.tasks.some(
    (other) =>
      other.task === task && (sameVersion(other.champion, version) || sameVersion(other.challenger, version)),
  ) ?? false;

/** The shipped ones come with the program; the gate signs them before a state names them. */
async function ensureSigned(task: string, version: ModelVersion, deps: AnnounceDeps): Promise<void> {
  const own = deps.shipped.find(
    (artefact) => artefact.manifest.task === task && sameVersion(versionOf(artefact), version),
  );
  if (own) await publishVersion(own, deps);
  else await openVersion(deps.modelsDir, task, version, deps.keys);
}

function describe(tasks: readonly DesiredTask[], name: string): string {
  const task = tasks.find((other) => other.task === name);
  if (!task) throw new TocsinError('INTERNAL', `Describing task ${name}: it is not in the state.`);
  return JSON.stringify(task);
}

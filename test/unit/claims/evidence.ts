/** Evidence and rulings for tests, slices over a claim index, and what its outputs come to in the end. */
import { NO_LINEAGE } from '../../../src/bus/messages.ts';
import { type ClaimIndex, openClaimIndex } from '../../../src/claims/claim-index.ts';
import type { SliceResult } from '../../../src/claims/journal.ts';
import { LIMITS, type Limits } from '../../../src/claims/memory.ts';
import { nameOf } from '../../../src/claims/state.ts';
import type {
  Alert,
  Claim,
  Evidence,
  Feedback,
  Ruling,
  Rumour,
  Score,
  ScoreRequest,
} from '../../../src/event/records.ts';

export const START: number = Date.UTC(2026, 0, 5);
export const MINUTE: number = 60_000;
export const DAY: number = 86_400_000;

/** Hash that differs from all zeros (in `bits`) and from others by its seed; never blank. */
export function hashWith(base: string, flips: readonly number[]): string {
  let value = BigInt(`0x${base}`);
  for (const bit of flips) value ^= 1n << BigInt(bit);
  return value.toString(16).padStart(16, '0');
}

export function evidence(postId: string, more: Partial<Evidence> = {}): Evidence {
  return {
    kind: 'Evidence',
    postId,
    revision: 1,
    collection: 'flood',
    createdAt: START,
    text: `text of ${postId}`,
    simhash: '',
    perceptualHashes: [],
    storeKeys: [],
    authorHash: null,
    style: {},
    informative: null,
    ...more,
  };
}

export function ruling(id: string, more: Partial<Ruling> = {}): Ruling {
  return {
    kind: 'Ruling',
    id,
    collection: 'flood',
    postId: null,
    claimId: null,
    task: 'rumour',
    ruling: 'false',
    by: 'coordinator',
    at: START,
    undoes: null,
    ...more,
  };
}

/** An answer to the request for a content. */
export function score(requestId: string, probability: number | null, more: Partial<Score> = {}): Score {
  return {
    kind: 'Score',
    requestId,
    collection: 'flood',
    outcome: probability === null ? 'failed' : 'scored',
    probability,
    byModality: { text: probability, image: null },
    evidence: [],
    yes: 0.8,
    no: 0.2,
    model: { name: 'test', version: '1', sha256: '0'.repeat(64) },
    challenger: null,
    ...more,
  };
}

/** The request id of a post's text and previews. */
export function requestIdOf(text: string, storeKeys: readonly string[] = [], collection = 'flood'): string {
  return nameOf(collection, text, ...storeKeys);
}

export type Input = Evidence | Ruling | Score;

/** Everything that slices have told, and the state that they left. */
export interface Run {
  readonly index: ClaimIndex;
  readonly told: Claim[];
  readonly alerts: Alert[];
  readonly feedback: Feedback[];
  readonly rumours: Rumour[];
  readonly requests: ScoreRequest[];
  readonly state: Map<string, Uint8Array>;
}

export function startRun(
  limits: Partial<Limits> = {},
  state: ReadonlyMap<string, Uint8Array> = new Map(),
): Run {
  return {
    index: openClaimIndex({ upto: 0n, entries: state }, { ...LIMITS, ...limits }),
    told: [],
    alerts: [],
    feedback: [],
    rumours: [],
    requests: [],
    state: new Map(state),
  };
}

/** Works on one slice. */
export function slice(run: Run, inputs: readonly Input[], at: number = START): SliceResult {
  for (const input of inputs)
    if (input.kind === 'Evidence') run.index.evidence(input, NO_LINEAGE);
    else if (input.kind === 'Ruling') run.index.ruling(input, NO_LINEAGE);
    else run.index.score(input, NO_LINEAGE);
  const result = run.index.finish(at);
  run.told.push(...result.claims.map(({ record }) => record));
  run.alerts.push(...result.alerts.map(({ record }) => record));
  run.feedback.push(...result.feedback.map(({ record }) => record));
  run.rumours.push(...result.rumours.map(({ record }) => record));
  run.requests.push(...result.requests.map(({ record }) => record));
  for (const [entry, bytes] of result.state)
    if (bytes) run.state.set(entry, bytes);
    else run.state.delete(entry);
  return result;
}

/** Slices of the given size over the inputs. */
export function runAll(inputs: readonly Input[], sliceRecords = 3, limits: Partial<Limits> = {}): Run {
  const run = startRun(limits);
  for (let i = 0; i < inputs.length; i += sliceRecords) slice(run, inputs.slice(i, i + sliceRecords));
  return run;
}

/** What a reader of crisis.claims.v1 has in the end: the newest snapshot per id, aliases and volatile fields left out. */
export function finalClaims(run: Run): object[] {
  const newest = new Map<string, Claim>();
  for (const claim of run.told) newest.set(claim.claimId, claim);
  return [...newest.values()]
    .filter((claim) => claim.mergedInto === null)
    .map(({ revision: _r, aliases: _a, ...rest }) => rest)
    .sort((a, b) => (a.claimId < b.claimId ? -1 : 1));
}

/** The state as text, to be compared. */
export function stateText(run: Run): Record<string, unknown> {
  return Object.fromEntries(
    [...run.state]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, JSON.parse(new TextDecoder().decode(v))]),
  );
}

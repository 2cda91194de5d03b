/** When a challenger goes from the shadow to the canary and on to all, and when it is taken away. Pure: state and figures in, step out. */
import type { DesiredState, DesiredTask } from '../../event/records.ts';
import type { Change } from './change.ts';
import { challengerSince, championSince, championsOf, type Shipped } from './lineage.ts';
import type { Heard } from './rulings.ts';
import type { Observation, Side } from './watch.ts';

export interface RolloutRules {
  /** The shadow ends after so many posts that both scored, or after `shadowMs`. */
  readonly shadowEvents: number;
  readonly shadowMs: number;
  readonly canaryMs: number;
  /** A worker may take so long to follow a new state. */
  readonly graceMs: number;
  /** Least time between two promotions of a task by the gate. */
  readonly promotionIntervalMs: number;
}

/** A champion is on probation so long: workers and people can object, and the gate takes it back. */
export const probationMs = ({ canaryMs, graceMs, promotionIntervalMs }: RolloutRules): number =>
  Math.max(canaryMs + graceMs, promotionIntervalMs);

/** Fewer labels than this say nothing about a share. */
const ENOUGH = 200;
/** Least share of posts on which shadow and champion take the same side. */
const LEAST_AGREEMENT = 0.8;
/** Population stability index of the decisions, canary against champion (robustness.md §10). */
const MOST_PSI = 0.1;
/** A canary may be unsure so much more often. */
const MOST_MORE_UNSURE = 0.1;
/** A canary's labels may come so much later: 1.5 times and 0.1 s. */
const MOST_SLOWER = 1.5;
const SLACK_MS = 100;
/** Fewer ruled posts than this say nothing of a model. */
const ENOUGH_RULED = 20;
/** One-sided 95 % of the normal distribution. */
const SURELY = 1.645;

export interface Step {
  readonly change: Change;
  readonly why: string;
}

/** The step that is due for a task; null while there is none. */
export function dueStep(given: {
  readonly history: readonly DesiredState[];
  readonly shipped: Shipped;
  readonly task: DesiredTask;
  readonly observation: Observation;
  readonly partitions: number;
  readonly now: number;
  readonly rules: RolloutRules;
}): Step | null {
  const { history, shipped, task, observation, partitions, now, rules } = given;
  const change = (kind: 'promote' | 'withdraw'): Change => ({ kind, task: task.task });
  if (!task.challenger) return afterPromotion(given);
  const elapsed = now - (challengerSince(history, task.task) ?? now);
  const alarm =
    behind(observation) ??
    (task.canary.length === 0 ? shadowAlarm(observation, task.task) : canaryAlarm(observation, task.task));
  if (alarm) return { change: change('withdraw'), why: alarm };
  if (task.canary.length === 0) {
    const compared = observation.compared(task.task).posts;
    if (compared < rules.shadowEvents && elapsed < rules.shadowMs) return null;
    const partition = (history.at(-1)?.sequence ?? 0) % partitions;
    return {
      change: { kind: 'canary', task: task.task, partitions: [partition] },
      why: `Shadow over after ${seconds(elapsed)} and ${compared} posts that both scored${agreementText(observation, task.task)}.`,
    };
  }
  if (elapsed < rules.canaryMs) return null;
  const { challenger } = observation.sides(task.task);
  return {
    change: change('promote'),
    why: `Canary over after ${seconds(elapsed)} and ${challenger.labels} labels of it.`,
  };

  /** A champion that its workers do not take, or people contradict, is rolled back. */
  function afterPromotion({ task: { task: name, champion, pinned } }: typeof given): Step | null {
    const since = championSince(history, shipped, name);
    if (pinned || !since || now - since.at > probationMs(rules)) return null;
    const previous = championsOf(history, shipped, name).at(-2);
    const isNewest = since.sequence === history.at(-1)?.sequence;
    const why = (isNewest ? behind(observation) : null) ?? contradicted(observation.heard(name, 'champion'));
    if (!previous || !why) return null;
    return {
      change: { kind: 'serve', task: name, champion: previous, pinned: false, as: 'rollback' },
      why: `${why} So ${champion.version} does not stay.`,
    };
  }
}

/** Labels that came too late to be made by an older state: a worker refused the new one, or cannot follow. */
const behind = (observation: Observation): string | null =>
  observation.behind.length > 0
    ? `Partitions ${observation.behind.join(', ')} are still labelled by an older state: a worker refused this one.`
    : null;

function shadowAlarm(observation: Observation, task: string): string | null {
  const { posts, agreed } = observation.compared(task);
  if (posts < ENOUGH || agreed / posts >= LEAST_AGREEMENT) return null;
  return `It agrees with the champion on ${percent(agreed / posts)} of ${posts} posts; at least ${percent(LEAST_AGREEMENT)} are asked.`;
}

/**
 * People say the contrary of more than half of what it answered, and not by chance. They rule on what looks wrong to them, so of any
 * model they contradict some.
 */
const contradicted = ({ ruled, contrary }: Heard): string | null =>
  ruled >= ENOUGH_RULED && 2 * contrary - ruled > SURELY * Math.sqrt(ruled)
    ? `People contradict ${contrary} of its answers to ${ruled} posts that they ruled on.`
    : null;

function canaryAlarm(observation: Observation, task: string): string | null {
  const objection = contradicted(observation.heard(task, 'challenger'));
  if (objection) return objection;
  const { champion, challenger } = observation.sides(task);
  if (champion.labels < ENOUGH || challenger.labels < ENOUGH) return null;
  const unsure = share(challenger, 'unsure') - share(champion, 'unsure');
  if (unsure > MOST_MORE_UNSURE)
    return `On the canary it is unsure ${percent(unsure)} of the time more often than the champion.`;
  const psi = stability(champion, challenger);
  if (psi > MOST_PSI)
    return `On the canary its answers differ from the champion's: stability index ${psi.toFixed(3)}, at most ${MOST_PSI}.`;
  if (challenger.latencyMs > champion.latencyMs * MOST_SLOWER + SLACK_MS)
    return `On the canary labels take ${Math.round(challenger.latencyMs)} ms, elsewhere ${Math.round(champion.latencyMs)} ms.`;
  return null;
}

const DECISIONS = ['yes', 'no', 'unsure'] as const;

const share = (side: Side, decision: (typeof DECISIONS)[number]): number => side[decision] / side.labels;

/** Σ (p − q) · ln(p / q) over the decisions, with half a label added to each. */
export function stability(a: Side, b: Side): number {
  const smooth = (side: Side, decision: (typeof DECISIONS)[number]): number =>
    (side[decision] + 0.5) / (side.labels + 0.5 * DECISIONS.length);
  return DECISIONS.reduce((sum, decision) => {
    const [p, q] = [smooth(a, decision), smooth(b, decision)];
    return sum + (p - q) * Math.log(p / q);
  }, 0);
}

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;

function agreementText(observation: Observation, task: string): string {
  const { posts, agreed } = observation.compared(task);
  return posts > 0 ? ` (same side on ${percent(agreed / posts)})` : '';
}

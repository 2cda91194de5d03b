/** What the history of desired states says of a task: who serves, who served before, since when. */
import type { DesiredState, DesiredTask, ModelVersion } from '../../event/records.ts';

/** The shipped models as tasks of sequence 0. */
export type Shipped = readonly { readonly task: string; readonly version: ModelVersion }[];

export const sameVersion = (a: ModelVersion | null, b: ModelVersion | null): boolean =>
  a?.digest === b?.digest && a?.version === b?.version && a?.name === b?.name;

/** The tasks in force: as the newest state says; a task that it does not know is served by its shipped model. */
export function tasksInForce(history: readonly DesiredState[], shipped: Shipped): readonly DesiredTask[] {
  const known = history.at(-1)?.tasks ?? [];
  const others = shipped.filter(({ task }) => !known.some((other) => other.task === task));
  return [
    ...known,
    ...others.map(({ task, version }) => ({
      task,
      champion: version,
      challenger: null,
      canary: [],
      pinned: false,
    })),
  ];
}

/**
 * The champions that led to the one in force, oldest first. A version that is left behind by a rollback is not among them,
 * so that rolling back twice goes back two versions.
 */
export function championsOf(
  history: readonly DesiredState[],
  shipped: Shipped,
  task: string,
): readonly ModelVersion[] {
  const first = shipped.find((model) => model.task === task)?.version;
  const line: ModelVersion[] = first ? [first] : [];
  for (const state of history) {
    const champion = state.tasks.find((other) => other.task === task)?.champion;
    if (!champion) continue;
    const at = line.findIndex((other) => sameVersion(other, champion));
    if (at < 0) line.push(champion);
    else line.length = at + 1;
  }
  return line;
}

const PROMOTIONS_BACK = 5;

/** The champion of five promotions ago, or the first there was; null while the one in force is the first. */
export function referenceOf(line: readonly ModelVersion[]): ModelVersion | null {
  if (line.length < 2) return null;
  return line[Math.max(0, line.length - 1 - PROMOTIONS_BACK)] ?? null;
}

/** When the task's challenger came to where it is (shadow or these canary partitions), in ms; null without a challenger. */
export function challengerSince(history: readonly DesiredState[], task: string): number | null {
  let since: number | null = null;
  let before: DesiredTask | undefined;
  for (const state of history) {
    const now = state.tasks.find((other) => other.task === task);
    const stays =
      before !== undefined &&
      now !== undefined &&
      sameVersion(before.challenger, now.challenger) &&
      before.canary.join() === now.canary.join();
    if (!now?.challenger) since = null;
    else if (!stays) since = state.issuedAt;
    before = now;
  }
  return since;
}

/** When the champion last changed, and in which state; null while the shipped one serves. */
export function championSince(
  history: readonly DesiredState[],
  shipped: Shipped,
  task: string,
): { readonly at: number; readonly sequence: number } | null {
  let last: { at: number; sequence: number } | null = null;
  let before = shipped.find((model) => model.task === task)?.version ?? null;
  for (const state of history) {
    const champion = state.tasks.find((other) => other.task === task)?.champion;
    if (!champion || sameVersion(champion, before)) continue;
    last = { at: state.issuedAt, sequence: state.sequence };
    before = champion;
  }
  return last;
}

/** Whether the version was ever named in a state for the task. */
export const wasNamed = (history: readonly DesiredState[], task: string, digest: string): boolean =>
  history.some(({ tasks }) =>
    tasks.some(
      (other) =>
        other.task === task && (other.champion.digest === digest || other.challenger?.digest === digest),
    ),
  );

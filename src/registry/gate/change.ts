/** The few things that can happen to a task, and what they make of the desired state. */
import { assertNever } from '../../base/errors.ts';
import type { DesiredTask, ModelVersion } from '../../event/records.ts';

export type Change = { readonly task: string } & (
  | { readonly kind: 'shadow'; readonly challenger: ModelVersion }
  | { readonly kind: 'canary'; readonly partitions: readonly number[] }
  /** The challenger becomes the champion. */
  | { readonly kind: 'promote' }
  /** The challenger is taken away; the champion goes on alone. */
  | { readonly kind: 'withdraw' }
  /** This version serves, whatever served before. `pinned`: and the gate leaves it there. */
  | {
      readonly kind: 'serve';
      readonly champion: ModelVersion;
      readonly pinned: boolean;
      readonly as: 'promote' | 'rollback' | 'pin';
    }
  | { readonly kind: 'unpin' }
);

/** What the audit says happened. */
export const VERBS = ['shadow', 'canary', 'promote', 'withdraw', 'rollback', 'pin', 'unpin'] as const;
export type Verb = (typeof VERBS)[number];

export const verbOf = (change: Change): Verb => (change.kind === 'serve' ? change.as : change.kind);

/** The tasks after the change. */
export const applyChange = (tasks: readonly DesiredTask[], change: Change): readonly DesiredTask[] =>
  tasks.map((task) => (task.task === change.task ? changed(task, change) : task));

function changed(task: DesiredTask, change: Change): DesiredTask {
  const alone = { ...task, challenger: null, canary: [] };
  switch (change.kind) {
    case 'shadow':
      return { ...task, challenger: change.challenger, canary: [] };
    case 'canary':
      return { ...task, canary: [...change.partitions] };
    case 'promote':
      return task.challenger ? { ...alone, champion: task.challenger } : task;
    case 'withdraw':
      return alone;
    case 'serve':
      return { ...alone, champion: change.champion, pinned: change.pinned };
    case 'unpin':
      return { ...task, pinned: false };
    default:
      return assertNever(change);
  }
}

/** What can be asked of a post, and how the answer is written. */
import { HUMANITARIAN_LABELS, type HumanitarianLabel } from './humanitarian.ts';

/** How badly the thing in a picture is damaged (CrisisMMD). */
export const DAMAGE_LEVELS = ['little_or_no', 'mild', 'severe'] as const;
export type DamageLevel = (typeof DAMAGE_LEVELS)[number];

/** What people said of a post. A task is missing where nobody was asked or the answer cannot be used. */
export interface Labels {
  /** 1: informative. */
  readonly informative?: 0 | 1;
  /** 1: fake. */
  readonly rumour?: 0 | 1;
  /** In the order of HUMANITARIAN_LABELS; empty = not humanitarian. */
  readonly humanitarian?: readonly HumanitarianLabel[];
  readonly damage?: DamageLevel;
}

export type Task = keyof Labels;
/** Tasks with two classes. */
export type BinaryTask = 'informative' | 'rumour';

export interface TaskForm {
  /** `binary`: yes or no; `one-of`: one class a post; `any-of`: any number of classes a post. */
  readonly kind: 'binary' | 'one-of' | 'any-of';
  /** A binary task's are those of 0 and 1. */
  readonly classes: readonly string[];
}

export const TASKS: Readonly<Record<Task, TaskForm>> = {
  informative: { kind: 'binary', classes: ['not informative', 'informative'] },
  rumour: { kind: 'binary', classes: ['real', 'fake'] },
  humanitarian: { kind: 'any-of', classes: HUMANITARIAN_LABELS },
  damage: { kind: 'one-of', classes: DAMAGE_LEVELS },
};

export const TASK_NAMES: readonly Task[] = Object.keys(TASKS) as Task[];

export const isBinary = (task: Task): task is BinaryTask => TASKS[task].kind === 'binary';

/** The label as zeros and ones over `classes` (those of the task that a data set can tell apart). Null when it has none. */
export function targetOf(labels: Labels, task: Task, classes: readonly string[]): number[] | null {
  const label = labels[task];
  if (label === undefined) return null;
  const names = typeof label === 'number' ? [TASKS[task].classes[label]] : [label].flat();
  return classes.map((name) => (names.includes(name) ? 1 : 0));
}

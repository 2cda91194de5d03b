/** What a person's request comes to: a change, or a refusal with its reason. */
import { assertNever } from '../../base/errors.ts';
import type { DesiredState, DesiredTask, ModelRequest, ModelVersion } from '../../event/records.ts';
import type { Change } from './change.ts';
import { championsOf, type Shipped, sameVersion } from './lineage.ts';

export type Answer =
  | { readonly kind: 'change'; readonly change: Change; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string };

const refused = (why: string): Answer => ({ kind: 'refused', why });

export interface RequestContext {
  readonly history: readonly DesiredState[];
  readonly shipped: Shipped;
  readonly tasks: readonly DesiredTask[];
  readonly twoPersons: boolean;
  /** The signed or shipped version of that name; else why there is none. */
  readonly find: (task: string, version: string) => Promise<ModelVersion | string>;
}

/** Judges nothing but whether it may be done: what is signed has passed the gate, or came with the program. */
export async function answerRequest(request: ModelRequest, context: RequestContext): Promise<Answer> {
  const task = context.tasks.find((other) => other.task === request.task);
  if (!task) return refused(`There is no task ${JSON.stringify(request.task)} with a model.`);
  if (request.why.trim() === '') return refused('A reason is needed.');
  if (context.twoPersons && !request.approvals.some((name) => name.trim() !== '' && name !== request.by))
    return refused('A second person has to approve (two-person rule).');
  switch (request.action) {
    case 'promote':
      return promote(request, task, context);
    case 'rollback':
      return rollback(request, task, context);
    case 'pin':
      return pin(request, task, context);
    case 'unpin':
      return task.pinned
        ? { kind: 'change', change: { kind: 'unpin', task: task.task }, why: request.why }
        : refused(`${task.task} is not pinned.`);
    default:
      return assertNever(request.action);
  }
}

async function promote(request: ModelRequest, task: DesiredTask, context: RequestContext): Promise<Answer> {
  if (task.pinned) return refused(`${task.task} is pinned to ${task.champion.version}; unpin it first.`);
  const version = request.version ?? task.challenger?.version;
  if (!version) return refused('No version is named, and there is no challenger.');
  const found = await context.find(task.task, version);
  if (typeof found === 'string') return refused(found);
  if (sameVersion(found, task.champion)) return refused(`${version} is the champion already.`);
  return serve(request, task, found, 'promote');
}

/** With a challenger under way and no version named, the challenger is what is taken back. */
async function rollback(request: ModelRequest, task: DesiredTask, context: RequestContext): Promise<Answer> {
  if (request.version === null) {
    if (task.challenger)
      return { kind: 'change', change: { kind: 'withdraw', task: task.task }, why: request.why };
    const previous = championsOf(context.history, context.shipped, task.task).at(-2);
    if (!previous) return refused(`${task.champion.version} is the first champion: there is none before.`);
    return serve(request, task, previous, 'rollback');
  }
  const found = await context.find(task.task, request.version);
  if (typeof found === 'string') return refused(found);
  if (sameVersion(found, task.champion)) return refused(`${request.version} is the champion already.`);
  return serve(request, task, found, 'rollback');
}

async function pin(request: ModelRequest, task: DesiredTask, context: RequestContext): Promise<Answer> {
  const found = request.version === null ? task.champion : await context.find(task.task, request.version);
  if (typeof found === 'string') return refused(found);
  if (task.pinned && sameVersion(found, task.champion)) return refused(`${found.version} is pinned already.`);
  return serve(request, task, found, 'pin');
}

/** A rollback leaves a pin as it is: it says that the gate promotes nothing, not that people may not. */
const serve = (
  request: ModelRequest,
  task: DesiredTask,
  champion: ModelVersion,
  as: 'promote' | 'rollback' | 'pin',
): Answer => ({
  kind: 'change',
  change: { kind: 'serve', task: task.task, champion, pinned: as === 'pin' || task.pinned, as },
  why: request.why,
});

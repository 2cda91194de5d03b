/** What becomes of an archive's event time when it is replayed. */
import type { Speed } from './pacing.ts';

/** `keep`: the archive's own; `now`: as if it happened while the replay runs. */
export type Shift = 'now' | 'keep';

export interface ShiftContext {
  readonly shift: Shift;
  readonly speed: Speed;
  /** Wall clock at the start of the replay. */
  readonly startedAt: number;
  /** Event time of the last post that will be sent. */
  readonly lastEvent: number;
}

/**
 * With `now`, a post is dated to the instant at which the timeline sends it, so that its age is right, that nothing
 * comes from the future and that it shares one time axis with posts that arrive live meanwhile. At full speed there is
 * no such instant: there the whole archive is moved so that its last post is of now.
 * @param dueMs what the timeline said for this post
 */
export function shiftedTime(context: ShiftContext, eventTime: number, dueMs: number): number {
  if (context.shift === 'keep') return eventTime;
  if (context.speed === 'max') return eventTime + context.startedAt - context.lastEvent;
  return Math.round(context.startedAt + dueMs);
}

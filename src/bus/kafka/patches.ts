/**
 * Repairs to kafkajs 2.2.4, made in memory when it is loaded.
 *
 * K13: `scheduleCheckPendingRequests` arms a timer even when nothing is pending and the throttle lies in the past,
 * and the timer arms the next one: 900 wake-ups a second for every idle connection, with a negative delay that
 * newer Node versions warn about (tulios/kafkajs#1704, #1751).
 */
import { systemClock } from '../../base/clock.ts';

interface RequestQueueState {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
}

export interface RequestQueueClass {
  readonly prototype: { scheduleCheckPendingRequests(this: RequestQueueState): void };
}

const RECHECK_MS = 10;

/** Makes the queue arm its timer only while a request is waiting. Doing so twice changes nothing. */
export function patchRequestQueue(queue: RequestQueueClass): void {
  queue.prototype.scheduleCheckPendingRequests = function scheduleWhenPending(this: RequestQueueState): void {
    if (this.throttleCheckTimeoutId || this.pending.length === 0) return;
    const throttledForMs = this.throttledUntil - systemClock.now();
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      throttledForMs > 0 ? throttledForMs : RECHECK_MS,
    );
  };
}

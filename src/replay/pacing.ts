/** Event time → time of sending: the timeline, and a token bucket for the rate. Pure; clocks come in as numbers. */

/** How many times faster than the event; `max` as fast as it goes. */
export type Speed = number | 'max';

export interface Timeline {
  /** Milliseconds after the start at which a post of that event time is due. Never smaller than the answer before. */
  dueAfter(eventTime: number): number;
}

/**
 * The first event time asked for is due at once. Event times must not decrease.
 * @param idleLimitMs longest wait between two posts in real time; longer silences are cut to it. Null: none is cut.
 */
export function createTimeline(speed: Speed, idleLimitMs: number | null): Timeline {
  let last: number | null = null;
  let due = 0;
  return {
    dueAfter(eventTime) {
      if (speed !== 'max' && last !== null) {
        const gap = Math.max(0, eventTime - last) / speed;
        due += idleLimitMs === null ? gap : Math.min(gap, idleLimitMs);
      }
      last = last === null ? eventTime : Math.max(last, eventTime);
      return due;
    },
  };
}

export interface TokenBucket {
  /** Most that one `take` may ask for. */
  readonly burst: number;
  /** Takes `count` tokens and says how many ms to wait before using them. */
  take(count: number, nowMs: number): number;
}

/**
 * Over any stretch of T seconds at most `ratePerSecond * T + burst` are let through, where waits are kept.
 * @param burst at least 1; a twentieth of a second's posts where it is left out.
 */
export function createTokenBucket(
  ratePerSecond: number,
  burst: number = Math.max(1, Math.floor(ratePerSecond / 20)),
): TokenBucket {
  let tokens = burst;
  let at = Number.NEGATIVE_INFINITY;
  return {
    burst,
    take(count, nowMs) {
      const passed = Math.max(0, nowMs - at);
      at = Math.max(at, nowMs);
      tokens = Math.min(burst, tokens + (passed * ratePerSecond) / 1_000) - count;
      return tokens >= 0 ? 0 : (-tokens * 1_000) / ratePerSecond;
    },
  };
}

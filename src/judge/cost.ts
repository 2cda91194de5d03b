/** What serving the candidate costs beside the champion: time and bytes. */
import type { Clock } from '../base/clock.ts';
import type { Artefact } from '../models/artefact.ts';
import type { Example } from '../training/dataset.ts';
import type { JudgeOptions } from './options.ts';
import type { Served } from './served.ts';
import type { Check } from './verdict.ts';

/** Ms that each call takes by itself, the same calls for both. */
export interface CallTimes {
  readonly candidate: readonly number[];
  readonly champion: readonly number[];
}

export type MeasureLatency = (
  candidate: Served,
  champion: Served,
  examples: readonly Example[],
) => Promise<CallTimes>;

const CALLS = 40;
/** A call counts as quick as it was once in so many: what else runs on the machine makes it slower, never quicker. */
const REPEATS = 11;
/** Posts in one call: what a label worker's slice of a busy partition brings. A scorer takes contents one by one. */
const POSTS = 32;

/** Both models take turns call by call, so that both see the same load of the machine. */
export const interleavedLatency =
  (clock: Clock): MeasureLatency =>
  async (candidate, champion, examples) => {
    const size = champion.scoreInputs ? POSTS : 1;
    const timed = async (served: Served, posts: readonly Example[]): Promise<number> => {
      const started = clock.monotonic();
      await served.score(posts);
      return clock.monotonic() - started;
    };
    const quickest = (): number[] => new Array<number>(CALLS).fill(Number.POSITIVE_INFINITY);
    const [mine, its] = [quickest(), quickest()];
    for (let repeat = 0; repeat < REPEATS; repeat += 1)
      for (let call = 0; call < CALLS; call += 1) {
        const from = (call * size) % Math.max(1, examples.length - size);
        const posts = examples.slice(from, from + size);
        const take = async (served: Served, times: number[]): Promise<void> => {
          times[call] = Math.min(times[call] as number, await timed(served, posts));
        };
        // Who goes first changes, as the second finds warmer caches.
        if (repeat % 2 === 0) await take(candidate, mine);
        await take(champion, its);
        if (repeat % 2 === 1) await take(candidate, mine);
      }
    return { candidate: mine, champion: its };
  };

const p95 = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.ceil(0.95 * values.length) - 1] as number;

export function latencyCheck({ candidate, champion }: CallTimes, { latencyRatio }: JudgeOptions): Check {
  const [mine, its] = [p95(candidate), p95(champion)];
  const value = mine / its;
  return {
    name: 'latency-p95',
    passed: value <= latencyRatio,
    value,
    limit: latencyRatio,
    why: `the p95 of calls, each as quick as it was once in ${REPEATS}, is ${mine.toFixed(3)} ms, ${value.toFixed(3)} times the champion's ${its.toFixed(3)} ms; at most ${latencyRatio} times is allowed.`,
  };
}

export function sizeCheck({ manifest }: Artefact, { maxBytes }: JudgeOptions): Check {
  const value = Object.values(manifest.files).reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    name: 'size',
    passed: value <= maxBytes,
    value,
    limit: maxBytes,
    why: `the folder has ${value} bytes; at most ${maxBytes} are allowed.`,
  };
}

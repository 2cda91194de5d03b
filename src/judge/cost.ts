/** What serving the candidate costs beside the champion: time and bytes. */
import type { Clock } from '../base/clock.ts';
import type { Artefact } from '../models/artefact.ts';
import type { Example } from '../training/dataset.ts';
import type { JudgeOptions } from './options.ts';
import type { Served } from './served.ts';
import type { Check } from './verdict.ts';

/** Ratios of p95 latencies, candidate over champion, one for each turn. */
export type MeasureLatency = (
  candidate: Served,
  champion: Served,
  examples: readonly Example[],
) => Promise<readonly number[]>;

const TURNS = 11;
const CALLS = 20;
/** The quickest of so many counts: what interrupts a call is the machine's doing, not the model's. */
const TRIES = 3;
/** Posts in one call: what a label worker's slice of a busy partition brings. A scorer takes contents one by one. */
const POSTS = 32;
const WARM_UP = 5;

/** Both models take turns call by call, so that both see the same load of the machine. */
export const interleavedLatency =
  (clock: Clock): MeasureLatency =>
  async (candidate, champion, examples) => {
    const size = champion.scoreInputs ? POSTS : 1;
    let from = 0;
    const timed = async (served: Served): Promise<number> => {
      const posts = examples.slice(from, from + size);
      const started = clock.monotonic();
      await served.score(posts);
      return clock.monotonic() - started;
    };
    for (let i = 0; i < WARM_UP; i += 1) for (const served of [candidate, champion]) await timed(served);
    const ratios: number[] = [];
    for (let turn = 0; turn < TURNS; turn += 1) {
      const [mine, its]: [number[], number[]] = [[], []];
      for (let call = 0; call < CALLS; call += 1) {
        const best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY] as [number, number];
        for (let attempt = 0; attempt < TRIES; attempt += 1) {
          // Who goes first changes, as the second finds warmer caches.
          const order = (call + attempt) % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
          for (const who of order)
            best[who] = Math.min(best[who], await timed(who === 0 ? candidate : champion));
        }
        mine.push(best[0]);
        its.push(best[1]);
        from = (from + size) % Math.max(1, examples.length - size);
      }
      ratios.push(p95(mine) / p95(its));
    }
    return ratios;
  };

const p95 = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.ceil(0.95 * values.length) - 1] as number;

/** A crowded machine spoils single turns both ways, so three turns in four must be too slow. */
export function latencyCheck(ratios: readonly number[], { latencyRatio }: JudgeOptions): Check {
  const sorted = [...ratios].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] as number;
  const value = at(0.25);
  return {
    name: 'latency-p95',
    passed: value <= latencyRatio,
    value,
    limit: latencyRatio,
    why: `the p95 of a call takes ${at(0.5).toFixed(3)} times the champion's in the middle turn, and in three turns of four more than ${value.toFixed(3)} times; that may be at most ${latencyRatio}.`,
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

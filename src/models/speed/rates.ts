/** How fast something runs: contenders take turns, so that all see the same load of the machine. */
import type { Clock } from '../../base/clock.ts';

export interface Contender {
  /** Samples that one step works on. */
  readonly samples: number;
  readonly step: () => unknown;
}

/** Middle and ends of repeated measurements. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Steps before the first turn: code is compiled, memory allocated. */
const WARM_UP = 3;

/** Three significant digits: no measurement here has more. */
const round = (value: number): number => Number(value.toPrecision(3));

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (place: number): number => round(sorted[place] as number);
  const middle = (sorted.length - 1) / 2;
  return {
    median: round(((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2),
    low: at(0),
    high: at(sorted.length - 1),
  };
}

/**
 * Samples per second of each contender in each turn.
 * @param secondsPerTurn each contender runs so long in each turn, and at least one step
 */
export async function takeTurns(
  contenders: readonly Contender[],
  turns: number,
  secondsPerTurn: number,
  clock: Clock,
): Promise<number[][]> {
  for (const { step } of contenders) for (let i = 0; i < WARM_UP; i += 1) await step();
  const rates = contenders.map((): number[] => []);
  for (let turn = 0; turn < turns; turn += 1)
    for (const [i, { samples, step }] of contenders.entries()) {
      const start = clock.monotonic();
      let done = 0;
      let seconds = 0;
      do {
        await step();
        done += samples;
        seconds = (clock.monotonic() - start) / 1_000;
      } while (seconds < secondsPerTurn);
      rates[i]?.push(done / seconds);
    }
  return rates;
}

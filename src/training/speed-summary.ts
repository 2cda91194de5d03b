/** Rounds of measurements → the figures that `tocsin bench models` prints. */
import { type Spread, spread } from '../models/speed/rates.ts';
import type { NetworkSpeed } from './network-speed.ts';

/** wasm without the kernels that replace its slow ones. */
export const PLAIN_WASM = 'wasm-plain';

/** What was measured one after the other, under the same load. */
export interface SpeedRound {
  /** GFLOP/s of a matrix product on one thread and on all cores. */
  readonly sgemm: { readonly oneThread: number; readonly allCores: number };
  /** Engine → network → speed; the same engines and networks in each round. */
  readonly engines: Readonly<Record<string, Readonly<Record<string, NetworkSpeed>>>>;
}

export interface EngineSummary {
  readonly samplesPerSecond: Spread;
  readonly stepMs: Spread;
  readonly inputGradientMs: Spread;
  /** Forward pass: share of the limit, on one thread for wasm, on all cores for TensorFlow; none for a GPU. */
  readonly shareOfSgemm: Spread | null;
}

export interface SpeedSummary {
  readonly sgemmGflops: { readonly oneThread: Spread; readonly allCores: Spread };
  readonly networks: Readonly<
    Record<
      string,
      {
        readonly megaflop: number;
        readonly engines: Readonly<Record<string, EngineSummary>>;
        /** Training step of plain wasm ÷ that of wasm with the fast kernels. */
        readonly wasmKernelGain: Spread;
      }
    >
  >;
}

/** Shares and ratios are taken round by round, so that a slow minute of the machine does not enter them. */
export function summarise(rounds: readonly SpeedRound[]): SpeedSummary {
  const over = (of: (round: SpeedRound) => number): Spread => spread(rounds.map(of));
  const first = (rounds[0] as SpeedRound).engines;
  const at = (round: SpeedRound, engine: string, network: string): NetworkSpeed =>
    round.engines[engine]?.[network] as NetworkSpeed;

  const summaryOf = (engine: string, network: string): EngineSummary => ({
    samplesPerSecond: over((round) => at(round, engine, network).samplesPerSecond),
    stepMs: over((round) => at(round, engine, network).stepMs),
    inputGradientMs: over((round) => at(round, engine, network).inputGradientMs),
    shareOfSgemm:
      engine === 'tfjs-node-gpu'
        ? null
        : over((round) => {
            const { samplesPerSecond, megaflop } = at(round, engine, network);
            const limit = round.sgemm[engine.startsWith('wasm') ? 'oneThread' : 'allCores'];
            return (samplesPerSecond * megaflop) / 1_000 / limit;
          }),
  });
  return {
    sgemmGflops: {
      oneThread: over(({ sgemm }) => sgemm.oneThread),
      allCores: over(({ sgemm }) => sgemm.allCores),
    },
    networks: Object.fromEntries(
      Object.entries(first['wasm'] ?? {}).map(([network, { megaflop }]) => [
        network,
        {
          megaflop: Number(megaflop.toPrecision(3)),
          engines: Object.fromEntries(
            Object.keys(first).map((engine) => [engine, summaryOf(engine, network)]),
          ),
          wasmKernelGain: over(
            (round) => at(round, PLAIN_WASM, network).stepMs / at(round, 'wasm', network).stepMs,
          ),
        },
      ]),
    ),
  };
}

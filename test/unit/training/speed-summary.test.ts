/** Shares and gains are taken round by round: a machine that is half as fast for a while does not change them. */
import { expect, it } from 'vitest';
import { PLAIN_WASM, type SpeedRound, summarise } from '../../../src/training/speed-summary.ts';

const round = (pace: number): SpeedRound => {
  const speed = (samplesPerSecond: number, stepMs: number) => ({
    mmn: {
      megaflop: 10,
      samplesPerSecond: samplesPerSecond * pace,
      stepMs: stepMs / pace,
      inputGradientMs: 1 / pace,
    },
  });
  return {
    sgemm: { oneThread: 100 * pace, allCores: 200 * pace },
    engines: {
      'tfjs-node': speed(10_000, 20),
      wasm: speed(2_000, 50),
      [PLAIN_WASM]: speed(2_000, 125),
      'tfjs-node-gpu': speed(100_000, 2),
    },
  };
};

it('compares wasm with one thread, TensorFlow with all cores, a GPU with neither', () => {
  const { networks, sgemmGflops } = summarise([round(1), round(0.5), round(1)]);
  const { engines, wasmKernelGain } = networks['mmn'] as NonNullable<(typeof networks)[string]>;
  const even = (value: number) => ({ median: value, low: value, high: value });
  expect(sgemmGflops.oneThread).toEqual({ median: 100, low: 50, high: 100 });
  expect(engines['wasm']?.samplesPerSecond).toEqual({ median: 2_000, low: 1_000, high: 2_000 });
  expect(engines['wasm']?.shareOfSgemm).toEqual(even(0.2));
  expect(engines['wasm']?.inputGradientMs).toEqual({ median: 1, low: 1, high: 2 });
  expect(engines['tfjs-node']?.shareOfSgemm).toEqual(even(0.5));
  expect(engines['tfjs-node-gpu']?.shareOfSgemm).toBeNull();
  expect(wasmKernelGain).toEqual(even(2.5));
});

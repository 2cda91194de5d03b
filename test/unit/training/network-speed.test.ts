/** The speed of a network: work counted by hand, nothing left behind. */
import { beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import { networkSpeed } from '../../../src/training/network-speed.ts';

let tf: Tf;

beforeAll(async () => {
  tf = await openEngine();
});

it('counts the work of Text-CNN as one does by hand, measures it, and leaves no tensor', async () => {
  const before = tf.memory().numTensors;
  const speed = await networkSpeed(tf, 'text-cnn', 0.01, systemClock);
  // 14 places of a 2 × 100 → 64 filter, then 64 × 64 and 64 × 1
  expect(speed.megaflop).toBeCloseTo((2 * (14 * 2 * 100 * 64 + 64 * 64 + 64)) / 1e6, 9);
  expect(speed.samplesPerSecond).toBeGreaterThan(0);
  expect(speed.stepMs).toBeGreaterThan(0);
  expect(speed.inputGradientMs).toBeGreaterThan(0);
  expect(tf.memory().numTensors).toBe(before);
});

it('runs MAFN too', async () => {
  const before = tf.memory().numTensors;
  const { megaflop } = await networkSpeed(tf, 'mafn', 0.01, systemClock);
  // The text extractor alone is 64 tokens × (384 × 256 + 256 × 32) × 2.
  expect(megaflop).toBeGreaterThan(13.6);
  expect(megaflop).toBeLessThan(16);
  expect(tf.memory().numTensors).toBe(before);
});

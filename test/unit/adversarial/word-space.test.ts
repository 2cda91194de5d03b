import { describe, expect, it } from 'vitest';
import { buildWordSpace } from '../../../src/adversarial/word-space.ts';
import { openEngine } from '../../../src/models/engine/engine.ts';

describe('buildWordSpace', () => {
  // Rows: padding, east, nearly east, north, west, long east.
  const table = Float32Array.from([0, 0, 1, 0, 0.9, 0.1, 0, 1, -1, 0, 5, 0.1]);

  it('finds the nearest by direction, the nearest first, never padding nor the word itself', async () => {
    const tf = await openEngine();
    const before = tf.memory().numTensors;
    const { neighbours } = buildWordSpace(tf, table, 2, 3);
    expect([...neighbours.slice(3, 6)]).toEqual([5, 2, 3]);
    expect([...neighbours.slice(9, 12)]).toEqual([2, 5, 1]);
    expect([...neighbours.slice(0, 3)]).toEqual([0, 0, 0]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('leaves rows without neighbours that nobody asked for, and fills up with 0 where there are too few', async () => {
    const tf = await openEngine();
    const { neighbours } = buildWordSpace(tf, table, 2, 6, [1, 0, 99]);
    expect([...neighbours.slice(6, 12)]).toEqual([5, 2, 3, 4, 0, 0]);
    expect([...neighbours.slice(12)].every((id) => id === 0)).toBe(true);
  });
});

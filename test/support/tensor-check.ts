/** An engine for the tests of a file; one that leaves a tensor behind fails. */
import { afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { openEngine } from '../../src/models/engine/engine.ts';
import type { Tf } from '../../src/models/engine/tf.ts';

/**
 * To be called at the top of a test file.
 * @param opened is handed the engine before the first test
 */
export function onEngine(opened: (tf: Tf) => void): void {
  let tf: Tf;
  let before: number;
  beforeAll(async () => {
    tf = await openEngine();
    opened(tf);
  });
  beforeEach(() => {
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });
}

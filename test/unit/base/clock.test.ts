import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';

describe('systemClock', () => {
  it('sleeps at least as long as it is told', async () => {
    const began = systemClock.monotonic();
    await systemClock.sleep(15);
    expect(systemClock.monotonic() - began).toBeGreaterThan(13);
  });

  it('is woken by its signal and does not lie down when that is already aborted', async () => {
    const stop = new AbortController();
    const sleeping = systemClock.sleep(60_000, stop.signal);
    stop.abort();
    await sleeping;
    await systemClock.sleep(60_000, stop.signal);
  });

  it('tells milliseconds since the epoch', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
  });
});

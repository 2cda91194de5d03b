import { describe, expect, it } from 'vitest';
import { createProgressReporter, progressText, shortDuration } from '../../../src/replay/progress.ts';
import { createVirtualClock } from './virtual-clock.ts';

const T = Date.UTC(2017, 7, 27, 3, 22, 30);

function reporter(isTTY: boolean) {
  const clock = createVirtualClock(0);
  const written: string[] = [];
  const progress = createProgressReporter({ write: (text) => written.push(text), isTTY }, 20, 0, clock);
  return { clock, written, progress };
}

describe('progress of a replay', () => {
  it('says event time, speed, part, posts, rate and time left', () => {
    const text = progressText(
      { eventTime: T, fraction: 0.25, sent: 1_204 },
      { speed: 20, perSecond: 412.4, elapsedMs: 20_000 },
    );
    expect(text).toBe('2017-08-27 03:22:30 ▶ x20 25% 1,204 posts 412/s ETA 1m00s');
  });

  it('writes a line every ten seconds where nobody watches', () => {
    const { clock, written, progress } = reporter(false);
    for (let second = 0; second < 35; second += 1) {
      clock.advance(1_000);
      progress.report({ eventTime: T, fraction: second / 35, sent: (second + 1) * 100 });
    }
    progress.end();
    expect(written).toHaveLength(3);
    expect(written.every((line) => line.endsWith('\n') && line.includes('100/s'))).toBe(true);
  });

  it('redraws one line on a terminal and ends it', () => {
    const { clock, written, progress } = reporter(true);
    for (let i = 0; i < 10; i += 1) {
      clock.advance(100);
      progress.report({ eventTime: null, fraction: 0.5, sent: i });
    }
    progress.end();
    expect(written.slice(0, -1).every((text) => text.startsWith('\r'))).toBe(true);
    expect(written[0]).toContain('━━━━━━━━━━──────────');
    expect(written).toHaveLength(6);
    expect(written.at(-1)).toBe('\n');
  });

  it.each([
    [400, '0s'],
    [59_000, '59s'],
    [200_000, '3m20s'],
    [3_720_000, '1h02m'],
  ])('shortens %i ms to %s', (ms, text) => {
    expect(shortDuration(ms)).toBe(text);
  });
});

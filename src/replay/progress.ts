/** Progress of a replay as people read it: a line that is redrawn on a terminal, a line every 10 s elsewhere. */
import type { Clock } from '../base/clock.ts';
import type { Speed } from './pacing.ts';
import type { ReplayProgress } from './replay.ts';

const REDRAW_MS = 200;
const LINE_MS = 10_000;
const BAR_CELLS = 20;
const NEWEST_SECONDS = 5;

export interface ProgressOutput {
  write(text: string): void;
  readonly isTTY: boolean;
}

export interface ProgressReporter {
  report(progress: ReplayProgress): void;
  /** Leaves the terminal on a fresh line. */
  end(): void;
}

/** `2017-08-27 03:22:30` of an event time, UTC. */
export function eventStamp(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace('T', ' ');
}

/** `1h02m`, `3m20s`, `7s`. */
export function shortDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const two = (n: number): string => String(n).padStart(2, '0');
  if (seconds >= 3_600) return `${Math.floor(seconds / 3_600)}h${two(Math.floor((seconds % 3_600) / 60))}m`;
  return seconds >= 60 ? `${Math.floor(seconds / 60)}m${two(seconds % 60)}s` : `${seconds}s`;
}

/** `2017-08-27 03:22:30 ▶ x20 38% 1,204 posts 412/s ETA 1m20s`. */
export function progressText(
  progress: ReplayProgress,
  facts: { readonly speed: Speed; readonly perSecond: number; readonly elapsedMs: number },
): string {
  const { eventTime, fraction, sent } = progress;
  const eta = fraction > 0.001 ? shortDuration((facts.elapsedMs * (1 - fraction)) / fraction) : '…';
  return [
    eventTime === null ? 'waiting' : eventStamp(eventTime),
    `▶ ${facts.speed === 'max' ? 'max' : `x${facts.speed}`}`,
    `${Math.floor(fraction * 100)}%`,
    `${sent.toLocaleString('en')} posts`,
    `${Math.round(facts.perSecond).toLocaleString('en')}/s`,
    `ETA ${eta}`,
  ].join(' ');
}

/** Reports at a pace that suits the output, however often it is told. */
export function createProgressReporter(
  output: ProgressOutput,
  speed: Speed,
  alreadySent: number,
  clock: Clock,
): ProgressReporter {
  const started = clock.monotonic();
  const every = output.isTTY ? REDRAW_MS : LINE_MS;
  let last = started;
  let drawn = false;
  const recent: { readonly at: number; readonly sent: number }[] = [{ at: started, sent: alreadySent }];
  return {
    report(progress) {
      const now = clock.monotonic();
      if (now - last < every) return;
      last = now;
      recent.push({ at: now, sent: progress.sent });
      while (recent.length > 2 && now - (recent[0]?.at ?? now) > NEWEST_SECONDS * 1_000) recent.shift();
      const { at, sent } = recent[0] as (typeof recent)[number];
      const text = progressText(progress, {
        speed,
        perSecond: ((progress.sent - sent) * 1_000) / Math.max(1, now - at),
        elapsedMs: now - started,
      });
      if (!output.isTTY) return output.write(`${text}\n`);
      const filled = Math.round(progress.fraction * BAR_CELLS);
      output.write(`\r\x1b[2K${'━'.repeat(filled)}${'─'.repeat(BAR_CELLS - filled)} ${text}`);
      drawn = true;
    },
    end() {
      if (drawn) output.write('\n');
    },
  };
}

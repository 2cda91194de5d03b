/** When a round is due: after some time, after so many new human samples, or on drift where the setting says so. */

export interface Schedule {
  /** ms between two rounds; 0: never by the clock. */
  readonly everyMs: number;
  /** New human samples that make a round due; 0: never by their number. */
  readonly labels: number;
  /** Whether drift makes a round due; else it is only told. */
  readonly onDrift: boolean;
}

export type RoundReason = 'clock' | 'labels' | 'drift' | 'asked';

/** What has come since the last round. */
export interface Since {
  /** When it ended, or when the sidecar first started, ms. */
  readonly at: number;
  readonly samples: number;
  readonly drifted: boolean;
}

/** The first reason for a round now; null when none is due. */
export function dueRound(
  { everyMs, labels, onDrift }: Schedule,
  since: Since,
  now: number,
): RoundReason | null {
  if (onDrift && since.drifted) return 'drift';
  if (labels > 0 && since.samples >= labels) return 'labels';
  if (everyMs > 0 && now - since.at >= everyMs) return 'clock';
  return null;
}

/** Figures and rows as cards write them. */
import type { Measured, Metrics } from '../models/manifest.ts';

export const percent = (value: number): string => (100 * value).toFixed(1);
export const withInterval = ({ value, interval: [low, high] }: Measured): string =>
  `${percent(value)} (${percent(low)}–${percent(high)})`;
export const row = (...cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;

export const COLUMNS: readonly string[] = [
  'accuracy',
  'balanced accuracy',
  'macro-F1',
  'AUROC',
  'calibration error',
];
export const cells = (m: Metrics): string[] => [
  withInterval(m.accuracy),
  withInterval(m.balancedAccuracy),
  withInterval(m.macroF1),
  withInterval(m.auroc),
  percent(m.ece),
];

export const table = (head: readonly string[], rows: readonly string[]): string =>
  [row(...head), row(...head.map(() => '---')), ...rows].join('\n');

/** Both answers occur. Where only one does, macro-F1 and AUROC say nothing. */
export const isMixed = ({ positives, n }: Metrics): boolean => positives > 0 && positives < n;

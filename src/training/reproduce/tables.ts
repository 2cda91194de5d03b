/** Tables and figures in Markdown. */
import type { OverSeeds } from './figures.ts';

export const percent = (share: number): string => (100 * share).toFixed(1);

/** `87.2 ± 1.3`: mean and half of the 95 % interval over seeds. */
export function spread({ mean, interval }: Pick<OverSeeds, 'mean' | 'interval'>): string {
  return interval === null ? percent(mean) : `${percent(mean)} ± ${percent(interval[1] - mean)}`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

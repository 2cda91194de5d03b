/** What a probability is worth: how right the surest answers are, and whether 0.8 means eight of ten. */
import { type Scored, wilson } from './measure.ts';

export interface RiskPoint {
  /** Share of posts that are answered: the surest first. */
  readonly coverage: number;
  /** Share of those answers that are right. */
  readonly accuracy: number;
}

/**
 * The risk-coverage curve (El-Yaniv and Wiener 2010): answers in falling order of |p − 0.5|. Posts that are equally sure
 * come together, so the curve does not depend on their order.
 */
export function riskCoverage({ probability, label }: Scored): RiskPoint[] {
  const sureness = (i: number): number => Math.abs((probability[i] as number) - 0.5);
  const order = [...probability.keys()].sort((a, b) => sureness(b) - sureness(a));
  const points: RiskPoint[] = [];
  let right = 0;
  order.forEach((index, k) => {
    if ((probability[index] as number) >= 0.5 === (label[index] === 1)) right += 1;
    const next = order[k + 1];
    if (next === undefined || sureness(next) !== sureness(index))
      points.push({ coverage: (k + 1) / order.length, accuracy: right / (k + 1) });
  });
  return points;
}

/** Accuracy when at least this share is answered; 0 for an empty curve. */
export function accuracyAt(curve: readonly RiskPoint[], coverage: number): number {
  return curve.find((point) => point.coverage >= coverage - 1e-9)?.accuracy ?? 0;
}

export interface ReliabilityBin {
  readonly n: number;
  /** Mean probability in the bin. */
  readonly predicted: number;
  /** Share of positives, with Wilson's interval. */
  readonly observed: number;
  readonly interval: readonly [number, number];
}

/** Bins of equal size by rising probability; fewer than asked where there are fewer posts. */
export function reliability({ probability, label }: Scored, bins: number): ReliabilityBin[] {
  const order = [...probability.keys()].sort(
    (a, b) => (probability[a] as number) - (probability[b] as number),
  );
  const count = Math.min(bins, order.length);
  return Array.from({ length: count }, (_, bin) => {
    const members = order.slice(
      Math.floor((bin * order.length) / count),
      Math.floor(((bin + 1) * order.length) / count),
    );
    const positives = members.filter((i) => label[i] === 1).length;
    return {
      n: members.length,
      predicted: members.reduce((sum, i) => sum + (probability[i] as number), 0) / members.length,
      observed: positives / members.length,
      interval: wilson(positives, members.length),
    };
  });
}

/** Does one author, one source or one hour weigh too much in what the candidate learnt from? As its manifest says it. */
import type { Manifest } from '../models/manifest.ts';
import type { JudgeOptions } from './options.ts';
import { type Check, percent } from './verdict.ts';

/**
 * Provenance counts samples: all of them by `seed` (trusted data) and `human` (rulings), and of the human ones the largest
 * by `author:HASH` and `source-hour:NAME 2026-11-25T14`. Shares are of all samples; without `seed` and `human`, of the kind's.
 */
const KINDS = ['author', 'source-hour'] as const;

/** Nothing is limited to less than one sample. */
const LEAST = 1;

export function provenanceChecks(
  { provenance = {} }: Pick<Manifest, 'provenance'>,
  { provenanceShare }: JudgeOptions,
): Check[] {
  return KINDS.map((kind): Check => {
    const counts = Object.entries(provenance).filter(([key]) => key.startsWith(`${kind}:`));
    const name = `provenance-${kind}`;
    if (counts.length === 0)
      return {
        name,
        passed: true,
        value: null,
        limit: provenanceShare,
        why: `the manifest names no ${kind}.`,
      };
    const { seed = 0, human = 0 } = provenance;
    const total = seed + human || counts.reduce((sum, [, count]) => sum + count, 0);
    const [largest, count] = counts.reduce((most, entry) => (entry[1] > most[1] ? entry : most));
    const value = count / Math.max(1, total);
    return {
      name,
      passed: count <= Math.max(LEAST, provenanceShare * total),
      value,
      limit: provenanceShare,
      why: `${largest} gave ${count} of ${total} samples (${percent(value)}); ${percent(provenanceShare)} is allowed.`,
    };
  });
}

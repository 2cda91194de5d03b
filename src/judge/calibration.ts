/** Do the candidate's probabilities mean what they say, after its own calibration? */
import { calibrationError } from '../training/measure.ts';
import { columnsOf, type Examined, type Sitting } from './sitting.ts';
import { type Check, percent } from './verdict.ts';

/** Mean over the judged classes; a post without a score counts as even odds. */
function errorOf({ served, scores }: Examined, { classes, targets }: Sitting): number {
  const errors = columnsOf(served, classes).map((column, k) =>
    calibrationError({
      probability: scores.probabilities.map((row) => row?.[column] ?? 0.5),
      label: targets.map((row) => (row[k] === 1 ? 1 : 0)),
    }),
  );
  return errors.reduce((sum, error) => sum + error, 0) / errors.length;
}

export function calibrationCheck(sitting: Sitting): Check {
  const value = errorOf(sitting.candidate, sitting);
  const champion = errorOf(sitting.champion, sitting);
  const limit = Math.max(sitting.options.calibrationError, champion);
  return {
    name: 'calibration-error',
    passed: value <= limit,
    value,
    limit,
    why: `expected calibration error over 15 bins is ${percent(value)}, the champion's ${percent(champion)}; at most ${percent(limit)} is allowed.`,
  };
}

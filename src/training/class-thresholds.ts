/** When a class of an any-of task is answered, and how logits of a one-of task become probabilities. */
import type { CalibrationRow } from './fit-network.ts';
import { rounded } from './measure.ts';

/** Share of the posts of a class that may fall at or below its `no`. */
const LOST = 0.2;
const LEAST_GAP = 1e-5;

/**
 * `yes`: the threshold with the best F1; `no`: at most a fifth of the class lies at or below it. Between the two the answer is
 * unsure. Classes are rare, so a target for the share of right answers would hardly ever say yes, and always no.
 */
export function chooseClassThresholds(
  probability: readonly number[],
  has: readonly boolean[],
): { yes: number; no: number } {
  const falling = [...probability.keys()].sort(
    (a, b) => (probability[b] as number) - (probability[a] as number),
  );
  const positives = has.filter(Boolean).length;
  let [best, yes, found] = [-1, 1, 0];
  falling.forEach((index, i) => {
    if (has[index]) found += 1;
    const next = falling[i + 1];
    if (next !== undefined && probability[next] === probability[index]) return;
    const f1 = (2 * found) / (i + 1 + positives);
    if (f1 > best) [best, yes] = [f1, probability[index] as number];
  });
  const rising = falling.filter((index) => has[index]).reverse();
  const lost = Math.floor(LOST * positives);
  const no = lost === 0 ? 0 : (probability[rising[lost - 1] as number] as number);
  const least = Math.max(LEAST_GAP, rounded(yes));
  return { yes: least, no: rounded(Math.min(no, least - LEAST_GAP)) };
}

/** One over the temperature under which softmax probabilities fit the rows best (Guo et al. 2017). */
export function temperatureScale(rows: readonly Pick<CalibrationRow, 'logits' | 'target'>[]): number {
  const loss = (scale: number): number =>
    rows.reduce((sum, { logits, target }) => {
      const z = logits.map((logit) => scale * logit);
      const highest = Math.max(...z);
      const logSum = highest + Math.log(z.reduce((total, value) => total + Math.exp(value - highest), 0));
      return sum + logSum - (z[target.indexOf(1)] as number);
    }, 0);
  // The loss is convex in the scale, so thirds close in on its least.
  let [low, high] = [-4, 4];
  for (let step = 0; step < 60; step += 1) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    if (loss(Math.exp(a)) < loss(Math.exp(b))) high = b;
    else low = a;
  }
  return Math.exp((low + high) / 2);
}

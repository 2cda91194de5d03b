/** Logistic regression on dense features, from scratch or from a line that is there already: heads on frozen encoders. */
import { sigmoid } from './measure.ts';

export interface Row {
  readonly features: Float32Array;
  readonly label: 0 | 1;
  /** How much it counts. */
  readonly weight: number;
}

/** One weight a feature, the bias last. */
export type Line = Float64Array;

const ROUNDS = 100;
/** Rounds of the power method, which finds how long a step may be. */
const POWER_ROUNDS = 12;

export function logitOf(line: Line, features: Float32Array): number {
  let sum = line[features.length] as number;
  for (let k = 0; k < features.length; k += 1) sum += (line[k] as number) * (features[k] as number);
  return sum;
}

/**
 * The line that minimises Σ weight · cross-entropy + ridge / 2 · |line − start|², the bias being free of the pull where
 * there is no start. Accelerated gradient descent (Nesterov 1983), so the same rows give the same line.
 * @param start null for zeros
 */
export function fitLine(rows: readonly Row[], ridge: number, start: Line | null): Line {
  const size = rows[0]?.features.length ?? 0;
  const origin = start ?? new Float64Array(size + 1);
  const step = 1 / (0.25 * 1.1 * largestEigenvalue(rows, size) + ridge + 1e-12);
  let line = Float64Array.from(origin);
  let ahead = Float64Array.from(origin);
  const gradient = new Float64Array(size + 1);
  for (let round = 0; round < ROUNDS; round += 1) {
    gradient.fill(0);
    for (const { features, label, weight } of rows)
      addScaled(gradient, features, weight * (sigmoid(logitOf(ahead, features)) - label));
    const pull = start ? size + 1 : size;
    for (let k = 0; k < pull; k += 1)
      gradient[k] = (gradient[k] as number) + ridge * ((ahead[k] as number) - (origin[k] as number));
    const next = ahead.map((value, k) => value - step * (gradient[k] as number));
    const momentum = round / (round + 3);
    const before = line;
    ahead = next.map((value, k) => value + momentum * (value - (before[k] as number)));
    line = next;
  }
  return line;
}

/** Of Σ weight · x xᵀ, x with a 1 for the bias. */
function largestEigenvalue(rows: readonly Row[], size: number): number {
  let direction = new Float64Array(size + 1).fill(1 / Math.sqrt(size + 1));
  let value = 0;
  for (let round = 0; round < POWER_ROUNDS; round += 1) {
    const image = new Float64Array(size + 1);
    for (const { features, weight } of rows)
      addScaled(image, features, weight * logitOf(direction, features));
    value = Math.hypot(...image);
    if (value === 0) return 0;
    direction = image.map((entry) => entry / value);
  }
  return value;
}

/** line += scale · [features, 1] */
function addScaled(line: Float64Array, features: Float32Array, scale: number): void {
  for (let k = 0; k < features.length; k += 1)
    line[k] = (line[k] as number) + scale * (features[k] as number);
  line[features.length] = (line[features.length] as number) + scale;
}

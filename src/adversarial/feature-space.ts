/**
 * Attack in feature space, for networks over frozen encoders: the encoders' vectors themselves are moved, within a ball
 * around each. No text and no picture need exist that an encoder turns into the vectors found, so what it does is an upper
 * bound on what an edit of such a size in that space can do; reports carry its name for that.
 */
import type { Column } from '../models/zoo/contract.ts';
import type { Attack, Audit, Others, Posts } from './attack.ts';

export interface FeatureSpaceOptions {
  /** Radius of the Euclidean ball, as a share of the length of what the post has in that column. */
  readonly radius: number;
  readonly steps: number;
}

/** A tenth of the vectors' length; steps of an eighth of the radius, as PGD on pictures. */
export const FEATURE_SPACE_DEFAULTS: FeatureSpaceOptions = { radius: 0.1, steps: 20 };

export function featureSpace({ radius, steps }: FeatureSpaceOptions = FEATURE_SPACE_DEFAULTS): Attack {
  return {
    name: 'feature-space',
    source: `PGD (Madry et al. 2018, L2) on the vectors of frozen encoders, within ${radius} of their length: an upper bound, no edited post stands behind it`,
    modality: 'vectors',
    needs: 'gradient',
    generate(victim, posts) {
      const { count } = posts;
      let now = posts;
      let { losses, vectors } = victim.gradient(now);
      const highest = losses.slice();
      const columns = Object.keys(vectors ?? {}) as Column[];
      const clean = Object.fromEntries(
        columns.map((column) => [column, posts.others?.[column] as Float32Array]),
      ) as Record<Column, Float32Array>;
      const worst = Object.fromEntries(columns.map((column) => [column, clean[column].slice()])) as Record<
        Column,
        Float32Array
      >;
      for (let step = 0; step < steps && vectors; step += 1) {
        const moved = Object.fromEntries(
          columns.map((column) => [
            column,
            stepWithin(now, clean[column], vectors as Others, column, radius),
          ]),
        );
        now = { ...now, others: { ...posts.others, ...moved } };
        ({ losses, vectors } = victim.gradient(now));
        for (let i = 0; i < count; i += 1) {
          if ((losses[i] as number) <= (highest[i] as number)) continue;
          highest[i] = losses[i] as number;
          for (const column of columns) copyPost(moved[column] as Float32Array, worst[column], i, count);
        }
      }
      return {
        posts: { ...posts, others: { ...posts.others, ...worst } },
        audit: posts.texts.map((_, i): Audit => {
          const l2 = Math.hypot(...columns.map((column) => lengthOf(worst[column], i, count, clean[column])));
          return { swaps: [], text: null, picture: null, vectors: { l2 }, queries: steps + 1 };
        }),
      };
    },
  };
}

/** One step up the loss for each post, by its own length, then back onto the ball around the clean vectors. */
function stepWithin(
  { others, count }: Posts,
  clean: Float32Array,
  gradients: Others,
  column: Column,
  radius: number,
): Float32Array {
  const from = others?.[column] as Float32Array;
  const gradient = gradients[column] as Float32Array;
  const moved = from.slice();
  const size = from.length / count;
  for (let i = 0; i < count; i += 1) {
    const bound = radius * lengthOf(clean, i, count);
    const length = lengthOf(gradient, i, count);
    if (length === 0) continue;
    const pace = bound / 8 / length;
    for (let k = i * size; k < (i + 1) * size; k += 1)
      moved[k] = (from[k] as number) + pace * (gradient[k] as number);
    const away = lengthOf(moved, i, count, clean);
    if (away <= bound) continue;
    for (let k = i * size; k < (i + 1) * size; k += 1)
      moved[k] = (clean[k] as number) + (bound / away) * ((moved[k] as number) - (clean[k] as number));
  }
  return moved;
}

/** Euclidean length of a post's values, or of their distance from `origin`. */
function lengthOf(values: Float32Array, i: number, count: number, origin?: Float32Array): number {
  const size = values.length / count;
  let sum = 0;
  for (let k = i * size; k < (i + 1) * size; k += 1)
    sum += ((values[k] as number) - (origin ? (origin[k] as number) : 0)) ** 2;
  return Math.sqrt(sum);
}

function copyPost(from: Float32Array, to: Float32Array, i: number, count: number): void {
  const size = from.length / count;
  to.set(from.subarray(i * size, (i + 1) * size), i * size);
}

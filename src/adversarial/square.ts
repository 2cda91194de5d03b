/**
 * The Square attack (Andriushchenko et al. 2020, L∞): random squares of ±ε, kept when the loss rises. It needs answers
 * only, no gradients, so it shows when gradients are masked.
 */
import { PICTURE_SIDE } from '../models/zoo/branches.ts';
import type { Attack, Audit } from './attack.ts';
import { changeOf, within } from './picture-change.ts';

export interface SquareOptions {
  /** Largest change of a pixel, pixels being in [0, 1]. */
  readonly epsilon: number;
  readonly queries: number;
  /** Share of the picture's area that the first squares cover. */
  readonly area: number;
}

export const squareDefaults = (epsilon: number): SquareOptions => ({ epsilon, queries: 500, area: 0.3 });

/** Shares of the queries at which the area is halved (Andriushchenko et al. 2020, §3.2, for 10,000 queries). */
const HALVINGS: readonly number[] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8];

export function square({ epsilon, queries, area }: SquareOptions): Attack {
  return {
    name: 'square',
    source: 'Andriushchenko et al. 2020, Square Attack, L∞',
    modality: 'image',
    needs: 'logits',
    generate(victim, posts, random) {
      const clean = posts.pixels;
      if (!clean) return { posts, audit: posts.texts.map((): Audit => ({ ...NOTHING })) };
      const size = clean.length / posts.count;
      const sign = (): number => (random() < 0.5 ? -epsilon : epsilon);
      // Start: vertical stripes, a sign for each column and channel.
      let best = clean.slice();
      for (let i = 0; i < posts.count; i += 1) {
        const stripes = Array.from({ length: PICTURE_SIDE * 3 }, sign);
        for (let k = 0; k < size; k += 1) {
          const x = clean[i * size + k] as number;
          best[i * size + k] = within(x + (stripes[k % (PICTURE_SIDE * 3)] as number), x, epsilon);
        }
      }
      const losses = victim.losses(posts).slice();
      const striped = victim.losses({ ...posts, pixels: best });
      for (let i = 0; i < posts.count; i += 1)
        if ((striped[i] as number) > (losses[i] as number)) losses[i] = striped[i] as number;
        else best.set(clean.subarray(i * size, (i + 1) * size), i * size);

      for (let query = 2; query < queries; query += 1) {
        const halved = HALVINGS.filter((share) => query >= share * queries).length;
        const side = Math.max(1, Math.round(Math.sqrt(area / 2 ** halved) * PICTURE_SIDE));
        const trial = best.slice();
        for (let i = 0; i < posts.count; i += 1) {
          const left = Math.floor(random() * (PICTURE_SIDE - side + 1));
          const top = Math.floor(random() * (PICTURE_SIDE - side + 1));
          const shift = [sign(), sign(), sign()];
          for (let y = top; y < top + side; y += 1)
            for (let x = left; x < left + side; x += 1)
              for (let channel = 0; channel < 3; channel += 1) {
                const at = i * size + (y * PICTURE_SIDE + x) * 3 + channel;
                const origin = clean[at] as number;
                trial[at] = within(origin + (shift[channel] as number), origin, epsilon);
              }
        }
        const tried = victim.losses({ ...posts, pixels: trial });
        for (let i = 0; i < posts.count; i += 1) {
          if ((tried[i] as number) > (losses[i] as number)) losses[i] = tried[i] as number;
          else trial.set(best.subarray(i * size, (i + 1) * size), i * size);
        }
        best = trial;
      }
      return {
        posts: { ...posts, pixels: best },
        audit: posts.texts.map(
          (_, i): Audit => ({ ...NOTHING, picture: changeOf(clean, best, posts.count, i), queries }),
        ),
      };
    },
  };
}

const NOTHING: Audit = { swaps: [], text: null, picture: null, queries: 0 };

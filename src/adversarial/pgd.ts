/** Projected gradient descent on the picture (Madry et al. 2018), with random starts; the worst start per post counts. */
import type { Attack, Audit, Posts } from './attack.ts';
import { changeOf, within } from './picture-change.ts';

export interface PgdOptions {
  /** Largest change of a pixel, pixels being in [0, 1]. */
  readonly epsilon: number;
  readonly steps: number;
  /** Change of a pixel per step. */
  readonly stepSize: number;
  /** Random starts within the bound; the clean picture is one of them when this is 1 or `fromClean`. */
  readonly starts: number;
}

/** E3 of models.md §1.7: 20 steps of an eighth, 3 starts. */
export const pgdDefaults = (epsilon: number): PgdOptions => ({
  epsilon,
  steps: 20,
  stepSize: epsilon / 8,
  starts: 3,
});

export function pgd({ epsilon, steps, stepSize, starts }: PgdOptions): Attack {
  return {
    name: `pgd-${steps}`,
    source: 'Madry et al. 2018: x ← Π(x + α · sign(∂J/∂x)), random starts',
    modality: 'image',
    needs: 'gradient',
    generate(victim, posts, random) {
      const clean = posts.pixels;
      if (!clean) return { posts, audit: posts.texts.map((): Audit => ({ ...NOTHING })) };
      const size = clean.length / posts.count;
      const worst = clean.slice();
      const highest = victim.losses(posts).slice();
      let queries = 1;
      for (let start = 0; start < starts; start += 1) {
        let now: Posts = {
          ...posts,
          // The first start is the clean picture itself.
          pixels:
            start === 0 ? clean : clean.map((x) => within(x + epsilon * (2 * random() - 1), x, epsilon)),
        };
        for (let step = 0; step < steps; step += 1) {
          const { pixels: gradient } = victim.gradient(now);
          queries += 1;
          if (!gradient) break;
          const from = now.pixels as Float32Array;
          const pixels = from.map((x, i) =>
            within(x + stepSize * Math.sign(gradient[i] as number), clean[i] as number, epsilon),
          );
          now = { ...now, pixels };
        }
        const losses = victim.losses(now);
        queries += 1;
        for (let i = 0; i < posts.count; i += 1) {
          if ((losses[i] as number) <= (highest[i] as number)) continue;
          highest[i] = losses[i] as number;
          worst.set((now.pixels as Float32Array).subarray(i * size, (i + 1) * size), i * size);
        }
      }
      return {
        posts: { ...posts, pixels: worst },
        audit: posts.texts.map(
          (_, i): Audit => ({ ...NOTHING, picture: changeOf(clean, worst, posts.count, i), queries }),
        ),
      };
    },
  };
}

const NOTHING: Audit = { swaps: [], text: null, picture: null, queries: 0 };

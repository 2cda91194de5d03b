/** The fast gradient sign method: MMAT Eq. 1, after Goodfellow et al. 2015. One step, every pixel. */
import type { Attack, Audit } from './attack.ts';
import { changeOf } from './picture-change.ts';

/** @param epsilon largest change of a pixel, pixels being in [0, 1] */
export function fgsm(epsilon: number): Attack {
  return {
    name: 'fgsm',
    source: 'MMAT Eq. 1: x′ = clip(x + ε · sign(∂J/∂x), 0, 1)',
    modality: 'image',
    needs: 'gradient',
    generate(victim, posts) {
      const { pixels: gradient } = victim.gradient(posts);
      const before = posts.pixels;
      if (!before || !gradient) return { posts, audit: posts.texts.map(() => ({ ...NOTHING })) };
      const pixels = Float32Array.from(before, (x, i) =>
        Math.min(1, Math.max(0, x + epsilon * Math.sign(gradient[i] as number))),
      );
      const audit = posts.texts.map(
        (_, i): Audit => ({ ...NOTHING, picture: changeOf(before, pixels, posts.count, i) }),
      );
      return { posts: { ...posts, pixels }, audit };
    },
  };
}

const NOTHING: Audit = { swaps: [], text: null, picture: null, queries: 1 };

/** A picture of another post in place of its own: the commonest fake there is. Of some tries the most harmful is taken. */
import type { Attack, Audit } from './attack.ts';
import { changeOf } from './picture-change.ts';

/** @param tries other pictures that are tried per post */
export function recycledPicture(tries: number): Attack {
  return {
    name: 'recycled-picture',
    source: 'Picture of another post of the batch (mismatched pairs, robustness.md §4)',
    modality: 'image',
    needs: 'logits',
    generate(victim, posts, random) {
      const clean = posts.pixels;
      if (!clean || posts.count < 2)
        return {
          posts,
          audit: posts.texts.map((): Audit => ({ swaps: [], text: null, picture: null, queries: 0 })),
        };
      const size = clean.length / posts.count;
      const worst = clean.slice();
      const highest = victim.losses(posts).slice();
      for (let at = 0; at < tries; at += 1) {
        const trial = new Float32Array(clean.length);
        for (let i = 0; i < posts.count; i += 1) {
          const other = (i + 1 + Math.floor(random() * (posts.count - 1))) % posts.count;
          trial.set(clean.subarray(other * size, (other + 1) * size), i * size);
        }
        const losses = victim.losses({ ...posts, pixels: trial });
        for (let i = 0; i < posts.count; i += 1) {
          if ((losses[i] as number) <= (highest[i] as number)) continue;
          highest[i] = losses[i] as number;
          worst.set(trial.subarray(i * size, (i + 1) * size), i * size);
        }
      }
      return {
        posts: { ...posts, pixels: worst },
        audit: posts.texts.map(
          (_, i): Audit => ({
            swaps: [],
            text: null,
            picture: changeOf(clean, worst, posts.count, i),
            queries: tries + 1,
          }),
        ),
      };
    },
  };
}

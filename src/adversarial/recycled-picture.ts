/**
 * A picture of another post in place of its own: the commonest fake there is. Of some tries the most harmful is taken. What
 * frozen encoders say of a picture moves with it, so it stands for a real post against networks over encoders too.
 */
import type { Column } from '../models/zoo/contract.ts';
import type { Attack, Audit, Posts } from './attack.ts';
import { changeOf } from './picture-change.ts';

const PICTURE_COLUMNS = ['imageLogits', 'imageFeatures'] as const;

/** @param tries other pictures that are tried per post */
export function recycledPicture(tries: number): Attack {
  return {
    name: 'recycled-picture',
    source: 'Picture of another post of the batch (mismatched pairs, robustness.md §4)',
    modality: 'image',
    needs: 'logits',
    generate(victim, posts, random) {
      const pictured = [...posts.texts.keys()].filter((i) => posts.others?.present?.[2 * i + 1] !== 0);
      const { pixels } = posts;
      const hasPictures = pixels !== null || PICTURE_COLUMNS.some((column) => posts.others?.[column]);
      if (!hasPictures || pictured.length < 2)
        return {
          posts,
          audit: posts.texts.map((): Audit => ({ swaps: [], text: null, picture: null, queries: 0 })),
        };
      // Of each post the one that it shows the picture of.
      const worst = [...posts.texts.keys()];
      const highest = victim.losses(posts).slice();
      for (let at = 0; at < tries; at += 1) {
        const trial = [...posts.texts.keys()];
        pictured.forEach((i, k) => {
          const away = 1 + Math.floor(random() * (pictured.length - 1));
          trial[i] = pictured[(k + away) % pictured.length] as number;
        });
        victim.losses(showing(posts, trial)).forEach((loss, i) => {
          if (loss <= (highest[i] as number)) return;
          highest[i] = loss;
          worst[i] = trial[i] as number;
        });
      }
      const after = showing(posts, worst);
      return {
        posts: after,
        audit: posts.texts.map(
          (_, i): Audit => ({
            swaps: [],
            text: null,
            picture:
              pixels && after.pixels && worst[i] !== i
                ? changeOf(pixels, after.pixels, posts.count, i)
                : pixels && { linf: 0, l2: 0 },
            queries: tries + 1,
          }),
        ),
      };
    },
  };
}

/** The posts, each with the picture of post `donors[i]`. */
function showing(posts: Posts, donors: readonly number[]): Posts {
  const moved = (values: Float32Array): Float32Array => {
    const size = values.length / posts.count;
    const rows = new Float32Array(values.length);
    donors.forEach((donor, i) => {
      rows.set(values.subarray(donor * size, (donor + 1) * size), i * size);
    });
    return rows;
  };
  const encoded = PICTURE_COLUMNS.flatMap((column): [Column, Float32Array][] => {
    const values = posts.others?.[column];
    return values ? [[column, moved(values)]] : [];
  });
  return {
    ...posts,
    pixels: posts.pixels && moved(posts.pixels),
    ...(posts.others ? { others: { ...posts.others, ...Object.fromEntries(encoded) } } : {}),
  };
}

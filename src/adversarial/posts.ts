/** Some of a batch of posts. */
import type { Others, Posts } from './attack.ts';

/** Posts from … to − 1, sharing memory with the whole. */
export const slicePosts = (posts: Posts, from: number, to: number): Posts => ({
  count: to - from,
  texts: posts.texts.slice(from, to),
  ...eachPart(posts, (all) => {
    const size = all.length / Math.max(1, posts.count);
    return all.subarray(from * size, to * size) as typeof all;
  }),
});

/** These posts, in this order. */
export const pickPosts = (posts: Posts, rows: readonly number[]): Posts => ({
  count: rows.length,
  texts: rows.map((row) => posts.texts[row] as string),
  ...eachPart(posts, (all) => {
    const size = all.length / Math.max(1, posts.count);
    const picked = (
      all instanceof Int32Array ? new Int32Array(rows.length * size) : new Float32Array(rows.length * size)
    ) as typeof all;
    rows.forEach((row, i) => {
      picked.set(all.subarray(row * size, (row + 1) * size), i * size);
    });
    return picked;
  }),
});

type Part = <A extends Float32Array | Int32Array>(all: A) => A;

/** Everything of the posts that is an array of numbers, by row. */
const eachPart = (
  { words, pixels, labels, others }: Posts,
  part: Part,
): Pick<Posts, 'words' | 'pixels' | 'labels' | 'others'> => ({
  words: part(words),
  pixels: pixels && part(pixels),
  labels: part(labels),
  ...(others
    ? {
        others: Object.fromEntries(
          Object.entries(others).map(([column, values]) => [column, part(values)]),
        ) as Others,
      }
    : {}),
});

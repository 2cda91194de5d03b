/** A network of the zoo as an attack sees it. */
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs';
import type { Tf } from '../models/engine/tf.ts';
import { gatherVectors, MAX_WORDS, WORD_DIMENSIONS } from '../models/words.ts';
import { PICTURE_SIDE } from '../models/zoo/branches.ts';
import type { Batch, Column, Head, Network } from '../models/zoo/contract.ts';
import type { Posts, Victim } from './attack.ts';
import type { WordSpace } from './word-space.ts';

/** Posts per pass: pictures need some 50 kB of floats each and many times that inside the network. */
const PASS = 64;

export interface VictimOptions {
  readonly network: Network;
  readonly head: Head;
  /** Columns that the network reads; of them `words` and `pixels` can be attacked. */
  readonly columns: readonly Column[];
  readonly space: WordSpace;
  readonly encode: (text: string) => Int32Array;
}

export function createVictim(tf: Tf, options: VictimOptions): Victim {
  const { network, head, columns, space, encode } = options;
  const readsWords = columns.includes('words');
  const readsPixels = columns.includes('pixels');

  /** Runs `work` on the posts, some at a time; everything that it makes is disposed of. */
  const inPasses = (posts: Posts, work: (pass: Posts, from: number) => void): void => {
    for (let from = 0; from < posts.count; from += PASS) {
      const pass = slicePosts(posts, from, Math.min(posts.count, from + PASS));
      tf.tidy(() => work(pass, from));
    }
  };
  const wordsOf = ({ words, count }: Posts): Tensor3D =>
    tf.tensor3d(gatherVectors(space.vectors, words, new Float32Array(words.length * WORD_DIMENSIONS)), [
      count,
      MAX_WORDS,
      WORD_DIMENSIONS,
    ]);
  const pixelsOf = ({ pixels, count }: Posts): Tensor4D | null =>
    pixels && tf.tensor4d(pixels, [count, PICTURE_SIDE, PICTURE_SIDE, 3]);
  const labelsOf = ({ labels, count }: Posts): Tensor2D => tf.tensor2d(labels, [count, head.outputs]);
  const forward = (words: Tensor | null, pixels: Tensor | null): Tensor2D => {
    const batch: Batch = { ...(words ? { words } : {}), ...(pixels ? { pixels } : {}) };
    return network.forward(batch);
  };

  return {
    head,
    space,
    encode,
    logits(posts) {
      const logits = new Float32Array(posts.count * head.outputs);
      inPasses(posts, (pass, from) => {
        const words = readsWords ? wordsOf(pass) : null;
        const pixels = readsPixels ? pixelsOf(pass) : null;
        logits.set(forward(words, pixels).dataSync() as Float32Array, from * head.outputs);
      });
      return logits;
    },
    losses(posts) {
      const losses = new Float32Array(posts.count);
      inPasses(posts, (pass, from) => {
        const words = readsWords ? wordsOf(pass) : null;
        const pixels = readsPixels ? pixelsOf(pass) : null;
        losses.set(lossPerPost(tf, head, forward(words, pixels), labelsOf(pass)).dataSync(), from);
      });
      return losses;
    },
    gradient(posts) {
      const losses = new Float32Array(posts.count);
      const words = readsWords ? new Float32Array(posts.words.length * WORD_DIMENSIONS) : null;
      const pixels = readsPixels && posts.pixels ? new Float32Array(posts.pixels.length) : null;
      inPasses(posts, (pass, from) => {
        const labels = labelsOf(pass);
        const inputs: Tensor[] = [];
        if (words) inputs.push(wordsOf(pass));
        const shown = pixels ? pixelsOf(pass) : null;
        if (shown) inputs.push(shown);
        // Each post's loss depends on that post alone, so the gradient of the sum holds every post's own.
        const { value, grads } = tf.valueAndGrads((...given: Tensor[]) => {
          const [first, second] = given as [Tensor, Tensor | undefined];
          const logits = forward(words ? first : null, words ? (second ?? null) : first);
          const perPost = lossPerPost(tf, head, logits, labels);
          losses.set(perPost.dataSync(), from);
          return tf.sum(perPost) as Scalar;
        })(inputs);
        value.dispose();
        if (words) words.set((grads[0] as Tensor).dataSync(), from * MAX_WORDS * WORD_DIMENSIONS);
        if (pixels)
          pixels.set((grads[words ? 1 : 0] as Tensor).dataSync(), from * PICTURE_SIDE * PICTURE_SIDE * 3);
      });
      return { losses, words, pixels };
    },
  };
}

/** Cross-entropy of each post, unweighted. [b] */
export function lossPerPost(tf: Tf, head: Head, logits: Tensor2D, labels: Tensor2D): Tensor1D {
  if (head.kind === 'softmax') return tf.neg(tf.sum(tf.mul(labels, tf.logSoftmax(logits)), 1));
  // max(z, 0) − z·y + log(1 + exp(−|z|)), summed over the outputs
  const loss = tf.add(
    tf.sub(tf.relu(logits), tf.mul(logits, labels)),
    tf.log1p(tf.exp(tf.neg(tf.abs(logits)))),
  );
  return tf.sum(loss, 1);
}

/** Posts from … to − 1, sharing memory with the whole. */
export function slicePosts(posts: Posts, from: number, to: number): Posts {
  const part = <A extends Float32Array | Int32Array>(all: A): A => {
    const size = all.length / Math.max(1, posts.count);
    return all.subarray(from * size, to * size) as A;
  };
  return {
    count: to - from,
    texts: posts.texts.slice(from, to),
    words: part(posts.words),
    pixels: posts.pixels && part(posts.pixels),
    labels: part(posts.labels),
  };
}

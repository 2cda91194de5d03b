/** A network of the zoo as an attack sees it. */
import type { Scalar, Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import type { Tf } from '../models/engine/tf.ts';
import { gatherVectors, WORD_DIMENSIONS } from '../models/words.ts';
import { columnShapes } from '../models/zoo/columns.ts';
import type { Batch, Column, Dims, Head, Network } from '../models/zoo/contract.ts';
import type { Posts, Victim } from './attack.ts';
import { slicePosts } from './posts.ts';
import type { WordSpace } from './word-space.ts';

/** Posts per pass: pictures need some 50 kB of floats each and many times that inside the network. */
const PASS = 64;
/** Posts per pass of a network that reads words alone, some kilobytes each. */
const WORDS_PASS = 256;

/** What frozen encoders give; attacks in feature space move it. */
export const VECTOR_COLUMNS = ['tokens', 'sentence', 'imageLogits', 'imageFeatures'] as const;
const NO_DIMS: Dims = { tokens: 0, text: 0, imageLogits: 0, imageFeatures: 0, events: 0 };

export interface VictimOptions {
  readonly network: Network;
  readonly head: Head;
  /** Columns that the network reads; of them `words`, `pixels` and encoders' vectors can be attacked. */
  readonly columns: readonly Column[];
  /** Sizes of the columns that frozen encoders give; needed where it reads such. */
  readonly dims?: Dims;
  readonly space: WordSpace;
  readonly encode: (text: string) => Int32Array;
}

export function createVictim(tf: Tf, options: VictimOptions): Victim {
  const { network, head, columns, space, encode, dims = NO_DIMS } = options;
  const shapes = columnShapes(dims);
  const passSize = columns.every((column) => column === 'words' || column === 'present') ? WORDS_PASS : PASS;
  const movable = columns.filter(
    (column) =>
      column === 'words' || column === 'pixels' || (VECTOR_COLUMNS as readonly string[]).includes(column),
  );

  /** Runs `work` on the posts, some at a time; everything that it makes is disposed of. */
  const inPasses = (posts: Posts, work: (pass: Posts, from: number) => void): void => {
    for (let from = 0; from < posts.count; from += passSize) {
      const pass = slicePosts(posts, from, Math.min(posts.count, from + passSize));
      tf.tidy(() => work(pass, from));
    }
  };
  /** The posts as the network reads them; a column that they lack is left out. */
  const batchOf = (posts: Posts): Batch =>
    Object.fromEntries(
      columns.flatMap((column) => {
        const values = valuesOf(posts, column, space);
        return values ? [[column, tf.tensor(values, [posts.count, ...shapes[column]])]] : [];
      }),
    );
  const labelsOf = ({ labels, count }: Posts): Tensor2D => tf.tensor2d(labels, [count, head.outputs]);

  return {
    head,
    space,
    encode,
    logits(posts) {
      const logits = new Float32Array(posts.count * head.outputs);
      inPasses(posts, (pass, from) => {
        logits.set(network.forward(batchOf(pass)).dataSync() as Float32Array, from * head.outputs);
      });
      return logits;
    },
    losses(posts) {
      const losses = new Float32Array(posts.count);
      inPasses(posts, (pass, from) => {
        const logits = network.forward(batchOf(pass));
        losses.set(lossPerPost(tf, head, logits, labelsOf(pass)).dataSync(), from);
      });
      return losses;
    },
    gradient(posts) {
      const losses = new Float32Array(posts.count);
      const gradients = new Map<Column, Float32Array>();
      inPasses(posts, (pass, from) => {
        const labels = labelsOf(pass);
        const batch = batchOf(pass);
        const moved = movable.filter((column) => batch[column]);
        // Each post's loss depends on that post alone, so the gradient of the sum holds every post's own.
        const { grads } = tf.valueAndGrads((...given: Tensor[]) => {
          const inputs = Object.fromEntries(moved.map((column, i) => [column, given[i] as Tensor]));
          const perPost = lossPerPost(tf, head, network.forward({ ...batch, ...inputs }), labels);
          losses.set(perPost.dataSync(), from);
          return tf.sum(perPost) as Scalar;
        })(moved.map((column) => batch[column] as Tensor));
        moved.forEach((column, i) => {
          const found = (grads[i] as Tensor).dataSync() as Float32Array;
          const size = found.length / pass.count;
          const all = gradients.get(column) ?? new Float32Array(posts.count * size);
          all.set(found, from * size);
          gradients.set(column, all);
        });
      });
      const vectors = Object.fromEntries(
        VECTOR_COLUMNS.flatMap((column) => {
          const found = gradients.get(column);
          return found ? [[column, found]] : [];
        }),
      );
      return {
        losses,
        words: gradients.get('words') ?? null,
        pixels: gradients.get('pixels') ?? null,
        ...(Object.keys(vectors).length > 0 ? { vectors } : {}),
      };
    },
  };
}

/** A column of the posts; null where they do not have it. */
function valuesOf(posts: Posts, column: Column, space: WordSpace): Float32Array | null {
  if (column === 'words')
    return gatherVectors(space.vectors, posts.words, new Float32Array(posts.words.length * WORD_DIMENSIONS));
  if (column === 'pixels') return posts.pixels;
  return posts.others?.[column] ?? null;
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

/** A small world to attack: sixty words with random vectors, posts of them, noise for pictures, untrained networks. */

import type { Posts, Victim } from '../../src/adversarial/attack.ts';
import { createVictim } from '../../src/adversarial/victim.ts';
import { buildWordSpace, type WordSpace } from '../../src/adversarial/word-space.ts';
import { seededRandom } from '../../src/base/random.ts';
import type { Tf } from '../../src/models/engine/tf.ts';
import { gatherVectors, MAX_WORDS, WORD_DIMENSIONS } from '../../src/models/words.ts';
import { columnShapes } from '../../src/models/zoo/columns.ts';
import type { Architecture, Column, Head, Network } from '../../src/models/zoo/contract.ts';
import { type Labelled, tableOf } from '../../src/training/table.ts';
import { TRAINING_DEFAULTS, train } from '../../src/training/train.ts';
import { TINY_DIMS } from './tiny-encoder.ts';

export const WORDS = 60;
const SIDE = 64;
const HEAD: Head = { kind: 'sigmoid', outputs: 1 };

export function sceneSpace(tf: Tf): WordSpace {
  const random = seededRandom(3);
  const table = Float32Array.from({ length: (WORDS + 1) * WORD_DIMENSIONS }, (_, i) =>
    i < WORD_DIMENSIONS ? 0 : random() * 2 - 1,
  );
  return buildWordSpace(tf, table, WORD_DIMENSIONS, 8);
}

/** Word `w7` is row 7; everything else is unknown. */
export function encodeScene(text: string): Int32Array {
  const ids = new Int32Array(MAX_WORDS);
  text
    .split(' ')
    .slice(0, MAX_WORDS)
    .forEach((word, i) => {
      ids[i] = Number(/^w(\d+)$/.exec(word)?.[1] ?? 0);
    });
  return ids;
}

export function scenePosts(count: number, pictures: boolean): Posts {
  const random = seededRandom(11);
  const texts = Array.from({ length: count }, (_, i) =>
    Array.from({ length: 4 + (i % 5) }, () => `w${1 + Math.floor(random() * WORDS)}`).join(' '),
  );
  return {
    count,
    texts,
    words: Int32Array.from(texts.flatMap((text) => [...encodeScene(text)])),
    pixels: pictures ? Float32Array.from({ length: count * SIDE * SIDE * 3 }, random) : null,
    // Positive where most words come from the first half of the list: something that can be learnt.
    labels: Float32Array.from(texts, (text) => {
      const ids = text.split(' ').map((word) => Number(word.slice(1)));
      return ids.filter((id) => id <= WORDS / 2).length * 2 > ids.length ? 1 : 0;
    }),
  };
}

/** The posts with vectors of frozen encoders, random ones. */
export function withVectors(posts: Posts): Posts {
  const random = seededRandom(13);
  const shapes = columnShapes(TINY_DIMS);
  const drawn = (column: Column): Float32Array =>
    Float32Array.from(
      { length: posts.count * shapes[column].reduce((product, side) => product * side, 1) },
      () => 2 * random() - 1,
    );
  return {
    ...posts,
    others: {
      tokens: drawn('tokens'),
      tokenMask: new Float32Array(posts.count * TINY_DIMS.tokens).fill(1),
      sentence: drawn('sentence'),
      imageLogits: drawn('imageLogits'),
      imageFeatures: drawn('imageFeatures'),
      entities: new Float32Array(posts.count * 16),
      present: new Float32Array(posts.count * 2).fill(1),
    },
  };
}

export function sceneVictim(
  tf: Tf,
  architecture: Architecture,
  space: WordSpace,
  seed = 5,
): { readonly victim: Victim; readonly network: Network } {
  const network = architecture.build(tf, architecture.defaults, TINY_DIMS, HEAD, seed);
  const columns = architecture.columns(architecture.defaults);
  return {
    network,
    victim: createVictim(tf, { network, head: HEAD, columns, dims: TINY_DIMS, space, encode: encodeScene }),
  };
}

/** Trains the network on scene posts until it is right about most of them. */
export async function fitScene(tf: Tf, network: Network, space: WordSpace): Promise<void> {
  const posts = scenePosts(120, false);
  const labelled: Labelled = {
    labels: posts.labels,
    table: tableOf(posts.count, {
      words: {
        shape: [MAX_WORDS, WORD_DIMENSIONS],
        write: (i, out) => {
          gatherVectors(space.vectors, posts.words.subarray(i * MAX_WORDS, (i + 1) * MAX_WORDS), out);
        },
      },
    }),
  };
  await train(
    tf,
    network,
    HEAD,
    { train: labelled, dev: labelled },
    { ...TRAINING_DEFAULTS, seed: 1, maxEpochs: 25, learningRate: 5e-3 },
    { checkpoints: null, report: () => {} },
  );
}

/** What teachers say of posts, which posts they are asked about, and what a network is taught of it. */
import { describe, expect, it } from 'vitest';
import type { Encoder, Packed } from '../../../src/models/encoders/contract.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import { toHalves } from '../../../src/models/half.ts';
import type { Head } from '../../../src/models/zoo/contract.ts';
import { textCnn } from '../../../src/models/zoo/text-cnn.ts';
import type { Dataset, Example } from '../../../src/training/dataset.ts';
import { wordTable } from '../../../src/training/defences.ts';
import type { DefendedOptions } from '../../../src/training/harden.ts';
import type { Split } from '../../../src/training/splits.ts';
import type { Labelled } from '../../../src/training/table.ts';
import { type Pupil, taughtBy } from '../../../src/training/taught.ts';
import {
  askTeachers,
  readSentences,
  sentenceNetwork,
  type Teacher,
  unlabelledFor,
} from '../../../src/training/teachers.ts';
import { TRAINING_DEFAULTS } from '../../../src/training/train.ts';
import { encodeScene, scenePosts, sceneSpace, WORDS } from '../../support/attack-scene.ts';
import { onEngine } from '../../support/tensor-check.ts';
import { TINY_DIMS } from '../../support/tiny-encoder.ts';

const HEAD: Head = { kind: 'sigmoid', outputs: 1 };
const POSTS = scenePosts(240, false);

let tf: Tf;
onEngine((opened) => {
  tf = opened;
});

const example = (id: string, event: string, text: string): Example => ({
  id,
  post: id,
  event,
  createdAt: null,
  text,
  language: 'en',
  author: null,
  picture: null,
  media: [],
  claim: null,
  published: {},
  labels: { informative: 0 },
});

const dataOf = (name: string, examples: readonly Example[]): Dataset => ({
  name,
  licence: 'MIT',
  task: 'informative',
  classes: ['not informative', 'informative'],
  weak: null,
  examples,
  sha256: 'a'.repeat(64),
  left: {},
  pictureProblems: {},
});

/** Says of a text which words are in it: a sentence vector of 61 numbers. */
function countingEncoder(): Encoder<'text'> & { readonly seen: string[] } {
  const seen: string[] = [];
  return {
    seen,
    id: 'counting',
    version: '1',
    engine: 'none',
    modality: 'text',
    outputs: [
      { name: 'sentence', dims: [WORDS + 1] },
      { name: 'tokens', dims: [null, 1] },
    ],
    differentiable: false,
    preprocess: 'none',
    weights: { sha256: '', licence: '', origin: '' },
    async encode(batch): Promise<Packed[]> {
      seen.push(...batch);
      return batch.map((text) => {
        const counts = new Float32Array(WORDS + 1);
        for (const row of encodeScene(text)) counts[row] = (counts[row] as number) + 1;
        return toHalves(Float32Array.from([...counts, 1]));
      });
    },
    close: async () => {},
  };
}

describe('posts without labels', () => {
  const data = dataOf('own', [
    example('1', 'Quake', 'the bridge has fallen into the river tonight'),
    example('2', 'Quake', 'water is needed at the school in the north'),
    example('3', 'Flood', 'the dam north of the town will break soon'),
    example('4', 'Storm, off topic', 'my dog likes the rain'),
  ]);
  const split: Split = {
    protocol: 'event:Flood',
    seed: 1,
    dataSha256: '',
    train: ['1', '4'],
    dev: ['2'],
    test: ['3'],
  };
  const others = dataOf('others', [
    example('1', 'quake', 'an own post again'),
    example('b', 'quake', 'a hospital has opened its doors'),
    example('c', 'quake', 'RT water is needed at the school in the north'),
    example('d', 'flood', 'boats are on their way to the valley'),
    example('e', 'storm', 'trees lie on the road to the coast'),
    example('f', 'Fire', 'smoke over the hills since this morning'),
  ]);
  const idsOf = (found: readonly Example[]): string[] => found.map(({ id }) => id).sort();

  it('are none of the own ones, of an unseen disaster, or near a post that tunes or tests', () => {
    expect(idsOf(unlabelledFor(data, split, { data: others, limit: 100 }))).toEqual(['b', 'e', 'f']);
  });

  it('are drawn by the seed, at most so many', () => {
    const drawn = unlabelledFor(data, split, { data: others, limit: 2 });
    expect(drawn).toHaveLength(2);
    expect(unlabelledFor(data, split, { data: others, limit: 2 })).toEqual(drawn);
  });
});

it('a text is encoded once, whatever tables it stands in', async () => {
  const encoder = countingEncoder();
  const sentences = readSentences(encoder);
  await sentences.table(['w1 w2', 'w3']);
  const table = await sentences.table(['w3', 'w1 w2', 'w3', 'w4 w4']);
  expect(encoder.seen).toEqual(['w1 w2', 'w3', 'w4 w4']);
  expect(sentences.dims).toEqual({ text: WORDS + 1 });
  const rows = tf.tidy(() => table.batch(tf, [0, 3]).sentence?.arraySync() as number[][]);
  expect([rows[0]?.[3], rows[0]?.[1], rows[1]?.[4]]).toEqual([1, 0, 2]);
});

describe('teachers', () => {
  it('answer by the mean of their logits, each as sure as it may be, and leave nothing behind', async () => {
    const { vectors } = sceneSpace(tf);
    const half = POSTS.count / 2;
    const [rows, others] = [POSTS, POSTS].map(({ words, labels }, part) =>
      wordTable(
        vectors,
        words.subarray(part * half * 15, (part + 1) * half * 15),
        labels.subarray(part * half, (part + 1) * half),
      ),
    ) as [Labelled, Labelled];
    const teacher = (seed: number): Teacher => ({
      build: () => textCnn.build(tf, textCnn.defaults, TINY_DIMS, HEAD, seed),
      train: rows,
      dev: others,
      asked: others.table,
    });
    const of = async (...seeds: number[]): Promise<number[]> =>
      Array.from(await askTeachers(tf, HEAD, seeds.map(teacher), 1), (p) => Math.log(p / (1 - p)));
    const [one, two, both] = [await of(1), await of(2), await of(1, 2)];
    both.forEach((logit, i) => {
      expect(logit).toBeCloseTo(((one[i] as number) + (two[i] as number)) / 2, 2);
    });
    const right = both.filter((logit, i) => logit >= 0 === (others.labels[i] === 1)).length;
    expect(right / half).toBeGreaterThan(0.75);
  });

  it('over sentences drop units by the seed while training alone', () => {
    const network = sentenceNetwork(tf, { text: 8 }, HEAD, 1);
    const batch = { sentence: tf.ones([2, 8]) };
    const logits = (seed?: number): number[] =>
      tf.tidy(() => [
        ...network.forward(batch, seed === undefined ? undefined : { seed, done: 0, total: 1 }).dataSync(),
      ]);
    expect(logits()).toEqual(logits());
    expect(logits(1)).toEqual(logits(1));
    expect(logits(1)).not.toEqual(logits(2));
    batch.sentence.dispose();
    network.dispose();
  });
});

describe('what is taught', () => {
  const half = POSTS.count / 2;
  const examples = POSTS.texts.map(
    (text, i): Example => ({
      ...example(`p${i}`, 'Quake', text),
      labels: { informative: POSTS.labels[i] as 0 | 1 },
    }),
  );
  const own = examples.slice(0, half);
  const split: Split = {
    protocol: 'grouped',
    seed: 1,
    dataSha256: '',
    train: own.map(({ id }) => id),
    dev: [],
    test: [],
  };
  const posts = own.map(({ text, labels }) => ({
    text,
    pixels: null,
    large: async () => null,
    event: 0,
    target: [labels.informative as number],
  }));
  const options: DefendedOptions = { ...TRAINING_DEFAULTS, seed: 1, teachersPart: 0.5 };
  const taught = (changed: Partial<DefendedOptions> = {}, limit: number | null = null) => {
    const { vectors } = sceneSpace(tf);
    const rows = wordTable(vectors, POSTS.words.subarray(0, half * 15), POSTS.labels.subarray(0, half));
    const pupil: Pupil = {
      data: dataOf('own', own),
      split,
      head: HEAD,
      build: (seed) => textCnn.build(tf, textCnn.defaults, TINY_DIMS, HEAD, seed),
      columns: ['words'],
      dims: TINY_DIMS,
      rows: { train: rows, dev: rows },
      posts: { train: posts, dev: posts },
    };
    const encoders = {
      vocabulary: {
        id: 'scene',
        size: WORDS + 1,
        encode: encodeScene,
        read: () => [],
        word: (row: number) => `w${row}`,
      },
      wordVectors: vectors,
      text: null,
      image: null,
      tagger: null,
      close: async () => {},
    };
    const unlabelled = limit === null ? null : { data: dataOf('others', examples), limit };
    const teaching = { sentences: readSentences(countingEncoder()), unlabelled };
    return taughtBy({ tf, encoders, teaching }, { ...options, ...changed }, pupil);
  };

  it('of a labelled post is the label and what teachers say, of any other what they say alone', async () => {
    const [some, all] = [await taught({}, 1_000), await taught({ teachersPart: 1 }, 1_000)];
    expect(some.table.count).toBe(some.answered.length);
    expect(some.table.count).toBeGreaterThan(half);
    expect(some.answered.slice(half).some(({ text }) => own.some((post) => post.text === text))).toBe(false);
    some.labels.forEach((value, i) => {
      const says = all.labels[i] as number;
      expect(value).toBeCloseTo(i < half ? (says + (POSTS.labels[i] as number)) / 2 : says, 5);
      expect(some.answered[i]?.target).toEqual([i < half ? POSTS.labels[i] : Math.round(says)]);
    });
    const truth = new Map(examples.map(({ text, labels }) => [text, labels.informative]));
    const right = some.answered.slice(half).filter(({ text, target }) => target[0] === truth.get(text));
    expect(right.length / (some.answered.length - half)).toBeGreaterThan(0.75);
  });

  it('is the labels alone under the paper’s defence, which refuses teachers', async () => {
    await expect(taught({ defence: 'static' })).rejects.toMatchObject({ code: 'BAD_USAGE' });
  });
});

/**
 * What teachers say of posts, for a network to be taught beside the labels (distillation, Hinton et al. 2015). Some read whole
 * texts by a frozen encoder, which is too slow to serve at this model's place but errs elsewhere than a network of words does, so
 * that together they are righter than each; and they can answer posts that nobody labelled.
 */
import type { Tensor } from '@tensorflow/tfjs';
import { seededRandom, shuffled } from '../base/random.ts';
import { sizeOf, textWriters } from '../models/encoders/columns.ts';
import type { Encoder } from '../models/encoders/contract.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Dims, Head, Network } from '../models/zoo/contract.ts';
import { dropUnits } from '../models/zoo/dropout.ts';
import { chain, joinParts, seededLayers } from '../models/zoo/seeded-layers.ts';
import type { Dataset, Example } from './dataset.ts';
import { groupNearDuplicates } from './groups.ts';
import { calibrate, sigmoid } from './measure.ts';
import { pick, type Split } from './splits.ts';
import { type FeatureTable, type Labelled, tableOf } from './table.ts';
import { predict, SILENT, TRAINING_DEFAULTS, type TrainingOptions, train } from './train.ts';

/** What a run with teachers is given. */
export interface Teaching {
  readonly sentences: Sentences;
  /** Posts of another collection that teachers alone answer; null where there are none. */
  readonly unlabelled: Unlabelled | null;
}

export interface Unlabelled {
  readonly data: Dataset;
  /** At most so many of them. */
  readonly limit: number;
}

/** One teacher: where it begins, and all posts as it reads them. */
export interface Teacher {
  readonly build: () => Network;
  readonly train: Labelled;
  readonly dev: Labelled;
  readonly asked: FeatureTable;
}

const TEACHER_TRAINING: Omit<TrainingOptions, 'seed'> = {
  ...TRAINING_DEFAULTS,
  batch: 128,
  learningRate: 2e-3,
  maxEpochs: 40,
  patience: 4,
};

/** Trains each, and gives the probability of yes by the mean of their logits, each calibrated on dev. [asked] */
export async function askTeachers(
  tf: Tf,
  head: Head,
  teachers: readonly Teacher[],
  seed: number,
): Promise<Float32Array> {
  const sum = new Float32Array(teachers[0]?.asked.count ?? 0);
  for (const { build, train: rows, dev, asked } of teachers) {
    const network = build();
    try {
      await train(tf, network, head, { train: rows, dev }, { ...TEACHER_TRAINING, seed }, SILENT);
      const { scale, bias } = calibrate(
        Array.from(predict(tf, network, head, dev.table)),
        Array.from(dev.labels, (label) => (label === 1 ? 1 : 0)),
      );
      predict(tf, network, head, asked).forEach((logit, i) => {
        sum[i] = (sum[i] as number) + (scale * logit + bias) / teachers.length;
      });
    } finally {
      network.dispose();
    }
  }
  return sum.map(sigmoid);
}

/** Units of the hidden layer, and the share of them that is dropped while training. */
const HIDDEN = 256;
const DROPPED = 0.5;

/** One hidden layer over the mean token vector. */
export function sentenceNetwork(tf: Tf, { text }: Pick<Dims, 'text'>, head: Head, seed: number): Network {
  const make = seededLayers(tf, seed);
  const hidden = chain(tf, 'sentence', [text], [make.dense('hidden', HIDDEN, 'relu')]); // [b, d] → [b, 256]
  const judge = chain(tf, 'units', [HIDDEN], [make.dense('logit', head.outputs)]); // [b, 256] → [b, outputs]
  const layers = joinParts(tf, 'sentence', [hidden, judge]);
  return {
    layers,
    forward: (batch, step) =>
      tf.tidy(() => {
        const units = hidden.apply(batch.sentence as Tensor) as Tensor;
        return judge.apply(step ? dropUnits(tf, units, DROPPED, step.seed) : units) as ReturnType<
          Network['forward']
        >;
      }),
    dispose: () => layers.dispose(),
  };
}

/** Texts per call of the encoder. */
const CHUNK = 256;

/** Mean token vectors of texts, as tables. */
export interface Sentences {
  readonly dims: Pick<Dims, 'text'>;
  table(texts: readonly string[]): Promise<FeatureTable>;
}

/** Remembers every text's vector and lets its token vectors go at once: they are some thirty times as large. */
export function readSentences(encoder: Encoder<'text'>): Sentences {
  const size = sizeOf(encoder, 'sentence');
  const { sentence } = textWriters(encoder);
  const known = new Map<string, Float32Array>();
  return {
    dims: { text: size },
    async table(texts) {
      const fresh = [...new Set(texts)].filter((text) => !known.has(text));
      for (let from = 0; from < fresh.length; from += CHUNK) {
        const chunk = fresh.slice(from, from + CHUNK);
        (await encoder.encode(chunk)).forEach((row, i) => {
          const vector = new Float32Array(size);
          sentence(row, vector);
          known.set(chunk[i] as string, vector);
        });
      }
      return tableOf(texts.length, {
        sentence: {
          shape: [size],
          write: (index, out) => out.set(known.get(texts[index] as string) as Float32Array),
        },
      });
    },
  };
}

/** What an everyday post's event is called beside that of its disaster (everyday.ts). */
const disasterOf = (event: string): string => event.toLowerCase().replace(/, off topic$/, '');

/**
 * Posts of another collection for teachers to answer, whatever their labels there: none of a disaster that a split keeps
 * unseen, none that the data have themselves, and none that is near a post which tunes or tests. At most `limit`, drawn by the
 * split's seed.
 */
export function unlabelledFor(
  data: Dataset,
  split: Split,
  { data: { examples: others }, limit }: Unlabelled,
): Example[] {
  const own = new Set(data.examples.map(({ id }) => id));
  const trained = new Set(pick(data, split.train).map(({ event }) => disasterOf(event)));
  const judging = pick(data, [...split.dev, ...split.test]);
  const unseen = new Set(
    judging.map(({ event }) => disasterOf(event)).filter((event) => !trained.has(event)),
  );
  const free = others.filter(({ id, event }) => !own.has(id) && !unseen.has(disasterOf(event)));
  const groups = groupNearDuplicates([...judging, ...free]);
  const taken = new Set(groups.subarray(0, judging.length));
  const fresh = free.filter((_, i) => !taken.has(groups[judging.length + i] as number));
  return shuffled(fresh, seededRandom(split.seed)).slice(0, limit);
}

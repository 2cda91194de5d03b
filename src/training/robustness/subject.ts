/** An artefact as attacks see it: its network as a victim, posts as it reads them, and what its answers come to. */
import type { Others, Posts, Victim } from '../../adversarial/attack.ts';
import type { Judge } from '../../adversarial/suite.ts';
import type { Reread } from '../../adversarial/text-edit.ts';
import { createVictim, VECTOR_COLUMNS } from '../../adversarial/victim.ts';
import type { WordSpace } from '../../adversarial/word-space.ts';
import type { Basis } from '../../models/class-probabilities.ts';
import { classProbabilities } from '../../models/class-probabilities.ts';
import type { Tf } from '../../models/engine/tf.ts';
import type { Manifest, ServedClass } from '../../models/manifest.ts';
import { MAX_WORDS } from '../../models/words.ts';
import { PICTURE_SIDE } from '../../models/zoo/branches.ts';
import type { Column } from '../../models/zoo/contract.ts';
import { buildTable } from '../build-table.ts';
import { reportClasses } from '../class-report.ts';
import type { Dataset, Example } from '../dataset.ts';
import { classAnswers, severalOf } from '../fit-classes.ts';
import { measure, sigmoid } from '../measure.ts';
import type { Pictures } from '../pictures.ts';
import { type Scoring, show, yesLogit } from '../score.ts';
import type { FeatureTable } from '../table.ts';
import { targetOf } from '../tasks.ts';

export interface Reads {
  /** Words by their vectors. */
  readonly text: boolean;
  /** Pixels, of at least one post. */
  readonly image: boolean;
  /** Vectors of frozen encoders. */
  readonly vectors: boolean;
  /** Texts, and pictures of at least two posts, through frozen encoders. */
  readonly encoded: { readonly texts: boolean; readonly pictures: boolean };
}

/** What frozen encoders make of a text, and of a picture. */
const TEXT_COLUMNS: readonly Column[] = ['tokens', 'tokenMask', 'sentence', 'entities'];
const PICTURE_COLUMNS: readonly Column[] = ['pixels', 'imageLogits', 'imageFeatures'];

/** Rows of the table that are copied at once. */
const CHUNK = 64;

export function openVictim(
  { tf, network, head, columns, dims, encoders }: Scoring,
  space: WordSpace,
): Victim {
  return createVictim(tf, { network, head, columns, dims, space, encode: encoders.vocabulary.encode });
}

/** The examples as the network reads them. @param columns those of all networks that the posts are shown to */
export async function openPosts(
  { tf, head, dims, encoders }: Scoring,
  columns: readonly Column[],
  { data, classes }: { readonly data: Dataset; readonly classes: readonly string[] },
  examples: readonly Example[],
  pictures: Pictures,
): Promise<Posts> {
  const shown = await show(examples, [], pictures);
  const count = examples.length;
  const words = new Int32Array(count * MAX_WORDS);
  shown.forEach(({ text }, i) => {
    words.set(encoders.vocabulary.encode(text), i * MAX_WORDS);
  });
  const labels = new Float32Array(count * head.outputs);
  examples.forEach((example, i) => {
    const target = targetOf(example.labels, data.task, classes) ?? [];
    labels.set(target.slice(-head.outputs), i * head.outputs);
  });
  // Where encoders read the pictures the pixels are kept for the report, which shows them.
  const pictured =
    PICTURE_COLUMNS.some((column) => columns.includes(column)) && shown.some(({ pixels }) => pixels !== null);
  const size = PICTURE_SIDE * PICTURE_SIDE * 3;
  const pixels = pictured ? new Float32Array(count * size) : null;
  shown.forEach((post, i) => {
    post.pixels?.forEach((value, k) => {
      if (pixels) pixels[i * size + k] = value / 255;
    });
  });
  const rest = columns.filter((column) => column !== 'words' && column !== 'pixels');
  const others = await valuesOf(tf, await buildTable(shown, rest, encoders, dims), rest, count);
  return { count, texts: shown.map(({ text }) => text), words, pixels, labels, others };
}

/** The columns of a table, [count, …] each. */
async function valuesOf(
  tf: Tf,
  table: FeatureTable,
  columns: readonly Column[],
  count: number,
): Promise<Others> {
  const values: Partial<Record<Column, Float32Array>> = {};
  for (let from = 0; from < count && columns.length > 0; from += CHUNK) {
    const rows = Array.from({ length: Math.min(CHUNK, count - from) }, (_, i) => from + i);
    const batch = table.batch(tf, rows);
    for (const column of columns) {
      const read = batch[column]?.dataSync() as Float32Array;
      const row = read.length / rows.length;
      values[column] ??= new Float32Array(count * row);
      values[column].set(read, from * row);
      batch[column]?.dispose();
    }
  }
  return values;
}

/**
 * The posts with other texts as a network reads them: every new text passes the frozen encoder, which takes some
 * milliseconds each.
 * @param columns as in `openPosts`
 */
export function rereader({ tf, dims, encoders }: Scoring, columns: readonly Column[]): Reread {
  const read = columns.filter((column) => TEXT_COLUMNS.includes(column));
  return async (posts, texts) => {
    const shown = texts.map((text) => ({ text, pixels: null, large: async () => null, event: -1 }));
    const others = await valuesOf(tf, await buildTable(shown, read, encoders, dims), read, posts.count);
    const words = new Int32Array(posts.words.length);
    const present = posts.others?.present?.slice();
    texts.forEach((text, i) => {
      words.set(encoders.vocabulary.encode(text), i * MAX_WORDS);
      if (present) present[2 * i] = text === '' ? 0 : 1;
    });
    return {
      ...posts,
      texts,
      words,
      others: { ...posts.others, ...others, ...(present ? { present } : {}) },
    };
  };
}

/** What attacks can move of the posts, by the columns that the network reads. */
export const readsOf = (columns: readonly Column[], posts: Posts): Reads => ({
  text: columns.includes('words'),
  image: columns.includes('pixels') && posts.pixels !== null,
  vectors: VECTOR_COLUMNS.some((column) => columns.includes(column)),
  encoded: {
    texts: TEXT_COLUMNS.some((column) => columns.includes(column)),
    pictures: posts.pixels !== null && columns.some((column) => column.startsWith('image')),
  },
});

/** Answers as they are served: calibrated, and none for a post of which the model knows no word (evaluate.ts). */
export function judgeOf(manifest: Manifest, data: Dataset): Judge {
  return manifest.classes ? classJudge(manifest, manifest.classes, data) : yesNoJudge(manifest);
}

const NO_SCORE = 0.5 - Number.EPSILON;

function yesNoJudge(manifest: Manifest): Judge {
  const { head } = manifest.architecture;
  const { text, image, both } = manifest.calibration;
  return (logits, posts) => {
    const probability = Array.from({ length: posts.count }, (_, i) => {
      const pictured = isPictured(posts, i);
      if (isBlank(manifest, posts, i)) return NO_SCORE;
      const { scale, bias } = (pictured ? (both ?? image) : null) ?? text ?? image ?? { scale: 1, bias: 0 };
      const z = yesLogit(Array.from(logits.subarray(i * head.outputs, (i + 1) * head.outputs)));
      return sigmoid(scale * z + bias);
    });
    const label = probability.map((_, i): 0 | 1 => (posts.labels[(i + 1) * head.outputs - 1] === 1 ? 1 : 0));
    return {
      metrics: measure({ probability, label }),
      right: probability.map((p, i) => (p >= 0.5 ? 1 : 0) === label[i]),
      probability,
    };
  };
}

function classJudge(
  { architecture, ...rest }: Manifest,
  served: readonly ServedClass[],
  data: Dataset,
): Judge {
  const { head } = architecture;
  const kind = severalOf(data);
  const kept = served.flatMap(({ name }, k) => (data.classes.includes(name) ? [k] : []));
  const judged = kept.map((k) => served[k] as ServedClass);
  const classes = judged.map(({ name }) => name);
  const learnt = (basis: Basis): boolean => served[0]?.calibration[basis] != null;
  return (logits, posts) => {
    const scores = Array.from({ length: posts.count }, (_, i) => {
      const wanted: readonly Basis[] = isPictured(posts, i) ? ['both', 'image', 'text'] : ['text', 'image'];
      const basis = wanted.find(learnt) ?? 'text';
      const row = Array.from(logits.subarray(i * head.outputs, (i + 1) * head.outputs));
      const all = isBlank(rest, posts, i) ? null : classProbabilities(head, served, basis, row);
      return kept.map((k) => all?.[k] ?? 0);
    });
    const targets = scores.map((_, i) => kept.map((k) => posts.labels[i * head.outputs + k] as number));
    const answers = classAnswers(kind, scores, judged);
    return {
      metrics: reportClasses(kind, { classes, scores, targets }, answers).metrics,
      right: answers.map((row, i) => row.every((answer, k) => answer === targets[i]?.[k])),
      probability: scores.flat(),
    };
  };
}

const isPictured = ({ others, pixels }: Posts, i: number): boolean =>
  others?.present ? others.present[2 * i + 1] === 1 : pixels !== null;

/** Whether a network of words has nothing to read. */
const isBlank = ({ words }: Pick<Manifest, 'words'>, posts: Posts, i: number): boolean =>
  words !== null &&
  !isPictured(posts, i) &&
  posts.words.subarray(i * MAX_WORDS, (i + 1) * MAX_WORDS).every((id) => id === 0);

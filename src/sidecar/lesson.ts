/**
 * What a round teaches. A post that is attacked comes twice: as it is, and with some of its words as Eq. 2 leaves them, against the
 * network as it stands or, for half of the posts, as the champion was misled. Some words only: an attack that spends less than Eq. 2 does harm
 * as well, and a post of which every word is another costs more on posts as they are than it wins. A replayed post comes as it is.
 * The answer taught is half the truth and half what the champion says of the untouched post (learning without forgetting, Li
 * and Hoiem 2016), so that its answers stay.
 */
import { seededRandom } from '../base/random.ts';
import type { Tf } from '../models/engine/tf.ts';
import { gatherVectors, MAX_WORDS, WORD_DIMENSIONS } from '../models/words.ts';
import { sigmoid } from '../training/measure.ts';
import type { TrainingHooks } from '../training/train.ts';
import type { CraftedRow } from './craft.ts';
import type { PlannedRow } from './plan.ts';

type Craft = NonNullable<TrainingHooks['craft']>;

/** The champion's part in what is taught of seeds; what people ruled on is taught as they ruled. */
const CHAMPIONS_PART = 0.5;

/** Least and largest share of a post's words that are changed. */
const CHANGED = [0.2, 0.7] as const;

/**
 * The answer that each post is taught.
 * @param logits the champion's
 */
export const taughtOf = (rows: readonly PlannedRow[], logits: readonly number[]): Float32Array =>
  Float32Array.from(rows, ({ label, provenance }, i) => {
    const part = provenance === 'seed' ? CHAMPIONS_PART : 0;
    return part * sigmoid(logits[i] as number) + (1 - part) * label;
  });

export interface LessonDeps {
  /** The word table. [rows, 100] */
  readonly vectors: Float32Array;
  /** So many rows, the first ones, are attacked; those after them are replayed. */
  readonly attacked: number;
  readonly crafted: readonly CraftedRow[];
  /** Adds to a batch what Eq. 2 makes of it. */
  readonly craftNow: Craft;
}

/** What a step trains on in place of its batch. */
export function lesson(tf: Tf, { vectors, attacked, crafted, craftNow }: LessonDeps): Craft {
  const wordsOf = new Map(crafted.map(({ row, words }) => [row, words]));
  return (clean, step, rows) => {
    const places = rows.flatMap((row, place) => (row < attacked ? [place] : []));
    const own = places.map((place) => rows[place] as number);
    const { words } = clean.batch;
    if (own.length === 0 || !words) return clean;
    const part = { batch: { words: tf.gather(words, places) }, labels: tf.gather(clean.labels, places) };
    const now = tf.slice(craftNow(part, step, own).batch.words as typeof words, own.length);
    const misled = new Int32Array(own.length * MAX_WORDS);
    own.forEach((row, i) => {
      misled.set(wordsOf.get(row) ?? [], i * MAX_WORDS);
    });
    const before = gatherVectors(vectors, misled, new Float32Array(misled.length * WORD_DIMENSIONS));
    const [kept, fromNow, fromBefore] = drawn(
      own.map((row) => wordsOf.has(row)),
      step.seed,
    ).map((mask) => tf.tensor3d(mask, [own.length, MAX_WORDS, 1])) as [
      typeof words,
      typeof words,
      typeof words,
    ];
    const changed = tf.addN([
      tf.mul(kept, part.batch.words),
      tf.mul(fromNow, now),
      tf.mul(fromBefore, tf.tensor3d(before, [own.length, MAX_WORDS, WORD_DIMENSIONS])),
    ]);
    return {
      batch: { words: tf.concat([words, changed as typeof words], 0) },
      labels: tf.concat([clean.labels, part.labels], 0),
    };
  };
}

/** For each word of a batch: 1 in the first mask where it stays, in the second or third where it is changed. [rows · 15] each */
function drawn(hasMisled: readonly boolean[], seed: number): Float32Array[] {
  const random = seededRandom(seed);
  const masks = [0, 1, 2].map(() => new Float32Array(hasMisled.length * MAX_WORDS));
  hasMisled.forEach((has, i) => {
    const share = CHANGED[0] + random() * (CHANGED[1] - CHANGED[0]);
    const crafted = has && random() < 0.5 ? 2 : 1;
    for (let k = 0; k < MAX_WORDS; k += 1)
      (masks[random() < share ? crafted : 0] as Float32Array)[i * MAX_WORDS + k] = 1;
  });
  return masks;
}

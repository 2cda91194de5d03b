/**
 * What a round teaches. A post that is attacked comes three times: as it is, as Eq. 2 leaves it against the network as it stands,
 * and as the champion was misled by it. A replayed post comes as it is. The answer taught is half the truth and half what
 * the champion says of the untouched post (learning without forgetting, Li and Hoiem 2016), so that its answers stay.
 */
import type { Tf } from '../models/engine/tf.ts';
import { gatherVectors, MAX_WORDS, WORD_DIMENSIONS } from '../models/words.ts';
import { sigmoid } from '../training/measure.ts';
import type { TrainingHooks } from '../training/train.ts';
import type { CraftedRow } from './craft.ts';
import type { PlannedRow } from './plan.ts';

type Craft = NonNullable<TrainingHooks['craft']>;

/** The champion's part in what is taught of seeds; what people ruled on is taught as they ruled. */
const CHAMPIONS_PART = 0.5;

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
  readonly taught: Float32Array;
  readonly crafted: readonly CraftedRow[];
  /** Adds to a batch what Eq. 2 makes of it. */
  readonly craftNow: Craft;
}

/** What a step trains on in place of its batch. */
export function lesson(tf: Tf, { vectors, attacked, taught, crafted, craftNow }: LessonDeps): Craft {
  const wordsOf = new Map(crafted.map(({ row, words }) => [row, words]));
  return (clean, step, rows) => {
    const places = rows.flatMap((row, place) => (row < attacked ? [place] : []));
    const own = places.map((place) => rows[place] as number);
    const { words } = clean.batch;
    if (own.length === 0 || !words) return clean;
    const part = { batch: { words: tf.gather(words, places) }, labels: tf.gather(clean.labels, places) };
    const both = craftNow(part, step, own);
    const misled = own.filter((row) => wordsOf.has(row));
    const before = Int32Array.from(misled.flatMap((row) => wordsOf.get(row) ?? []));
    const values = gatherVectors(vectors, before, new Float32Array(before.length * WORD_DIMENSIONS));
    return {
      batch: {
        words: tf.concat(
          [
            words,
            tf.slice(both.batch.words as typeof words, own.length),
            tf.tensor3d(values, [misled.length, MAX_WORDS, WORD_DIMENSIONS]),
          ],
          0,
        ),
      },
      labels: tf.concat(
        [
          clean.labels,
          tf.slice(both.labels, own.length),
          tf.tensor2d(
            misled.map((row) => taught[row] as number),
            [misled.length, 1],
          ),
        ],
        0,
      ),
    };
  };
}

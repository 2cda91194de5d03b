/** A tiny encoder: random columns of small dimensions, so that every architecture runs without any download. */
import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import { seededRandom } from '../../src/base/random.ts';
import type { Tf } from '../../src/models/engine/tf.ts';
import { columnShapes } from '../../src/models/zoo/columns.ts';
import { type Batch, COLUMNS, type Column, type Dims, type Head } from '../../src/models/zoo/contract.ts';

export const TINY_DIMS: Dims = { tokens: 6, text: 8, imageLogits: 10, imageFeatures: 12, events: 3 };

const SHAPES = columnShapes(TINY_DIMS);

/** Words that row i has; the rest of the row is padding. */
const lengthOf = (i: number, most: number): number => 2 + (i % (most - 1));

/** Value at a place of a row, by the rules of the column. */
function drawValue(column: Column, i: number, place: number, random: () => number): number {
  const drawn = random();
  switch (column) {
    case 'words':
      return Math.floor(place / 100) < lengthOf(i, 15) ? 2 * drawn - 1 : 0;
    case 'tokens':
      return Math.floor(place / TINY_DIMS.text) < lengthOf(i, TINY_DIMS.tokens) ? 2 * drawn - 1 : 0;
    case 'tokenMask':
      return place < lengthOf(i, TINY_DIMS.tokens) ? 1 : 0;
    case 'entities':
      return place < i % 5 ? 1 + Math.floor(18 * drawn) : 0;
    case 'present':
      return 1;
    case 'event':
      return (i % (TINY_DIMS.events + 1)) - 1;
    case 'pixels':
      return drawn;
    case 'sentence':
    case 'imageLogits':
    case 'imageFeatures':
      return 2 * drawn - 1;
  }
}

/** n rows of the columns, the same every time. The caller disposes of them. */
export function tinyBatch(tf: Tf, columns: readonly Column[], n: number): Batch {
  return Object.fromEntries(
    columns.map((column) => {
      const random = seededRandom(1 + COLUMNS.indexOf(column));
      const shape = SHAPES[column];
      const size = shape.reduce((product, side) => product * side, 1);
      const values = Float32Array.from({ length: n * size }, (_, k) =>
        drawValue(column, Math.floor(k / size), k % size, random),
      );
      return [column, tf.tensor(values, [n, ...shape]) as Tensor];
    }),
  );
}

/** Labels in the head's form, both classes in turns of uneven length. [n, outputs] */
export function tinyLabels(tf: Tf, head: Head, n: number): Tensor2D {
  const classes = Array.from({ length: n }, (_, i) => Number(i % 3 === 0));
  const rows =
    head.kind === 'softmax'
      ? classes.map((label) => Array.from({ length: head.outputs }, (_, k) => Number(k === label)))
      : classes.map((label) => Array.from({ length: head.outputs }, (_, k) => Number((label + k) % 2 === 1)));
  return tf.tensor2d(rows);
}

/** What examples look like to a network: columns of numbers, put together batch by batch. */
import type { Tensor } from '@tensorflow/tfjs';
import type { Tf } from '../models/engine/tf.ts';
import type { Batch, Column } from '../models/zoo/contract.ts';

/** The columns of a list of examples. */
export interface FeatureTable {
  readonly count: number;
  readonly columns: readonly Column[];
  /** These rows, in this order; the caller disposes of the tensors. Each column is [indexes.length, …]. */
  batch(tf: Tf, indexes: ArrayLike<number>): Batch;
}

/** A table with its answers. */
export interface Labelled {
  readonly table: FeatureTable;
  /** 0 or 1 for each output of a sigmoid head, one-hot for a softmax head; row by row. [count, outputs] */
  readonly labels: Float32Array;
}

/** Where the numbers of a column come from. */
export interface ColumnSource {
  /** Of one row. */
  readonly shape: readonly number[];
  /** Writes a row into `out`, which is as long as the shape says and full of zeros. */
  write(index: number, out: Float32Array): void;
}

/** A table over sources that write a row when it is asked for, so that large columns need no memory of their own. */
export function tableOf(
  count: number,
  sources: Readonly<Partial<Record<Column, ColumnSource>>>,
): FeatureTable {
  const entries = Object.entries(sources) as [Column, ColumnSource][];
  return {
    count,
    columns: entries.map(([column]) => column),
    batch: (tf, indexes) =>
      Object.fromEntries(
        entries.map(([column, { shape, write }]) => {
          const size = shape.reduce((product, side) => product * side, 1);
          const values = new Float32Array(indexes.length * size);
          for (let i = 0; i < indexes.length; i += 1)
            write(indexes[i] as number, values.subarray(i * size, (i + 1) * size));
          return [column, tf.tensor(values, [indexes.length, ...shape]) as Tensor];
        }),
      ),
  };
}

/** The words that may stand for each other: for every row of the word table its nearest neighbours by cosine. */
import type { Tf } from '../models/engine/tf.ts';

/** Rows per matrix product; 256 × 50,000 similarities are 51 MB. */
const CHUNK = 256;

export interface WordSpace {
  /** Word vectors; row 0 is zero. [rows, dimensions] */
  readonly vectors: Float32Array;
  readonly rows: number;
  readonly dimensions: number;
  /** Neighbours per row. */
  readonly n: number;
  /** The nearest first; a row's own word and row 0 are never among them. 0 where there is none. [rows, n] */
  readonly neighbours: Int32Array;
}

/**
 * Finds the neighbours of the given rows (models.md §1.4: nearest by cosine within the word table). Rows that are not
 * asked for have none, so they are never replaced.
 * @param table [rows, dimensions]
 * @param wanted rows whose neighbours are needed; all where left out
 */
export function buildWordSpace(
  tf: Tf,
  table: Float32Array,
  dimensions: number,
  n: number,
  wanted?: Iterable<number>,
): WordSpace {
  const rows = table.length / dimensions;
  const unit = normalised(table, dimensions);
  const neighbours = new Int32Array(rows * n);
  const ids = [...new Set(wanted ?? Array.from({ length: rows }, (_, i) => i))]
    .filter((id) => id > 0 && id < rows)
    .sort((a, b) => a - b);
  tf.tidy(() => {
    const all = tf.tensor2d(unit, [rows, dimensions]);
    for (let from = 0; from < ids.length; from += CHUNK) {
      const chunk = ids.slice(from, from + CHUNK);
      const product = tf.tidy(() => {
        const queries = new Float32Array(chunk.length * dimensions);
        chunk.forEach((id, i) => {
          queries.set(unit.subarray(id * dimensions, (id + 1) * dimensions), i * dimensions);
        });
        return tf.matMul(tf.tensor2d(queries, [chunk.length, dimensions]), all, false, true);
      });
      // Read out here: tidy looks for tensors in whatever it returns, and would go through these millions of numbers.
      const similar = product.dataSync() as Float32Array;
      product.dispose();
      chunk.forEach((id, i) => {
        const row = similar.subarray(i * rows, (i + 1) * rows);
        neighbours.set(nearest(row, id, n), id * n);
      });
    }
  });
  return { vectors: table, rows, dimensions, n, neighbours };
}

/** The `n` largest of a row of similarities, largest first; ties go to the smaller row number. */
function nearest(similar: Float32Array, self: number, n: number): Int32Array {
  const best = new Int32Array(n);
  const values = new Float64Array(n).fill(Number.NEGATIVE_INFINITY);
  let worst = Number.NEGATIVE_INFINITY;
  for (let id = 1; id < similar.length; id += 1) {
    const value = similar[id] as number;
    if (value <= worst || id === self) continue;
    let at = n - 1;
    while (at > 0 && value > (values[at - 1] as number)) {
      values[at] = values[at - 1] as number;
      best[at] = best[at - 1] as number;
      at -= 1;
    }
    values[at] = value;
    best[at] = id;
    worst = values[n - 1] as number;
  }
  return best;
}

/** Rows of length 1; a row of zeros stays zero. */
function normalised(table: Float32Array, dimensions: number): Float32Array {
  const unit = new Float32Array(table.length);
  for (let from = 0; from < table.length; from += dimensions) {
    let sum = 0;
    for (let k = from; k < from + dimensions; k += 1) sum += (table[k] as number) ** 2;
    const scale = sum > 0 ? 1 / Math.sqrt(sum) : 0;
    for (let k = from; k < from + dimensions; k += 1) unit[k] = (table[k] as number) * scale;
  }
  return unit;
}

/** Takes the packed outputs of an encoder apart. */
import { TocsinError } from '../../base/errors.ts';
import { fromHalves, halfTable } from '../half.ts';
import type { EncoderOutput, Packed } from './contract.ts';

export type Unpacked = Readonly<Partial<Record<EncoderOutput['name'], Float32Array>>>;

/** Values of an output; one vector's where it has as many as the text has tokens. */
export const valuesOf = (dims: readonly (number | null)[]): number =>
  dims.reduce<number>((size, dim) => size * (dim ?? 1), 1);

/** Whether a row of that many values can hold these outputs. */
export function fits(outputs: readonly EncoderOutput[], length: number): boolean {
  const free = outputs.at(-1);
  const rest = length - outputs.slice(0, -1).reduce((sum, { dims }) => sum + valuesOf(dims), 0);
  if (!free) return length === 0;
  return free.dims.includes(null)
    ? rest >= 0 && rest % valuesOf(free.dims) === 0
    : rest === valuesOf(free.dims);
}

/**
 * A function that writes one output of such rows into `out`, as much of it as `out` holds, and nothing else of the row.
 * Throws MODEL_INVALID where there is no such output.
 */
export function unpackerOf(
  outputs: readonly EncoderOutput[],
  name: EncoderOutput['name'],
): (row: Packed, out: Float32Array) => void {
  const table = halfTable();
  const at = outputs.findIndex((output) => output.name === name);
  const dims = outputs[at]?.dims;
  if (!dims) throw new TocsinError('MODEL_INVALID', `Unpacking vectors: there is no output ${name}.`);
  const from = outputs.slice(0, at).reduce((sum, output) => sum + valuesOf(output.dims), 0);
  const length = dims.includes(null) ? Number.POSITIVE_INFINITY : valuesOf(dims);
  return (row, out) => {
    fromHalves(row.subarray(from, from + Math.min(length, out.length)), table, out);
  };
}

/** A function that unpacks rows of these outputs. It throws BAD_RECORD for a row that cannot be one. */
export function unpacker(outputs: readonly EncoderOutput[]): (row: Packed) => Unpacked {
  const table = halfTable();
  return (row) => {
    if (!fits(outputs, row.length))
      throw new TocsinError('BAD_RECORD', `Unpacking vectors: ${row.length} values are not of this encoder.`);
    let from = 0;
    return Object.fromEntries(
      outputs.map(({ name, dims }) => {
        const end = dims.includes(null) ? row.length : from + valuesOf(dims);
        const values = fromHalves(row.subarray(from, end), table);
        from = end;
        return [name, values];
      }),
    );
  };
}

/** Takes the packed outputs of an encoder apart. */
import { TocsinError } from '../../base/errors.ts';
import { fromHalves, halfTable } from '../half.ts';
import type { EncoderOutput, Packed } from './contract.ts';

export type Unpacked = Readonly<Partial<Record<EncoderOutput['name'], Float32Array>>>;

const product = (dims: readonly (number | null)[]): number =>
  dims.reduce<number>((size, dim) => size * (dim ?? 1), 1);

/** Whether a row of that many values can hold these outputs. */
export function fits(outputs: readonly EncoderOutput[], length: number): boolean {
  const free = outputs.at(-1);
  const rest = length - outputs.slice(0, -1).reduce((sum, { dims }) => sum + product(dims), 0);
  if (!free) return length === 0;
  return free.dims.includes(null)
    ? rest >= 0 && rest % product(free.dims) === 0
    : rest === product(free.dims);
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
        const end = dims.includes(null) ? row.length : from + product(dims);
        const values = fromHalves(row.subarray(from, end), table);
        from = end;
        return [name, values];
      }),
    );
  };
}

/**
 * Reads the float tensors of a TensorFlow checkpoint in one shard ("tensor bundle"): a LevelDB table of names, shapes and
 * places, and the values one after the other (tensorflow/core/util/tensor_bundle).
 */
import { TocsinError } from '../../base/errors.ts';

export interface BundleTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const FLOAT = 1;
/** Two block handles and padding, then a magic number of 8 bytes. */
const FOOTER_BYTES = 48;

/** @param index `variables.index`; @param data `variables.data-00000-of-00001` */
export function readTensorBundle(index: Uint8Array, data: Uint8Array): Map<string, BundleTensor> {
  const tensors = new Map<string, BundleTensor>();
  const footer = reader(index.subarray(-FOOTER_BYTES));
  footer.varint(); // the index of filters, unused
  footer.varint();
  for (const [, handle] of blockEntries(index, footer.varint(), footer.varint())) {
    const place = reader(handle);
    for (const [key, entry] of blockEntries(index, place.varint(), place.varint())) {
      if (key === '') continue; // the header
      const fields = message(entry);
      if (number(fields, 1) !== FLOAT) continue;
      const shapeOf = bytes(fields, 2);
      const dims = shapeOf ? (message(shapeOf).get(2) ?? []) : [];
      const shape = dims.map((dim) => number(message(dim as Uint8Array), 1));
      const [offset, size] = [number(fields, 4), number(fields, 5)];
      if (size !== 4 * shape.reduce((a, b) => a * b, 1) || offset + size > data.length)
        throw new TocsinError('MODEL_INVALID', `Reading a checkpoint: ${key} has ${size} bytes.`);
      // Copied: floats need an address divisible by four.
      tensors.set(key, { shape, values: new Float32Array(data.slice(offset, offset + size).buffer) });
    }
  }
  return tensors;
}

interface Reader {
  readonly left: () => number;
  varint(): number;
  take(length: number): Uint8Array;
}

function reader(from: Uint8Array): Reader {
  let at = 0;
  return {
    left: () => from.length - at,
    varint() {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = from[at++] ?? 0;
        value += (byte & 127) * scale;
        if (byte < 128) return value;
      }
    },
    take(length) {
      at += length;
      return from.subarray(at - length, at);
    },
  };
}

/** Entries of a LevelDB block: each key says how much of the one before it keeps. */
function* blockEntries(table: Uint8Array, offset: number, size: number): Iterable<[string, Uint8Array]> {
  if (table[offset + size] !== 0)
    throw new TocsinError('MODEL_INVALID', 'Reading a checkpoint: its index is compressed.');
  const block = table.subarray(offset, offset + size);
  const restarts = Buffer.from(block.slice(-4)).readUInt32LE();
  const entries = reader(block.subarray(0, size - 4 - 4 * restarts));
  let key = Buffer.alloc(0);
  while (entries.left() > 0) {
    const [shared, added, length] = [entries.varint(), entries.varint(), entries.varint()];
    key = Buffer.concat([key.subarray(0, shared), entries.take(added)]);
    yield [key.toString('utf8'), entries.take(length)];
  }
}

type Fields = ReadonlyMap<number, readonly (number | Uint8Array)[]>;

/** A protocol-buffers message: all values of each field. */
function message(from: Uint8Array): Fields {
  const fields = new Map<number, (number | Uint8Array)[]>();
  const wire = reader(from);
  while (wire.left() > 0) {
    const tag = wire.varint();
    const kind = tag & 7;
    const value = kind === 0 ? wire.varint() : wire.take(kind === 2 ? wire.varint() : kind === 5 ? 4 : 8);
    fields.set(tag >>> 3, [...(fields.get(tag >>> 3) ?? []), value]);
  }
  return fields;
}

const number = (fields: Fields, field: number): number => (fields.get(field)?.[0] as number | undefined) ?? 0;
const bytes = (fields: Fields, field: number): Uint8Array | undefined =>
  fields.get(field)?.[0] as Uint8Array | undefined;

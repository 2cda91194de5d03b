/** TensorFlow checkpoints: a small one written here comes back; a damaged one is refused. */
import { describe, expect, it } from 'vitest';
import { bertOnnx, bertTokenizer } from '../../../../src/models/encoders/bert-onnx.ts';
import { readTensorBundle } from '../../../../src/models/encoders/tensor-bundle.ts';

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}

/** A block of [bytes of the last key that are kept, rest of the key, value]. */
const block = (entries: readonly (readonly [number, string, readonly number[]])[]): number[] => [
  ...entries.flatMap(([shared, key, value]) => [
    ...varint(shared),
    ...varint(key.length),
    ...varint(value.length),
    ...Buffer.from(key),
    ...value,
  ]),
  ...[0, 0, 0, 0, 1, 0, 0, 0], // one restart, at 0
];

/** BundleEntryProto: dtype, shape, offset, size. */
function entry(type: number, dims: readonly number[], offset: number, size: number): number[] {
  const shape = dims.flatMap((dim) => {
    const sized = [8, ...varint(dim)];
    return [18, sized.length, ...sized];
  });
  return [8, type, 18, shape.length, ...shape, 32, ...varint(offset), 40, ...varint(size), 53, 1, 2, 3, 4];
}

/** variables.index with one data block. */
function indexOf(data: readonly number[], compression = 0): Uint8Array {
  const trailer = [compression, 0, 0, 0, 0];
  const handle = [...varint(0), ...varint(data.length)];
  const top = block([[0, 'z', handle]]);
  const footer = [0, 0, ...varint(data.length + trailer.length), ...varint(top.length)];
  const padded = [...footer, ...Array(48 - footer.length).fill(0)];
  return Uint8Array.from([...data, ...trailer, ...top, 0, 0, 0, 0, 0, ...padded]);
}

const VALUES = Float32Array.from({ length: 206 }, (_, i) => i / 8);
const DATA = new Uint8Array(VALUES.buffer);
const TABLE = block([
  [0, '', [8, 1]],
  [0, 'layer/bias', entry(1, [6], 0, 24)],
  [6, 'kernel', entry(1, [2, 100], 24, 800)],
  [0, 'step', entry(9, [], 0, 8)],
]);

describe('readTensorBundle', () => {
  it('finds names, shapes and values, and leaves whole numbers out', () => {
    const tensors = readTensorBundle(indexOf(TABLE), DATA);
    expect([...tensors.keys()]).toEqual(['layer/bias', 'layer/kernel']);
    expect(tensors.get('layer/bias')).toEqual({ shape: [6], values: VALUES.subarray(0, 6) });
    expect(tensors.get('layer/kernel')).toEqual({ shape: [2, 100], values: VALUES.subarray(6) });
  });

  it('refuses values that are cut off, and a compressed index', () => {
    expect(() => readTensorBundle(indexOf(TABLE), DATA.subarray(0, 500))).toThrow(/layer\/kernel/);
    expect(() => readTensorBundle(indexOf(TABLE, 1), DATA)).toThrow(/compressed/);
  });
});

it('BERT is not written when weights are missing', () => {
  expect(() => bertOnnx(new Map())).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }));
});

it("BERT's tokeniser numbers tokens by line of the vocabulary", () => {
  const json = JSON.parse(bertTokenizer('[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nflood\n')) as {
    model: { vocab: Record<string, number> };
    post_processor: { special_tokens: Record<string, { ids: number[] }> };
  };
  expect(json.model.vocab['flood']).toBe(5);
  expect(json.post_processor.special_tokens['[SEP]']?.ids).toEqual([3]);
});

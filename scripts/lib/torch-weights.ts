/**
 * Reads the tensors of a PyTorch state dictionary in the format that PyTorch wrote before 1.6: five pickles, then the
 * storages. Only what such files contain is understood; anything else, above all any other class, is refused.
 */

interface Storage {
  readonly key: string;
  readonly type: string;
}

interface Strided {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

export interface TorchTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const ITEM_BYTES: Readonly<Record<string, number>> = { FloatStorage: 4, LongStorage: 8 };
const MARK = Symbol('mark');

/** The float tensors by name; whole-number ones (counters) are left out. */
export function readTorchWeights(file: Buffer): Map<string, TorchTensor> {
  let at = 0;
  const next = (): unknown => {
    const { value, end } = unpickle(file, at);
    at = end;
    return value;
  };
  for (let i = 0; i < 3; i += 1) next(); // magic number, protocol, the writer's system
  const tensors = next() as Map<string, Strided>;
  const keys = next() as string[];
  const types = new Map([...tensors.values()].map(({ storage }) => [storage.key, storage.type]));
  const storages = new Map<string, Buffer>();
  for (const key of keys) {
    const length = Number(file.readBigInt64LE(at)) * (ITEM_BYTES[types.get(key) as string] as number);
    storages.set(key, file.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  const floats = new Map<string, TorchTensor>();
  for (const [name, tensor] of tensors)
    if (tensor.storage.type === 'FloatStorage')
      floats.set(name, gather(tensor, storages.get(tensor.storage.key) as Buffer));
  return floats;
}

/** Tensors may be transposed views: values are put in row-major order of `shape`. */
function gather({ offset, shape, stride }: Strided, bytes: Buffer): TorchTensor {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const place = shape.map(() => 0);
  for (let i = 0; i < values.length; i += 1) {
    const from = place.reduce((sum, index, axis) => sum + index * (stride[axis] as number), offset);
    values[i] = bytes.readFloatLE(from * 4);
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      place[axis] = (place[axis] as number) + 1;
      if (place[axis] !== shape[axis]) break;
      place[axis] = 0;
    }
  }
  return { shape, values };
}

/** The classes that a state dictionary needs. */
const CLASSES: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  'collections.OrderedDict': () => new Map(),
  'torch._utils._rebuild_tensor_v2': ([storage, offset, shape, stride]) => ({
    storage,
    offset,
    shape,
    stride,
  }),
};

function unpickle(b: Buffer, start: number): { value: unknown; end: number } {
  const stack: unknown[] = [];
  const memo = new Map<number, unknown>();
  let at = start;
  const byte = (): number => b[at++] as number;
  /** Moves on by n bytes; gives where they begin. */
  const skip = (n: number): number => {
    at += n;
    return at - n;
  };
  const line = (): string => {
    const from = at;
    at = b.indexOf(10, at) + 1;
    return b.toString('latin1', from, at - 1);
  };
  const toMark = (): unknown[] => {
    const items = stack.splice(stack.lastIndexOf(MARK));
    return items.slice(1);
  };
  const put = (key: number): unknown => memo.set(key, stack.at(-1));
  const set = (pairs: readonly unknown[]): void => {
    const map = stack.at(-1) as Map<unknown, unknown>;
    for (let i = 0; i < pairs.length; i += 2) map.set(pairs[i], pairs[i + 1]);
  };
  const operations: Readonly<Record<string, () => unknown>> = {
    '\x80': () => skip(1), // PROTO
    '\x8a': () => {
      const length = byte(); // LONG1: only the magic number, which nobody asks for
      stack.push(skip(length));
    },
    K: () => stack.push(byte()), // BININT1
    M: () => stack.push(b.readUInt16LE(skip(2))), // BININT2
    J: () => stack.push(b.readInt32LE(skip(4))), // BININT
    X: () => {
      const length = b.readUInt32LE(skip(4)); // BINUNICODE
      stack.push(b.toString('utf8', skip(length), at));
    },
    '}': () => stack.push(new Map()), // EMPTY_DICT
    ']': () => stack.push([]), // EMPTY_LIST
    ')': () => stack.push([]), // EMPTY_TUPLE
    '(': () => stack.push(MARK), // MARK
    N: () => stack.push(null), // NONE
    '\x88': () => stack.push(true), // NEWTRUE
    '\x89': () => stack.push(false), // NEWFALSE
    q: () => put(byte()), // BINPUT
    r: () => put(b.readUInt32LE(skip(4))), // LONG_BINPUT
    h: () => stack.push(memo.get(byte())), // BINGET
    j: () => stack.push(memo.get(b.readUInt32LE(skip(4)))), // LONG_BINGET
    t: () => stack.push(toMark()), // TUPLE
    '\x85': () => stack.push([stack.pop()]), // TUPLE1
    '\x86': () => stack.push(stack.splice(-2)), // TUPLE2
    s: () => set(stack.splice(-2)), // SETITEM
    u: () => set(toMark()), // SETITEMS
    e: () => {
      const items = toMark(); // APPENDS
      (stack.at(-1) as unknown[]).push(...items);
    },
    c: () => stack.push(`${line()}.${line()}`), // GLOBAL
    R: () => {
      const [name, args] = stack.splice(-2) as [string, unknown[]]; // REDUCE
      const make = CLASSES[name];
      if (!make) throw new Error(`refused ${name}`);
      stack.push(make(args));
    },
    b: () => stack.pop(), // BUILD: the dictionary's metadata
    Q: () => {
      const [, type, key] = stack.pop() as [string, string, string]; // BINPERSID
      stack.push({ type: type.replace('torch.', ''), key });
    },
  };
  for (;;) {
    const code = String.fromCharCode(byte());
    if (code === '.') return { value: stack.pop(), end: at }; // STOP
    const operation = operations[code];
    if (!operation) throw new Error(`refused pickle operation ${JSON.stringify(code)}`);
    operation();
  }
}

/** Writes ONNX graphs: the leading dimension free, float32 unless a port says otherwise. */
import proto from 'onnx-proto';

const { onnx } = proto;
const { TensorProto, AttributeProto, ModelProto } = onnx;

/** Operators as of ONNX 1.8; every runtime of the last years has them. */
const OPSET = 13;
const IR_VERSION = 7;

type PortType = 'float32' | 'int64' | 'uint8';
const PORT_TYPES: Readonly<Record<PortType, number>> = {
  float32: TensorProto.DataType.FLOAT,
  int64: TensorProto.DataType.INT64,
  uint8: TensorProto.DataType.UINT8,
};

/** The number that a Cast's `to` takes for float32. */
export const FLOAT32: number = TensorProto.DataType.FLOAT;

export interface OnnxWeights {
  readonly name: string;
  readonly shape: readonly number[];
  /** A Uint16Array holds float16; the graph turns it into float32 by a Cast, which runtimes do once, at loading. */
  readonly values: Float32Array | Uint16Array;
}

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** Lists of integers (`kernel_shape`, `strides`, `axes`, `perm`). */
  readonly lists?: Readonly<Record<string, readonly number[]>>;
  /** Single integers (`axis`). */
  readonly numbers?: Readonly<Record<string, number>>;
  /** Single real numbers (`epsilon`). */
  readonly reals?: Readonly<Record<string, number>>;
  /** Words (`auto_pad`). */
  readonly words?: Readonly<Record<string, string>>;
}

/** Name and shape without the batch dimension. */
export interface OnnxPort {
  readonly name: string;
  /** A name instead of a number: free. */
  readonly shape: readonly (number | string)[];
  readonly type?: PortType;
}

export interface OnnxGraph {
  readonly name: string;
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  readonly nodes: readonly OnnxNode[];
  readonly weights: readonly OnnxWeights[];
  /** Integer constants, e.g. axes that an operator takes as an input. */
  readonly integers?: Readonly<Record<string, readonly number[]>>;
  /** Version of the operators; the default is the oldest that has them all. */
  readonly opset?: number;
}

/** The bytes of an .onnx file. Equal graphs give equal bytes. */
export function encodeOnnx(graph: OnnxGraph): Uint8Array {
  return ModelProto.encode({
    irVersion: IR_VERSION,
    producerName: 'tocsin',
    opsetImport: [{ domain: '', version: graph.opset ?? OPSET }],
    graph: {
      name: graph.name,
      input: graph.inputs.map(port),
      output: graph.outputs.map(port),
      node: graph.nodes.map(({ op, inputs, output, lists = {}, numbers = {}, reals = {}, words = {} }) => ({
        opType: op,
        name: output,
        input: [...inputs],
        output: [output],
        attribute: [
          ...Object.entries(lists).map(([name, ints]) => ({
            name,
            type: AttributeProto.AttributeType.INTS,
            ints: [...ints],
          })),
          ...Object.entries(numbers).map(([name, i]) => ({
            name,
            type: AttributeProto.AttributeType.INT,
            i,
          })),
          ...Object.entries(reals).map(([name, f]) => ({
            name,
            type: AttributeProto.AttributeType.FLOAT,
            f,
          })),
          ...Object.entries(words).map(([name, word]) => ({
            name,
            type: AttributeProto.AttributeType.STRING,
            s: Buffer.from(word),
          })),
        ],
      })),
      initializer: [
        ...graph.weights.map(({ name, shape, values }) => ({
          name,
          dims: [...shape],
          dataType:
            values instanceof Float32Array ? TensorProto.DataType.FLOAT : TensorProto.DataType.FLOAT16,
          rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
        })),
        ...Object.entries(graph.integers ?? {}).map(([name, values]) => ({
          name,
          dims: [values.length],
          dataType: TensorProto.DataType.INT64,
          int64Data: [...values],
        })),
      ],
    },
  }).finish();
}

const port = ({ name, shape, type = 'float32' }: OnnxPort): proto.onnx.IValueInfoProto => ({
  name,
  type: {
    tensorType: {
      elemType: PORT_TYPES[type],
      shape: {
        dim: ['batch', ...shape].map((size) =>
          typeof size === 'string' ? { dimParam: size } : { dimValue: size },
        ),
      },
    },
  },
});

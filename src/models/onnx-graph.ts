/** Writes small ONNX graphs: float32 in, float32 out, the leading dimension free. */
import proto from 'onnx-proto';

const { onnx } = proto;
const { TensorProto, AttributeProto, ModelProto } = onnx;

/** Operators as of ONNX 1.8; every runtime of the last years has them. */
const OPSET = 13;
const IR_VERSION = 7;

export interface OnnxWeights {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** Lists of integers (`kernel_shape`, `strides`, `axes`, `perm`). */
  readonly lists?: Readonly<Record<string, readonly number[]>>;
  /** Single integers (`axis`). */
  readonly numbers?: Readonly<Record<string, number>>;
}

/** Name and shape without the batch dimension. */
export interface OnnxPort {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface OnnxGraph {
  readonly name: string;
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  readonly nodes: readonly OnnxNode[];
  readonly weights: readonly OnnxWeights[];
  /** Integer constants, e.g. axes that an operator takes as an input. */
  readonly integers?: Readonly<Record<string, readonly number[]>>;
}

/** The bytes of an .onnx file. Equal graphs give equal bytes. */
export function encodeOnnx(graph: OnnxGraph): Uint8Array {
  return ModelProto.encode({
    irVersion: IR_VERSION,
    producerName: 'tocsin',
    opsetImport: [{ domain: '', version: OPSET }],
    graph: {
      name: graph.name,
      input: graph.inputs.map(port),
      output: graph.outputs.map(port),
      node: graph.nodes.map(({ op, inputs, output, lists = {}, numbers = {} }) => ({
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
        ],
      })),
      initializer: [
        ...graph.weights.map(({ name, shape, values }) => ({
          name,
          dims: [...shape],
          dataType: TensorProto.DataType.FLOAT,
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

const port = ({ name, shape }: OnnxPort): proto.onnx.IValueInfoProto => ({
  name,
  type: {
    tensorType: {
      elemType: TensorProto.DataType.FLOAT,
      shape: { dim: [{ dimParam: 'batch' }, ...shape.map((dimValue) => ({ dimValue }))] },
    },
  },
});

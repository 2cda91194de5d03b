/**
 * A graph that reads word vectors → the same graph over rows of the word table. ONNX Runtime looks vectors up several times as
 * fast as a loop here copies them (docs/performance.md), and to the same bits, since every float16 is a float32. The table is an
 * input and no weight: so it is never copied, and a model is no larger than its file.
 */
import proto from 'onnx-proto';
import { MAX_WORDS, WORD_DIMENSIONS } from '../words.ts';

const { AttributeProto, ModelProto, TensorProto } = proto.onnx;
const { FLOAT, FLOAT16, INT32 } = TensorProto.DataType;

/** The input that is replaced. [b, 15, 100] float32 */
const WORDS = 'words';
/** The inputs in its place: [b, 15] int32 and [rows, 100] float16. */
export const ROWS = 'word_rows';
export const TABLE = 'word_table';
const HALVES = 'word_halves';

const port = (name: string, elemType: number, dim: proto.onnx.TensorShapeProto.IDimension[]) => ({
  name,
  type: { tensorType: { elemType, shape: { dim } } },
});

const INPUTS = [
  port(ROWS, INT32, [{ dimParam: 'batch' }, { dimValue: MAX_WORDS }]),
  port(TABLE, FLOAT16, [{ dimParam: 'rows' }, { dimValue: WORD_DIMENSIONS }]),
];
const NODES = [
  { opType: 'Gather', name: HALVES, input: [TABLE, ROWS], output: [HALVES] },
  {
    opType: 'Cast',
    name: WORDS,
    input: [HALVES],
    output: [WORDS],
    attribute: [{ name: 'to', type: AttributeProto.AttributeType.INT, i: FLOAT }],
  },
];

/** @param model bytes of an .onnx file */
export function overRows(model: Uint8Array): Uint8Array {
  const whole = ModelProto.decode(model);
  const { graph } = whole;
  if (!graph) throw new Error('there is no graph');
  graph.input = [...INPUTS, ...(graph.input ?? []).filter(({ name }) => name !== WORDS)];
  graph.node = [...NODES, ...(graph.node ?? [])];
  return ModelProto.encode(whole).finish();
}

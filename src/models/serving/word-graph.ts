/**
 * A graph that reads word vectors → the same graph over rows of the word table, which then is a part of it. ONNX Runtime
 * looks vectors up several times as fast as a loop here copies them (measured: docs/performance.md), and to the same bits,
 * since every float16 is a float32.
 */
import proto from 'onnx-proto';
import { encodeOnnx, FLOAT32 } from '../onnx-graph.ts';
import { MAX_WORDS, WORD_DIMENSIONS } from '../words.ts';

const { ModelProto } = proto.onnx;

/** The input that is replaced. [b, 15, 100] float32 */
const WORDS = 'words';

/** rows [b, 15] int32 → words [b, 15, 100] float32 */
const lookUp = (halves: Uint16Array): Uint8Array =>
  encodeOnnx({
    name: 'words',
    inputs: [{ name: 'word_rows', shape: [MAX_WORDS], type: 'int32' }],
    outputs: [{ name: WORDS, shape: [MAX_WORDS, WORD_DIMENSIONS] }],
    nodes: [
      { op: 'Gather', inputs: ['word_table', 'word_rows'], output: 'word_halves' },
      { op: 'Cast', inputs: ['word_halves'], output: WORDS, numbers: { to: FLOAT32 } },
    ],
    weights: [
      { name: 'word_table', shape: [halves.length / WORD_DIMENSIONS, WORD_DIMENSIONS], values: halves },
    ],
  });

/** @param halves the word vectors, float16 [rows, 100] */
export function withWords(model: Uint8Array, halves: Uint16Array): Uint8Array {
  const [front, whole] = [ModelProto.decode(lookUp(halves)), ModelProto.decode(model)];
  const { graph } = whole;
  if (!front.graph || !graph) throw new Error('there is no graph');
  graph.input = [...(front.graph.input ?? []), ...(graph.input ?? []).filter(({ name }) => name !== WORDS)];
  graph.node = [...(front.graph.node ?? []), ...(graph.node ?? [])];
  graph.initializer = [...(front.graph.initializer ?? []), ...(graph.initializer ?? [])];
  return ModelProto.encode(whole).finish();
}

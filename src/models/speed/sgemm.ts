/** The machine's limit for single-precision matrix products, as ONNX Runtime reaches it: what networks are measured against. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { encodeOnnx } from '../onnx-graph.ts';
import type { Contender } from './rates.ts';

/** Side of the matrices: both and the product fill 12 MB, larger ones are not faster. */
const SIDE = 1_024;
const GIGAFLOP = (2 * SIDE ** 3) / 1e9;

export interface Sgemm extends Contender {
  close(): Promise<void>;
}

/** One product of two 1,024 × 1,024 matrices a step; counted in GFLOP, so that a rate is GFLOP/s. */
export async function openSgemm(threads: number): Promise<Sgemm> {
  const graph = encodeOnnx({
    name: 'sgemm',
    inputs: [
      { name: 'a', shape: [SIDE] },
      { name: 'b', shape: [SIDE] },
    ],
    outputs: [{ name: 'c', shape: [SIDE] }],
    nodes: [{ op: 'MatMul', inputs: ['a', 'b'], output: 'c' }],
    weights: [],
  });
  const session = await InferenceSession.create(graph, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const matrix = (): Tensor =>
    new Tensor(
      'float32',
      Float32Array.from({ length: SIDE * SIDE }, (_, i) => (i % 17) / 17),
      [SIDE, SIDE],
    );
  const feeds = { a: matrix(), b: matrix() };
  return { samples: GIGAFLOP, step: () => session.run(feeds), close: () => session.release() };
}

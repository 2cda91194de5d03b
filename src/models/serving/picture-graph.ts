/**
 * Bytes of pictures → numbers in [0, 1], as a graph of its own: ONNX Runtime does it three times as fast as a loop over the
 * bytes, and to the same bits, since a byte divided by 255 rounds the same way.
 */
import { encodeOnnx, FLOAT32 } from '../onnx-graph.ts';
import { PICTURE_SIDE } from '../zoo/branches.ts';

const SHAPE = [PICTURE_SIDE, PICTURE_SIDE, 3];

/** bytes [b, 64, 64, 3] uint8 → pictures [b, 64, 64, 3] float32 */
export const pictureGraph = (): Uint8Array =>
  encodeOnnx({
    name: 'pictures',
    inputs: [{ name: 'bytes', shape: SHAPE, type: 'uint8' }],
    outputs: [{ name: 'pictures', shape: SHAPE }],
    nodes: [
      { op: 'Cast', inputs: ['bytes'], output: 'numbers', numbers: { to: FLOAT32 } },
      { op: 'Div', inputs: ['numbers', 'largest'], output: 'pictures' },
    ],
    weights: [{ name: 'largest', shape: [1], values: Float32Array.of(255) }],
  });

/**
 * Gradient kernels for tfjs' wasm backend, so that convolutional models train on it.
 *
 * tfjs 4.22 has no `Conv2DBackpropFilter` for wasm (tfjs#8474) and no `UnsortedSegmentSum`, which a trainable embedding
 * and every gradient of `gather` need; three others are slow enough to dominate a step of
 * the MMN: the input gradient of a convolution, the gradient of max pooling, and matrix products with a transposed
 * operand. Each one here is written with kernels that wasm runs fast; shapes they do not cover go to the original.
 * Checked against the cpu backend in test/unit/models/engine.
 */
import type { KernelConfig, Tensor, Tensor2D, Tensor4D, TensorInfo } from '@tensorflow/tfjs';
import type { Tf } from './tf.ts';

type Kernel = KernelConfig['kernelFunc'];
type KernelArguments = Parameters<Kernel>[0];

/** What the kernels use of the wasm backend beyond tfjs' public types. */
interface WasmBackend {
  incRef(dataId: object): void;
  makeOutput(shape: number[], dtype: TensorInfo['dtype']): TensorInfo;
  /** Over the wasm heap; gone when the heap grows, so call `makeOutput` first. */
  typedArrayFromHeap(info: TensorInfo): Float32Array;
}

/** Registers the kernels that are missing and, unless only those are asked for, replaces the slow ones; once per process. */
export function registerWasmKernels(tf: Tf, kernels: 'all' | 'missing'): void {
  if (tf.getKernel('Conv2DBackpropFilter', 'wasm')) return;
  tf.registerKernel({
    kernelName: 'Conv2DBackpropFilter',
    backendName: 'wasm',
    kernelFunc: (call) => filterGradient(tf, call),
  });
  tf.registerKernel({ kernelName: 'UnsortedSegmentSum', backendName: 'wasm', kernelFunc: segmentSum });
  if (kernels === 'missing') return;
  replace(tf, 'Conv2DBackpropInput', (call, original) => inputGradient(tf, call) ?? original(call));
  replace(tf, 'MaxPoolGrad', (call, original) => maxPoolGradient(tf, call) ?? original(call));
  replace(tf, 'BatchMatMul', (call, original) => transposedProduct(tf, call, original) ?? original(call));
}

function replace(
  tf: Tf,
  name: string,
  kernel: (call: KernelArguments, original: Kernel) => ReturnType<Kernel>,
): void {
  const registered = tf.getKernel(name, 'wasm');
  tf.unregisterKernel(name, 'wasm');
  tf.registerKernel({ ...registered, kernelFunc: (call) => kernel(call, registered.kernelFunc) });
}

/** A tensor over the memory of a kernel's input. The extra reference keeps the input alive when the tensor goes. */
function tensorOf<T extends Tensor>(tf: Tf, call: KernelArguments, info: TensorInfo): T {
  (call.backend as WasmBackend).incRef(info.dataId);
  return tf.engine().makeTensorFromDataId(info.dataId, info.shape, info.dtype) as T;
}

const pair = (strides: unknown): [number, number] =>
  Array.isArray(strides) ? [strides[0], strides[1]] : [strides as number, strides as number];

/**
 * dLoss/dFilter of a convolution as one matrix product: transposed patches of x times dy.
 * x [n, h, w, c], dy [n, oh, ow, o] → [kh, kw, c, o]; any stride and padding, NHWC.
 */
function filterGradient(tf: Tf, call: KernelArguments): TensorInfo {
  const { x, dy } = call.inputs as { x: TensorInfo; dy: TensorInfo };
  const { strides, pad, dimRoundingMode, filterShape, dataFormat } = call.attrs as {
    strides: unknown;
    pad: 'valid' | 'same' | number;
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
    filterShape: [number, number, number, number];
    dataFormat: string;
  };
  if (dataFormat !== 'NHWC') throw new Error(`Conv2DBackpropFilter: ${dataFormat} is not covered, only NHWC`);
  const [sh, sw] = pair(strides);
  const { padInfo } = tf.backend_util.computeConv2DInfo(
    x.shape as [number, number, number, number],
    filterShape,
    [sh, sw],
    1,
    pad,
    dimRoundingMode,
  );
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const [, oh, ow, o] = dy.shape as [number, number, number, number];
  const [kh, kw] = filterShape;
  const backend = call.backend as WasmBackend;
  const places = n * oh * ow;
  const info = backend.makeOutput([kh * kw * c, places], 'float32');
  const input = backend.typedArrayFromHeap(x);
  const patches = backend.typedArrayFromHeap(info).fill(0);
  for (let i = 0; i < kh; i += 1)
    for (let j = 0; j < kw; j += 1) {
      const row = (i * kw + j) * c * places;
      // Columns whose pixel lies inside the picture; the rest of the patch is padding and stays 0.
      const first = Math.max(0, Math.ceil((padInfo.left - j) / sw));
      const last = Math.min(ow - 1, Math.floor((w - 1 + padInfo.left - j) / sw));
      for (let b = 0; b < n; b += 1)
        for (let y = 0; y < oh; y += 1) {
          const line = y * sh + i - padInfo.top;
          if (line < 0 || line >= h) continue;
          for (let z = first; z <= last; z += 1) {
            let from = ((b * h + line) * w + z * sw + j - padInfo.left) * c;
            let to = row + (b * oh + y) * ow + z;
            for (const end = from + c; from < end; from += 1, to += places)
              patches[to] = input[from] as number;
          }
        }
    }
  return tf.tidy(() => {
    const gradient = tf.matMul(
      tf.engine().makeTensorFromTensorInfo(info) as Tensor2D,
      tf.reshape(tensorOf<Tensor4D>(tf, call, dy), [places, o]),
    );
    return tf.reshape(gradient, filterShape);
  });
}

/** dLoss/dInput of a convolution with stride 1: dy convolved with the filter turned around. Else null. */
function inputGradient(tf: Tf, call: KernelArguments): TensorInfo | null {
  const { dy, filter } = call.inputs as { dy: TensorInfo; filter: TensorInfo };
  const { strides, pad, dimRoundingMode, inputShape, dataFormat } = call.attrs as {
    strides: unknown;
    pad: 'valid' | 'same' | number;
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
    inputShape: [number, number, number, number];
    dataFormat: string;
  };
  const [sh, sw] = pair(strides);
  if (sh !== 1 || sw !== 1 || dataFormat !== 'NHWC') return null;
  const { padInfo } = tf.backend_util.computeConv2DInfo(
    inputShape,
    filter.shape as [number, number, number, number],
    1,
    1,
    pad,
    dimRoundingMode,
  );
  const [kh, kw] = filter.shape as [number, number, number, number];
  const { top, left, bottom, right } = padInfo;
  return tf.tidy(() => {
    const turned = tf.transpose(tf.reverse(tensorOf<Tensor4D>(tf, call, filter), [0, 1]), [0, 1, 3, 2]);
    const padded = tf.pad(tensorOf<Tensor4D>(tf, call, dy), [
      [0, 0],
      [kh - 1 - top, kh - 1 - bottom],
      [kw - 1 - left, kw - 1 - right],
      [0, 0],
    ]);
    return tf.conv2d(padded, turned as Tensor4D, 1, 'valid');
  });
}

/**
 * dLoss/dInput of 2×2 max pooling with stride 2: the first largest of the four takes it all. Else null.
 * An odd last row or column belongs to no window (`valid`, gets zero) or to a smaller one (`same`); there tfjs' own
 * wasm kernel differs from the cpu backend.
 */
function maxPoolGradient(tf: Tf, call: KernelArguments): TensorInfo | null {
  const { dy, input } = call.inputs as { dy: TensorInfo; input: TensorInfo };
  const { filterSize, strides, pad, dimRoundingMode } = call.attrs as {
    filterSize: number | [number, number];
    strides: number | [number, number];
    pad: 'valid' | 'same' | number;
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
  };
  const shape = input.shape as [number, number, number, number];
  const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  if (info.filterHeight !== 2 || info.filterWidth !== 2 || info.strideHeight !== 2 || info.strideWidth !== 2)
    return null;
  if (info.padInfo.top || info.padInfo.left) return null;
  const backend = call.backend as WasmBackend;
  const out = backend.makeOutput(shape, 'float32');
  const x = backend.typedArrayFromHeap(input);
  const d = backend.typedArrayFromHeap(dy);
  const result = backend.typedArrayFromHeap(out).fill(0);
  const [n, h, w, c] = shape;
  const row = w * c;
  let q = 0;
  for (let b = 0; b < n; b += 1)
    for (let y = 0; y < info.outHeight; y += 1)
      for (let z = 0; z < info.outWidth; z += 1) {
        const corner = ((b * h + 2 * y) * w + 2 * z) * c;
        const wide = 2 * z + 1 < w;
        const high = 2 * y + 1 < h;
        for (let p0 = corner; p0 < corner + c; p0 += 1, q += 1) {
          const p2 = p0 + row;
          let best = p0;
          if (wide && (x[p0 + c] as number) > (x[best] as number)) best = p0 + c;
          if (high && (x[p2] as number) > (x[best] as number)) best = p2;
          if (wide && high && (x[p2 + c] as number) > (x[best] as number)) best = p2 + c;
          result[best] = d[q] as number;
        }
      }
  return out;
}

/** Rows of x summed by their segment; a negative segment drops its row. x [n, …], segmentIds [n] → [numSegments, …] */
function segmentSum(call: KernelArguments): TensorInfo {
  const { x, segmentIds } = call.inputs as { x: TensorInfo; segmentIds: TensorInfo };
  const { numSegments } = call.attrs as { numSegments: number };
  const backend = call.backend as WasmBackend;
  const out = backend.makeOutput([numSegments, ...x.shape.slice(1)], x.dtype);
  const rows = backend.typedArrayFromHeap(x);
  const ids = backend.typedArrayFromHeap(segmentIds);
  const sums = backend.typedArrayFromHeap(out).fill(0);
  const width = x.shape.slice(1).reduce((a, b) => a * b, 1);
  ids.forEach((id, row) => {
    if (id < 0 || id >= numSegments) return;
    for (let k = 0; k < width; k += 1)
      sums[id * width + k] = (sums[id * width + k] as number) + (rows[row * width + k] as number);
  });
  return out;
}

/** A 2-D product with transposed operands: transposes first, because only the plain product is fast. Else null. */
function transposedProduct(tf: Tf, call: KernelArguments, product: Kernel): TensorInfo | null {
  const { a, b } = call.inputs as { a: TensorInfo; b: TensorInfo };
  const { transposeA, transposeB } = call.attrs as { transposeA: boolean; transposeB: boolean };
  const flat = (info: TensorInfo): boolean => info.shape.length === 2 || info.shape[0] === 1;
  if (!(transposeA || transposeB) || !flat(a) || !flat(b)) return null;
  const turn = (info: TensorInfo): Tensor =>
    tf.transpose(tensorOf(tf, call, info), info.shape.length === 2 ? [1, 0] : [0, 2, 1]);
  return tf.tidy(() => {
    const result = product({
      ...call,
      inputs: { a: transposeA ? turn(a) : a, b: transposeB ? turn(b) : b },
      attrs: { transposeA: false, transposeB: false },
    }) as TensorInfo;
    return tf.engine().makeTensorFromTensorInfo(result);
  });
}

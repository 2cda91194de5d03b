/** tfjs on WebAssembly, with the gradient kernels it lacks: runs wherever Node runs. */
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { TocsinError } from '../../base/errors.ts';
import type { Tf } from './tf.ts';
import { registerWasmKernels } from './wasm-kernels.ts';

const LISTENED = ['uncaughtException', 'unhandledRejection'] as const;

export async function openWasm(kernels: 'all' | 'missing'): Promise<Tf> {
  tf.enableProdMode();
  const listeners = LISTENED.map((event) => new Set(process.listeners(event as 'uncaughtException')));
  if (!(await tf.setBackend('wasm')))
    throw new TocsinError('DEPENDENCY_MISSING', 'Opening the tensor engine: WebAssembly did not start.');
  await tf.ready();
  // The wasm loader hangs handlers on the process that throw again what they are given; a library must not do that.
  LISTENED.forEach((event, i) => {
    for (const listener of process.listeners(event as 'uncaughtException'))
      if (!listeners[i]?.has(listener)) process.off(event, listener);
  });
  registerWasmKernels(tf, kernels);
  return tf;
}

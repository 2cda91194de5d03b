/**
 * The tensor engine that models are defined, trained and attacked on: tfjs on the fastest backend that this machine has.
 *
 * tfjs-node computes in the calling thread and blocks it for a whole step, so nothing that serves may load this file
 * (.dependency-cruiser.cjs, `serving-never-loads-the-engine`): models are served by ONNX Runtime.
 */
import { TocsinError } from '../../base/errors.ts';
import { cacheDir } from '../../config/cache.ts';
import { type BackendName, backendsToTry, probeBackends } from './backends.ts';
import { registerFlatGradients } from './flat-gradients.ts';
import { loadNative, nativeDir, nativeFacts } from './native.ts';
import type { Tf } from './tf.ts';

export interface EngineOptions {
  /** `auto` takes the fastest that is present and loads. */
  readonly backend?: BackendName | 'auto';
  /** `missing` leaves wasm its slow kernels and adds only those that it lacks; for comparison. */
  readonly wasmKernels?: 'all' | 'missing';
  /** Where `npm run native` has put its builds. */
  readonly cacheDir?: string;
  /** Called once with the backend that was taken and why. */
  readonly report?: (name: BackendName, reason: string) => void;
}

/**
 * Opens the engine. tfjs keeps one backend per process: the one that was opened last is in force, and opening the same
 * one again gives the same engine. Throws DEPENDENCY_MISSING when the backend that was asked for is not to be had.
 */
export async function openEngine(options: EngineOptions = {}): Promise<Tf> {
  const { backend = 'auto', wasmKernels = 'all', cacheDir: cache = cacheDir(), report } = options;
  const failures: string[] = [];
  for (const { name, reason } of backendsToTry(backend, probeBackends(cache))) {
    try {
      const tf =
        name === 'wasm'
          ? await (await import('./wasm.ts')).openWasm(wasmKernels)
          : await openNative(cache, name);
      registerFlatGradients(tf);
      report?.(name, [reason, ...failures].join('; '));
      return tf;
    } catch (cause) {
      if (backend !== 'auto' || name === 'wasm')
        throw new TocsinError('DEPENDENCY_MISSING', `Opening the tensor engine ${name}: it does not load.`, {
          cause,
        });
      failures.push(
        `${name} does not load (${cause instanceof Error ? cause.message.split('\n')[0] : cause})`,
      );
    }
  }
  throw new TocsinError('DEPENDENCY_MISSING', `Opening the tensor engine: ${failures.join('; ')}.`);
}

async function openNative(cache: string, name: 'tfjs-node' | 'tfjs-node-gpu'): Promise<Tf> {
  const tf = loadNative(nativeDir(cache, name), name);
  await tf.setBackend('tensorflow');
  if (name === 'tfjs-node-gpu' && !nativeFacts(tf).usesGpu)
    throw new TocsinError('DEPENDENCY_MISSING', 'TensorFlow finds no GPU that it can use.');
  return tf;
}

/** The engine in a few words, as manifests carry it: `tfjs 4.22.0 wasm`, `tfjs-node 4.22.0 TensorFlow 2.16.2`. */
export function describeEngine(tf: Tf): string {
  if (tf.getBackend() !== 'tensorflow') return `tfjs ${tf.version.tfjs} ${tf.getBackend()}`;
  const { tensorflow, usesGpu } = nativeFacts(tf);
  return `tfjs-node${usesGpu ? '-gpu' : ''} ${tf.version.tfjs} TensorFlow ${tensorflow}`;
}

/** The tfjs-node addons that `npm run native` builds: what they are made of, where they lie, how one is loaded. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import util from 'node:util';
import { quietTensorflow } from '../../config/tensorflow.ts';
import type { Tf } from './tf.ts';

export type NativeBackend = 'tfjs-node' | 'tfjs-node-gpu';

interface NativeBuild {
  /** npm package of the addon; its locked dependencies are in deploy/native/<backend>. */
  readonly package: string;
  readonly version: string;
  /** The Python wheel that libtensorflow and its headers are taken from (CPython 3.11, Linux x64; no Python runs). */
  readonly wheel: { readonly name: string; readonly version: string; readonly sha256: string };
}

/** Newer TensorFlows than the one tfjs-node 4.22 names (2.9.1): its C API has not changed, and 2.18 brings CUDA 12. */
export const NATIVE_BUILDS: Readonly<Record<NativeBackend, NativeBuild>> = {
  'tfjs-node': {
    package: '@tensorflow/tfjs-node',
    version: '4.22.0',
    wheel: {
      name: 'tensorflow-cpu',
      version: '2.16.2',
      sha256: 'c855cb6bf05d32dd5928086b03a5f6b4189b63c22b95e017703cbee4291023ca',
    },
  },
  'tfjs-node-gpu': {
    package: '@tensorflow/tfjs-node-gpu',
    version: '4.22.0',
    wheel: {
      name: 'tensorflow',
      version: '2.18.1',
      sha256: 'c9f87e5d2a680a4595f5dc30daf6bbaec9d4129b46d7ef1b2af63c46ac7d2828',
    },
  },
};

/** Written last, so its presence says that the build passed its smoke test: sha256 of each binary, by path. */
export const BUILT_FILE = 'built.json';

/** Folder of a build; another version has another folder. */
export function nativeDir(cacheDir: string, backend: NativeBackend): string {
  const { version, wheel } = NATIVE_BUILDS[backend];
  return join(cacheDir, `${backend}-${version}-tensorflow-${wheel.version}`);
}

export function isBuilt(cacheDir: string, backend: NativeBackend): boolean {
  return existsSync(join(nativeDir(cacheDir, backend), BUILT_FILE));
}

/** What tfjs-node adds to the tensor library. */
interface NativeBinding {
  readonly binding: { readonly TF_Version: string };
  readonly isUsingGpuDevice: boolean;
}

/** Loads an addon from its folder: tfjs with the native backend in force. Throws what Node's loader throws. */
export function loadNative(dir: string, backend: NativeBackend): Tf {
  quietTensorflow();
  // Node 23 dropped two functions that tfjs-node 4.22 calls (tfjs#8425, fixed but never released).
  const old = util as unknown as Record<string, unknown>;
  old['isNullOrUndefined'] ??= (value: unknown): boolean => value === null || value === undefined;
  old['isArray'] ??= Array.isArray;
  const tf = createRequire(join(dir, 'package.json'))(NATIVE_BUILDS[backend].package) as Tf;
  tf.enableProdMode();
  return tf;
}

/** What a loaded addon says about itself. */
export function nativeFacts(tf: Tf): { readonly tensorflow: string; readonly usesGpu: boolean } {
  const { binding, isUsingGpuDevice } = tf.backend() as unknown as NativeBinding;
  return { tensorflow: binding.TF_Version, usesGpu: isUsingGpuDevice };
}

/** Which tensor backends this machine has, and which one is taken. Looks at files only; loads nothing. */
import { existsSync } from 'node:fs';
import { TocsinError } from '../../base/errors.ts';
import { isBuilt, NATIVE_BUILDS, type NativeBackend } from './native.ts';

/** Fastest first. */
export const BACKENDS: readonly ['tfjs-node-gpu', 'tfjs-node', 'wasm'] = [
  'tfjs-node-gpu',
  'tfjs-node',
  'wasm',
];

export type BackendName = (typeof BACKENDS)[number];

export interface BackendState {
  readonly name: BackendName;
  readonly present: boolean;
  /** Why it is there or not, and what would change that. */
  readonly reason: string;
}

/** Device files of an NVIDIA GPU: Linux, and Linux under Windows. */
const GPU_FILES: readonly string[] = ['/dev/nvidia0', '/dev/dxg'];

/** Every backend, fastest first. */
export function probeBackends(
  cacheDir: string,
  hasGpu: boolean = GPU_FILES.some((file) => existsSync(file)),
): readonly BackendState[] {
  const native = (name: NativeBackend, command: string): { present: boolean; reason: string } => {
    const { version, wheel } = NATIVE_BUILDS[name];
    return isBuilt(cacheDir, name)
      ? { present: true, reason: `${version} built with TensorFlow ${wheel.version}` }
      : { present: false, reason: `not built; ${command} does it` };
  };
  const gpu = native('tfjs-node-gpu', 'npm run native -- --gpu');
  return [
    { name: 'tfjs-node-gpu', ...(hasGpu ? gpu : { present: false, reason: 'no NVIDIA GPU here' }) },
    { name: 'tfjs-node', ...native('tfjs-node', 'npm run native') },
    { name: 'wasm', present: true, reason: 'comes with the packages, runs everywhere' },
  ];
}

/** The backends to try, in order: the one that was asked for, or for `auto` all that are present. */
export function backendsToTry(
  asked: BackendName | 'auto',
  states: readonly BackendState[],
): readonly BackendState[] {
  const present = states.filter((state) => state.present);
  if (asked === 'auto') return present;
  const found = present.find(({ name }) => name === asked);
  if (found) return [found];
  const reason = states.find(({ name }) => name === asked)?.reason;
  throw new TocsinError('DEPENDENCY_MISSING', `Opening the tensor engine ${asked}: ${reason}.`);
}

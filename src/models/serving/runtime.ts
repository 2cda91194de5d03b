/** The ONNX Runtime that serves. */
import { env } from 'onnxruntime-node';

/** Its version; the import above has loaded its library. */
export function onnxRuntimeVersion(): string {
  return env.versions.node ?? env.versions.common;
}

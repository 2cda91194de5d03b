/**
 * npm run native: builds tfjs-node for this machine into the cache folder (TOCSIN_CACHE, else ~/.cache/tocsin); training is
 * many times faster with it. Does nothing but check when it is there already.
 *   --gpu     tfjs-node-gpu with the CUDA 12 build of TensorFlow instead
 *   --force   builds anew
 * Ends with 0: ready; 4: this platform, a tool or a registry is not to be had (everything works without, on WebAssembly);
 * 1: anything else.
 */
import { install, ROOT, requireNode } from './lib/setup.mjs';

requireNode();
try {
  install();
  (await import('tsx/esm/api')).register();
  const { buildNative, NotToBeHad } = await import('./lib/build-native.ts');
  try {
    await buildNative({
      backend: process.argv.includes('--gpu') ? 'tfjs-node-gpu' : 'tfjs-node',
      force: process.argv.includes('--force'),
      root: ROOT,
      say: (line) => console.error(`native: ${line}`),
    });
  } catch (error) {
    console.error(`npm run native: ${error.message}`);
    process.exitCode = error instanceof NotToBeHad ? 4 : 1;
  }
} catch (error) {
  console.error(`npm run native: ${error.message}`);
  process.exitCode = 1;
}

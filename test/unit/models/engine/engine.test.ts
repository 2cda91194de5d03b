/** Which backend is taken and why; and every native backend that is here computes what wasm computes. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor, Tensor4D, Variable } from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TocsinError } from '../../../../src/base/errors.ts';
import { seededRandom } from '../../../../src/base/random.ts';
import { cacheDir } from '../../../../src/config/cache.ts';
import { type BackendName, backendsToTry, probeBackends } from '../../../../src/models/engine/backends.ts';
import { describeEngine, openEngine } from '../../../../src/models/engine/engine.ts';
import { BUILT_FILE, type NativeBackend, nativeDir } from '../../../../src/models/engine/native.ts';
import { buildMmn, MMN_DEFAULTS } from '../../../../src/models/zoo/mmn.ts';
import { drawnPictures } from '../../../support/drawn-pictures.ts';

describe('choosing a backend', () => {
  let cache: string;
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'tocsin-engine-'));
  });
  afterEach(() => rm(cache, { recursive: true }));

  const pretendBuilt = async (name: NativeBackend): Promise<void> => {
    await mkdir(nativeDir(cache, name), { recursive: true });
    await writeFile(join(nativeDir(cache, name), BUILT_FILE), '{}');
  };
  const tried = (asked: BackendName | 'auto', hasGpu: boolean): string[] =>
    backendsToTry(asked, probeBackends(cache, hasGpu)).map(({ name }) => name);

  it('has wasm everywhere, and says how to get the others', () => {
    expect(tried('auto', true)).toEqual(['wasm']);
    const reasons = probeBackends(cache, true).map(({ reason }) => reason);
    expect(reasons[0]).toContain('npm run native -- --gpu');
    expect(reasons[1]).toContain('npm run native');
  });

  it('prefers tfjs-node to wasm, and the GPU to both where there is one', async () => {
    await pretendBuilt('tfjs-node');
    await pretendBuilt('tfjs-node-gpu');
    expect(tried('auto', false)).toEqual(['tfjs-node', 'wasm']);
    expect(tried('auto', true)).toEqual(['tfjs-node-gpu', 'tfjs-node', 'wasm']);
  });

  it('takes the one that is asked for and no other', async () => {
    await pretendBuilt('tfjs-node');
    expect(tried('wasm', false)).toEqual(['wasm']);
    expect(() => tried('tfjs-node-gpu', false)).toThrowError(/no NVIDIA GPU/);
    expect(() => tried('tfjs-node-gpu', true)).toThrowError(TocsinError);
  });

  it('falls back to wasm when an addon does not load, and says so', async () => {
    await pretendBuilt('tfjs-node');
    const reports: string[] = [];
    const tf = await openEngine({
      cacheDir: cache,
      report: (name, reason) => reports.push(`${name}: ${reason}`),
    });
    expect(describeEngine(tf)).toMatch(/^tfjs [\d.]+ wasm$/);
    expect(reports).toEqual([expect.stringMatching(/^wasm: .*tfjs-node does not load/)]);
    await expect(openEngine({ cacheDir: cache, backend: 'tfjs-node' })).rejects.toThrowError(/does not load/);
  });
});

const native = probeBackends(cacheDir()).filter(({ name, present }) => present && name !== 'wasm');

describe.each(native)('$name', ({ name }) => {
  const BATCH = 6;

  /** Logits of an MMN, and gradients of a fixed loss with respect to its weights, words and pictures. */
  async function outcome(backend: BackendName): Promise<Record<string, Float32Array>> {
    const tf = await openEngine({ backend });
    const before = tf.memory().numTensors;
    const mmn = buildMmn(tf, MMN_DEFAULTS, { kind: 'sigmoid', outputs: 1 }, 3);
    const random = seededRandom(4);
    const out: Record<string, Float32Array> = {};
    tf.tidy(() => {
      const values = Float32Array.from({ length: BATCH * 1_500 }, () => random() * 2 - 1);
      const words = tf.tensor3d(values, [BATCH, 15, 100]);
      const pictures = tf.div(tf.tensor4d(drawnPictures(BATCH), [BATCH, 64, 64, 3]), 255) as Tensor4D;
      const labels = tf.tensor2d([0, 1, 1, 0, 1, 0], [BATCH, 1]);
      const loss = (w: Tensor, p: Tensor): Tensor =>
        tf.losses.sigmoidCrossEntropy(labels, mmn.forward({ words: w, pixels: p }));
      out['logits'] = mmn.forward({ words, pixels: pictures }).dataSync() as Float32Array;
      const [byWords, byPictures] = tf.grads(loss as never)([words, pictures] as never) as Tensor[];
      out['words'] = byWords?.dataSync() as Float32Array;
      out['pictures'] = byPictures?.dataSync() as Float32Array;
      const variables = mmn.layers.trainableWeights.map((weight) => weight.read() as Variable);
      const { grads } = tf.variableGrads(() => loss(words, pictures) as never, variables);
      variables.forEach((variable, i) => {
        out[`weight ${i}`] = grads[variable.name]?.dataSync() as Float32Array;
      });
    });
    mmn.dispose();
    expect(tf.memory().numTensors).toBe(before);
    return out;
  }

  it('gives the logits and gradients of wasm', async () => {
    const wanted = await outcome('wasm');
    const actual = await outcome(name);
    expect(Object.keys(actual)).toEqual(Object.keys(wanted));
    for (const [what, values] of Object.entries(wanted)) {
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const worst = values.reduce(
        (most, v, i) => Math.max(most, Math.abs(v - (actual[what]?.[i] as number))),
        0,
      );
      expect(largest, what).toBeGreaterThan(0);
      expect(worst / largest, what).toBeLessThan(1e-4);
    }
  });

  it('is what auto takes, and manifests name it', async () => {
    const reports: string[] = [];
    const tf = await openEngine({ report: (taken) => reports.push(taken) });
    expect(reports).toEqual([native[0]?.name]);
    expect(describeEngine(tf)).toMatch(/^tfjs-node(-gpu)? 4\.22\.0 TensorFlow [\d.]+$/);
  });
});

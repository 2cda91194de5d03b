/** Which backend is taken and why; and every native backend that is here computes what wasm computes. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scalar, Tensor } from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TocsinError } from '../../../../src/base/errors.ts';
import { cacheDir } from '../../../../src/config/cache.ts';
import { type BackendName, backendsToTry, probeBackends } from '../../../../src/models/engine/backends.ts';
import { describeEngine, openEngine } from '../../../../src/models/engine/engine.ts';
import { BUILT_FILE, type NativeBackend, nativeDir } from '../../../../src/models/engine/native.ts';
import type { Architecture, Column, Head } from '../../../../src/models/zoo/contract.ts';
import { ZOO } from '../../../../src/models/zoo/zoo.ts';
import { crossEntropy } from '../../../../src/training/objective.ts';
import { TINY_DIMS, tinyBatch, tinyLabels } from '../../../support/tiny-encoder.ts';

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

/** Columns that have no gradient: they choose rows or say what is there. */
const INDEXES: readonly Column[] = ['tokenMask', 'entities', 'present', 'event'];

const native = probeBackends(cacheDir()).filter(({ name, present }) => present && name !== 'wasm');

describe.each(native)('$name', ({ name }) => {
  const HEAD: Head = { kind: 'softmax', outputs: 2 };

  /** Logits of a network, and gradients of its loss with respect to its weights and the columns that are not indexes. */
  async function outcome(backend: BackendName, row: Architecture): Promise<Record<string, Float32Array>> {
    const tf = await openEngine({ backend });
    const before = tf.memory().numTensors;
    const network = row.build(tf, row.defaults, TINY_DIMS, HEAD, 3);
    const out: Record<string, Float32Array> = {};
    tf.tidy(() => {
      const batch = tinyBatch(tf, row.columns(row.defaults), 6);
      const labels = tinyLabels(tf, HEAD, 6);
      const columns = (Object.keys(batch) as Column[]).filter((column) => !INDEXES.includes(column));
      const loss = (...given: Tensor[]): Scalar => {
        const moved = Object.fromEntries(columns.map((column, i) => [column, given[i] as Tensor]));
        return crossEntropy(tf, HEAD, network.forward({ ...batch, ...moved }), labels, null);
      };
      const inputs = columns.map((column) => batch[column] as Tensor);
      out['logits'] = network.forward(batch).dataSync() as Float32Array;
      tf.grads(loss as never)(inputs as never).forEach((gradient: Tensor, i: number) => {
        out[columns[i] as string] = gradient.dataSync() as Float32Array;
      });
      const { grads } = tf.variableGrads(() => loss(...inputs), network.trainable?.());
      Object.values(grads).forEach((gradient, i) => {
        out[`weight ${i}`] = gradient.dataSync() as Float32Array;
      });
    });
    network.dispose();
    expect(tf.memory().numTensors).toBe(before);
    return out;
  }

  it.each(ZOO.map((row) => [row.name, row] as const))(
    'gives the logits and gradients that wasm gives of %s',
    async (_, row) => {
      const wanted = await outcome('wasm', row);
      const actual = await outcome(name, row);
      expect(Object.keys(actual)).toEqual(Object.keys(wanted));
      const largest = (values: Float32Array): number =>
        values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(largest(wanted['logits'] as Float32Array)).toBeGreaterThan(0);
      for (const [what, values] of Object.entries(wanted)) {
        const gaps = values.map((value, i) => value - (actual[what]?.[i] as number));
        // A gradient that is zero on paper is only rounding, and is not compared with itself.
        expect(largest(gaps), what).toBeLessThan(1e-4 * Math.max(largest(values), 0.01));
      }
    },
  );

  it('is what auto takes, and manifests name it', async () => {
    const reports: string[] = [];
    const tf = await openEngine({ report: (taken) => reports.push(taken) });
    expect(reports).toEqual([native[0]?.name]);
    expect(describeEngine(tf)).toMatch(/^tfjs-node(-gpu)? 4\.22\.0 TensorFlow [\d.]+$/);
  });
});
